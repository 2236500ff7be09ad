// Whose turn it is. Each endpoint has a lane with the next few of its deliveries; the rest stays in the
// store. Lanes with something due take turns, so an endpoint's backlog never stands before another's, and
// within the caps of concurrency and rate the slow ones cost the others nothing. It knows nothing of HTTP.
//
// With `fifo` a lane has one attempt under way, and one that failed keeps all later ones
// waiting until it is settled.

import type { AttemptRow, DeliveryStore, Message, Task } from '../store.ts';
import { newFifo } from './fifo.ts';
import {
  beginIn,
  emptyLane,
  hasNext,
  mayBeginAt,
  newLane,
  takeNext,
  type Lane,
  type LaneOptions,
} from './lane.ts';
import type { Timers } from './timers.ts';

/** What became of an attempt. `again`: `attempt.nextMs` says when. */
export type Outcome = { state: 'again' | 'delivered' | 'exhausted' | 'cancelled'; attempt: AttemptRow };

export type DispatcherOptions = {
  store: DeliveryStore;
  /** Makes one attempt. Must not reject. */
  deliver: (task: Task) => Promise<Outcome>;
  /** Told of each outcome when it is entered in the store. */
  settled: (task: Task, outcome: Outcome) => void;
  /** Attempts under way at once, over all endpoints. */
  concurrency: number;
  timers: Timers;
};

export type Dispatcher = {
  /** Opens the endpoint's lane and goes on with what is pending for it. */
  open(endpoint: number, options: LaneOptions): void;
  /**
   * Makes no more attempts for the endpoint. What is under way ends, and is its last.
   * @returns the ids under way
   */
  stop(endpoint: number): ReadonlySet<number>;
  /** A delivery that the store holds now. */
  add(endpoint: number, id: number, message: Message, createdMs: number): void;
  /** Deliveries that the store holds under `waiting` now: replayed or recovered. */
  wake(endpoint: number): void;
  /** Takes those ids, which the store has cancelled, out of the lane. */
  drop(endpoint: number, ids: readonly number[]): void;
  lane(endpoint: number): { pending: number; bytes: number; underWay: ReadonlySet<number> } | undefined;
  underWay(): number;
  /** Makes no more attempts. Resolves when none is under way. */
  close(): Promise<void>;
};

/** Deliveries that a lane loads at once. */
const loadAtOnce = 64;
/** Loaded over all lanes; beyond, a lane has one at a time. */
const loadedMost = 100_000;
/**
 * Outcomes that the store could not take yet; beyond, no attempt begins until it has. Each may be
 * made again after a kill.
 */
const unsavedMost = 1000;
/** How long after the store failed at reading it is read again. */
const readAgainMs = 1000;

export function createDispatcher({
  store,
  deliver,
  settled,
  concurrency,
  timers,
}: DispatcherOptions): Dispatcher {
  const lanes = new Map<number, Lane>();
  /** Stopped, with attempts still under way. */
  const leaving = new Map<number, Lane>();
  /** Lanes with something due and room for another attempt, each once. */
  const line = newFifo<Lane>();
  let underWay = 0;
  let loaded = 0;
  let woken = false;
  let closed = false;
  let cancelReadAgain: (() => void) | undefined;
  /** Lanes with `fifo` whose last outcome is not stored. */
  const heldUp = new Set<Lane>();
  const idle = Promise.withResolvers<void>();

  // What an attempt depends on is durable before it begins: the event, and with `fifo` the one before
  // it. While a full disk takes no outcomes, lanes without `fifo` go on up to a bound: what was
  // accepted is delivered all the same.
  function wakeUp(): void {
    if (woken || closed) return;
    woken = true;
    const awake = () => {
      woken = false;
      pump();
    };
    store.committed().then(awake, () => {
      if (store.unsaved() >= unsavedMost) void store.recovered().then(awake);
      else awake();
    });
  }

  function pump(): void {
    while (underWay < concurrency && !closed) {
      if (store.unsaved() >= unsavedMost) return wakeUp();
      const lane = line.shift();
      if (!lane) return;
      lane.inLine = false;
      const nowMs = timers.nowMs();
      if (lane.fifo && store.unsaved() > 0) {
        holdUp(lane);
        continue;
      }
      if (!mayBegin(lane, nowMs)) continue;
      const task = take(lane);
      if (!task) continue;
      begin(lane, task, nowMs);
      queueUp(lane);
    }
  }

  /** What comes next in order waits for the outcome before it to be stored. */
  function holdUp(lane: Lane): void {
    heldUp.add(lane);
    if (heldUp.size > 1) return;
    void store.recovered().then(() => {
      for (const held of heldUp) if (lanes.get(held.endpoint) === held) queueUp(held);
      heldUp.clear();
      wakeUp();
    });
  }

  /** Whether rate and breaker allow an attempt now; when not, the lane comes back when they do. */
  function mayBegin(lane: Lane, nowMs: number): boolean {
    const atMs = mayBeginAt(lane, nowMs);
    if (atMs === undefined) return false; // the end of the deciding attempt brings the lane back
    if (atMs <= nowMs) return true;
    wakeAt(lane, atMs);
    return false;
  }

  function begin(lane: Lane, task: Task, nowMs: number): void {
    underWay++;
    beginIn(lane, task, nowMs);
    void deliver(task).then((outcome) => end(lane, task, outcome));
  }

  function end(begun: Lane, task: Task, outcome: Outcome): void {
    underWay--;
    begun.underWay.delete(task.id);
    if (begun.underWay.size === 0 && leaving.get(begun.endpoint) === begun) leaving.delete(begun.endpoint);
    // The endpoint may have been disabled and enabled meanwhile.
    const lane = lanes.get(begun.endpoint) ?? begun;
    unload(lane, task.id);
    const { state, attempt } = outcome;
    store.settle(task, attempt, state === 'again' ? 'pending' : state);
    if (state === 'again') {
      lane.waiting++;
      wakeAt(lane, attempt.nextMs ?? 0);
    } else {
      lane.pending--;
      lane.bytes -= task.message.bodyBytes;
    }
    settled(task, outcome);
    if (lanes.get(lane.endpoint) === lane) queueUp(lane);
    if (closed && underWay === 0) idle.resolve();
    wakeUp();
  }

  /** The lane's next delivery, loaded when it has to be. */
  function take(lane: Lane): Task | undefined {
    if (lane.fresh.size() === 0 && lane.more) load(lane);
    if (lane.retries.size() === 0 && lane.moreDue) loadWaiting(lane);
    return takeNext(lane);
  }

  /** What the store answers, or undefined when it cannot be read; then all lanes try again in a while. */
  function ask<T>(question: () => T): T | undefined {
    try {
      if (store.unsaved() < Infinity) return question();
    } catch {
      // the store has told of it
    }
    cancelReadAgain ??= timers.after(readAgainMs, readAgain);
    return undefined;
  }

  function readAgain(): void {
    cancelReadAgain = undefined;
    for (const lane of lanes.values()) {
      if (!lane.isCounted) count(lane);
      loadWaiting(lane);
      queueUp(lane);
    }
    wakeUp();
  }

  function load(lane: Lane): void {
    const limit = loaded < loadedMost ? loadAtOnce : 1;
    const tasks = ask(() => store.fresh(lane.endpoint, lane.freshTo, limit));
    if (!tasks) return;
    lane.more = tasks.length === limit;
    for (const task of tasks) {
      lane.freshTo = task.id;
      if (lane.loaded.has(task.id)) continue;
      lane.fresh.push(task);
      lane.loaded.add(task.id);
      loaded++;
    }
  }

  function unload(lane: Lane, id: number): void {
    if (lane.loaded.delete(id)) loaded--;
    lane.loadedWaiting.delete(id);
  }

  /** Loads what has become due, and sees to it that the lane is woken for the next. */
  function loadWaiting(lane: Lane): void {
    const nowMs = timers.nowMs();
    lane.moreDue = false;
    // Those already loaded may be the first that the store names.
    const limit = lane.loadedWaiting.size + (loaded < loadedMost ? loadAtOnce : 1);
    const found = lane.waiting > 0 ? (ask(() => store.waiting(lane.endpoint, limit)) ?? []) : [];
    for (const task of found) {
      if (lane.loaded.has(task.id)) continue;
      if (task.dueMs > nowMs) {
        wakeAt(lane, task.dueMs);
        return;
      }
      if (lane.retries.size() >= loadAtOnce) break;
      lane.retries.push(task);
      lane.loaded.add(task.id);
      lane.loadedWaiting.add(task.id);
      lane.waiting--;
      loaded++;
    }
    lane.moreDue = lane.waiting > 0;
  }

  function wakeAt(lane: Lane, atMs: number): void {
    if (lane.wakeAtMs <= atMs || closed || lanes.get(lane.endpoint) !== lane) return;
    lane.cancelWake();
    lane.wakeAtMs = atMs;
    lane.cancelWake = timers.after(Math.max(0, atMs - timers.nowMs()), () => {
      lane.wakeAtMs = Infinity;
      lane.cancelWake = () => {};
      loadWaiting(lane);
      queueUp(lane);
      wakeUp();
    });
  }

  /** Puts the lane behind the others when another attempt of it may be made. */
  function queueUp(lane: Lane): void {
    if (lane.inLine || !hasNext(lane)) return;
    lane.inLine = true;
    line.push(lane);
  }

  function count(lane: Lane): void {
    const backlog = ask(() => store.backlog(lane.endpoint));
    lane.isCounted = backlog !== undefined;
    if (!backlog) return;
    const { pending, waiting, bytes } = backlog;
    lane.pending = pending;
    lane.bytes = bytes;
    lane.waiting = waiting - lane.loadedWaiting.size;
  }

  function stop(endpoint: number): ReadonlySet<number> {
    const lane = lanes.get(endpoint);
    if (!lane) return new Set();
    lanes.delete(endpoint);
    if (lane.underWay.size > 0) leaving.set(endpoint, lane);
    loaded -= lane.loaded.size;
    emptyLane(lane);
    return lane.underWay;
  }

  return {
    open(endpoint, options) {
      const still = leaving.get(endpoint)?.underWay ?? new Set<number>();
      loaded += still.size;
      const lane = newLane(endpoint, options, still);
      lanes.set(endpoint, lane);
      count(lane);
      lane.more = !lane.isCounted || lane.pending > lane.waiting;
      loadWaiting(lane);
      queueUp(lane);
      wakeUp();
    },
    stop,
    add(endpoint, id, message, createdMs) {
      const lane = lanes.get(endpoint);
      if (!lane) return;
      lane.pending++;
      lane.bytes += message.bodyBytes;
      // Loaded already: it is told of later than it was stored (servers/inject.ts).
      if (id <= lane.freshTo) return;
      if (lane.more || lane.fresh.size() >= loadAtOnce || loaded >= loadedMost) {
        lane.more = true;
      } else {
        lane.fresh.push({ id, endpoint, message, attempts: 0, spent: 0, createdMs, dueMs: createdMs });
        lane.loaded.add(id);
        lane.freshTo = id;
        loaded++;
      }
      queueUp(lane);
      wakeUp();
    },
    wake(endpoint) {
      const lane = lanes.get(endpoint);
      if (!lane) return;
      count(lane);
      wakeAt(lane, timers.nowMs());
    },
    drop(endpoint, ids) {
      const lane = lanes.get(endpoint);
      if (!lane || ids.length === 0) return;
      const gone = new Set(ids);
      for (const queue of [lane.fresh, lane.retries])
        for (const task of queue.drain()) if (!gone.has(task.id)) queue.push(task);
      for (const id of ids) unload(lane, id);
      count(lane);
    },
    lane: (endpoint) => lanes.get(endpoint),
    underWay: () => underWay,
    close() {
      closed = true;
      cancelReadAgain?.();
      for (const endpoint of lanes.keys()) stop(endpoint);
      if (underWay === 0) idle.resolve();
      return idle.promise;
    },
  };
}
