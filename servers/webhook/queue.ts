// What is to be delivered, and whose turn it is. `DeliveryQueue` is the seam: this file's queue lives in memory and
// ends with the process; one that outlives it takes its place behind the same type. It knows nothing of HTTP.

import type { ServerLimits } from '../../core/scenario.ts';
import type { Timers } from './retry.ts';

/** An event as every endpoint gets it. */
export type Message = { readonly id: string; readonly topic: string; readonly body: string; readonly bodyBytes: number };

/** One message on its way to one endpoint. */
export type Delivery = {
  readonly endpointId: string;
  readonly message: Message;
  /** The attempt that is due or under way, from 1. */
  readonly attempt: number;
};

/** What became of an attempt. */
export type Outcome =
  /** The queue forgets the delivery: it was made, or there is no use in another attempt. */
  | { kind: 'settled' }
  | { kind: 'again'; waitMs: number };

/**
 * What became of a message that was added: how many deliveries were dropped for it, 0 when there was room. `overrun`:
 * the endpoint is too far behind, the message is not in the queue, and the policy is to cut the endpoint off.
 */
export type Added = number | 'overrun';

export type DeliveryQueue = {
  /** Takes a delivery and returns at once; the attempt is made later. */
  add(endpointId: string, message: Message): Added;
  /** Forgets what waits for the endpoint. An attempt under way runs on, and is its last. */
  forget(endpointId: string): void;
  /** Deliveries of the endpoint that are not settled: due, between two attempts, or under way. */
  pending(endpointId: string): number;
  /** Makes no more attempts. Resolves when none is under way. */
  close(): Promise<void>;
};

export type QueueOptions = {
  /** Makes one attempt. Must not reject. */
  deliver: (delivery: Delivery) => Promise<Outcome>;
  /** Attempts under way at once, over all endpoints. */
  concurrency: number;
  /** `slowBuffer`: bytes of bodies that may wait for one endpoint. `slow`: what happens to one with more. */
  limits: Pick<ServerLimits, 'slow' | 'slowBuffer'>;
  timers: Timers;
  /** Deliveries over all endpoints; one more is dropped. Bodies are shared among endpoints, a delivery itself is some 100 bytes. */
  maxDeliveries?: number;
};

/** One endpoint's deliveries. */
type Lane = {
  readonly endpointId: string;
  readonly due: Fifo<Delivery>;
  /** Between two attempts, each with the function that takes its timer back. */
  readonly resting: Map<Delivery, () => void>;
  underWay: number;
  bytes: number;
  /** Whether it stands in line for an attempt. */
  inLine: boolean;
};

/**
 * A queue in memory. Endpoints with something due take turns, and none has more than an eighth of the attempts under
 * way (but at least one), so an endpoint that never answers costs the others that eighth and no more; as many of
 * them as there are eighths, and all wait for the timeout. Within an endpoint, what is due goes in the order it came.
 */
export function createMemoryQueue({ deliver, concurrency, limits, timers, maxDeliveries = 1_000_000 }: QueueOptions): DeliveryQueue {
  const lanes = new Map<string, Lane>();
  /** Lanes with something due and room for another attempt, each once. */
  const line = newFifo<Lane>();
  const perEndpoint = Math.max(1, Math.floor(concurrency / 8));
  let underWay = 0;
  let deliveries = 0;
  let woken = false;
  let closed = false;
  const idle = Promise.withResolvers<void>();

  // Not at once: the publisher gets its answer before the first request is written.
  function wake(): void {
    if (woken) return;
    woken = true;
    setImmediate(() => {
      woken = false;
      pump();
    });
  }

  function pump(): void {
    while (underWay < concurrency && !closed) {
      const lane = line.shift();
      if (!lane) return;
      lane.inLine = false;
      const delivery = lane.due.shift();
      if (!delivery) continue; // it was forgotten, or its deliveries were dropped, while it stood in line
      lane.underWay++;
      underWay++;
      queueUp(lane);
      void deliver(delivery).then((outcome) => settle(lane, delivery, outcome));
    }
  }

  /** Puts the lane behind the others when another attempt of it may be made. */
  function queueUp(lane: Lane): void {
    if (lane.inLine || lane.due.size() === 0 || lane.underWay >= perEndpoint) return;
    lane.inLine = true;
    line.push(lane);
  }

  function settle(lane: Lane, delivery: Delivery, outcome: Outcome): void {
    underWay--;
    lane.underWay--;
    if (lanes.get(lane.endpointId) === lane) {
      if (outcome.kind === 'again') rest(lane, { ...delivery, attempt: delivery.attempt + 1 }, outcome.waitMs);
      else leave(lane, delivery);
      if (pendingOf(lane) === 0) lanes.delete(lane.endpointId);
      queueUp(lane);
    }
    if (closed && underWay === 0) idle.resolve();
    pump();
  }

  function rest(lane: Lane, delivery: Delivery, waitMs: number): void {
    lane.resting.set(delivery, timers.after(waitMs, () => {
      lane.resting.delete(delivery);
      lane.due.push(delivery);
      queueUp(lane);
      wake();
    }));
  }

  /** Takes a delivery that is in none of the lane's lists out of the account. */
  function leave(lane: Lane, delivery: Delivery): void {
    lane.bytes -= delivery.message.bodyBytes;
    deliveries--;
  }

  /** Keeps only the newest waiting message of each topic. @returns how many went */
  function coalesce(lane: Lane, arriving: Message): number {
    const newer = new Set([arriving.topic]);
    const isNewest = ({ message: { topic } }: Delivery) => !newer.has(topic) && !!newer.add(topic);
    const waiting = [...lane.resting.keys(), ...lane.due.drain()];
    const kept = new Set(waiting.toReversed().filter(isNewest));
    for (const delivery of waiting) {
      if (kept.has(delivery)) {
        if (!lane.resting.has(delivery)) lane.due.push(delivery);
      } else {
        lane.resting.get(delivery)?.();
        lane.resting.delete(delivery);
        leave(lane, delivery);
      }
    }
    return waiting.length - kept.size;
  }

  function laneOf(endpointId: string): Lane {
    let lane = lanes.get(endpointId);
    if (!lane) lanes.set(endpointId, (lane = { endpointId, due: newFifo(), resting: new Map(), underWay: 0, bytes: 0, inLine: false }));
    return lane;
  }

  function forget(endpointId: string): void {
    const lane = lanes.get(endpointId);
    if (!lane) return;
    lanes.delete(endpointId);
    deliveries -= pendingOf(lane);
    for (const cancel of lane.resting.values()) cancel();
    lane.resting.clear();
    lane.due.drain();
  }

  return {
    add(endpointId, message) {
      if (closed || deliveries >= maxDeliveries) return 1;
      const fits = (): boolean => {
        const bytes = lanes.get(endpointId)?.bytes ?? 0;
        // One body may be larger than the bound; alone it may wait.
        return bytes === 0 || bytes + message.bodyBytes <= limits.slowBuffer;
      };
      let dropped = 0;
      if (!fits()) {
        if (limits.slow === 'disconnect') return 'overrun';
        if (limits.slow === 'coalesce') dropped = coalesce(laneOf(endpointId), message);
        if (!fits()) return dropped + 1;
      }
      const lane = laneOf(endpointId);
      lane.due.push({ endpointId, message, attempt: 1 });
      lane.bytes += message.bodyBytes;
      deliveries++;
      queueUp(lane);
      wake();
      return dropped;
    },
    forget,
    pending(endpointId) {
      const lane = lanes.get(endpointId);
      return lane ? pendingOf(lane) : 0;
    },
    close() {
      closed = true;
      for (const endpointId of lanes.keys()) forget(endpointId);
      if (underWay === 0) idle.resolve();
      return idle.promise;
    },
  };
}

function pendingOf({ due, resting, underWay }: Lane): number {
  return due.size() + resting.size + underWay;
}

/** First in, first out, at the same cost however many there are: `Array.shift` moves all that is left of a long one. */
type Fifo<T> = { push(item: T): void; shift(): T | undefined; size(): number; drain(): T[] };

function newFifo<T>(): Fifo<T> {
  let items: T[] = [];
  let first = 0;
  return {
    push: (item) => void items.push(item),
    shift() {
      const item = items[first];
      if (item === undefined) return undefined;
      first++;
      if (first * 2 >= items.length) {
        items = items.slice(first);
        first = 0;
      }
      return item;
    },
    size: () => items.length - first,
    drain() {
      const all = items.slice(first);
      items = [];
      first = 0;
      return all;
    },
  };
}
