// Runs events in virtual time: whole microseconds, earliest first, ties in order of insertion. An event is
// three numbers (when, which handler, about what) and no object, so that tens of millions can be pending.
//
// What npm has was tried: see docs/simulation/events.md, which also says how this queue works and what it
// costs.

import * as clocks from './clock.ts';
import type { Clock } from './clock.ts';
import { firstNode as importedFirstNode } from './front.ts';
import * as allLanes from './lanes.ts';
import type { Lanes } from './lanes.ts';
import * as queues from './queue.ts';
import type { Queue } from './queue.ts';

/** V8 looks an imported name up at each use, and knows what a module's own constant is. */
const { endOfTimeUs, newClock } = clocks;
const firstNode = importedFirstNode;
const { dropLeast, leastPlace, leastRing, newLanes, openLane, pushBehind } = allLanes;
const { newQueue, push, ready, take } = queues;

/** What an event does. @param subject a whole number below 2^32: an index in tables of the model */
export type Handler = (subject: number, nowUs: number) => void;

/** A handler that is registered. */
export type HandlerId = number & { readonly kind: 'handler' };
/** A constant delay that is registered. */
export type LaneId = number & { readonly kind: 'lane' };

export type Events = {
  nowUs(): number;
  /** Once for each kind of event. */
  handler(run: Handler): HandlerId;
  /**
   * Puts an event into the queue.
   * @param atUs a whole number, now or later
   * @throws RangeError for a time that has passed
   */
  at(atUs: number, handler: HandlerId, subject: number): void;
  /** A delay that many events have: they cost less by `after`. */
  lane(delayUs: number): LaneId;
  /** Puts an event behind the others of its lane. */
  after(lane: LaneId, handler: HandlerId, subject: number): void;
  /**
   * Runs all events that are due before `untilUs`, also new ones put meanwhile; then the time is `untilUs`.
   * @returns how many it ran
   */
  run(untilUs: number): number;
  pending(): number;
  /** The memory of pending events, with the reserve for more. */
  bytes(): number;
};

/** The handlers' numbers have eight bits of an entry. */
const mostHandlers = 256;
/** Bytes that the queue and the lanes may each take: 100 million events. */
const mostBytes = 2 ** 31;

type Core = {
  readonly clock: Clock;
  readonly queue: Queue;
  readonly lanes: Lanes;
  readonly handlers: Handler[];
};

export function newEvents({ limitBytes = mostBytes } = {}): Events {
  const clock = newClock();
  const queue = newQueue(clock, limitBytes);
  const lanes = newLanes(clock, limitBytes);
  const handlers: Handler[] = [];
  const core: Core = { clock, queue, lanes, handlers };
  let running = false;

  return {
    nowUs: () => clock.nowUs,
    handler(run) {
      if (handlers.length === mostHandlers)
        throw new RangeError(`there are ${mostHandlers} handlers already`);
      return (handlers.push(run) - 1) as HandlerId; // the only place that makes one
    },
    at(atUs, handler, subject) {
      if (!(atUs >= clock.nowUs && atUs < endOfTimeUs && Number.isInteger(atUs))) throw badTime(clock, atUs);
      push(queue, atUs, handler, subject);
      countPut(clock);
    },
    lane(delayUs) {
      if (!(delayUs >= 0 && delayUs < endOfTimeUs / 2 && Number.isInteger(delayUs)))
        throw new RangeError(`a lane cannot delay by ${delayUs} us: it takes a whole number`);
      return openLane(lanes, delayUs) as LaneId; // the only place that makes one
    },
    after(lane, handler, subject) {
      pushBehind(lanes, lane, handler, subject);
      countPut(clock);
    },
    run(untilUs) {
      if (running) throw new Error('events are running already: a handler cannot run others');
      if (!(untilUs >= clock.nowUs && untilUs <= endOfTimeUs && Number.isInteger(untilUs)))
        throw new RangeError(`events cannot run until ${untilUs} us: it is ${clock.nowUs} us`);
      running = true;
      try {
        const ran = runUntil(core, untilUs);
        clock.nowUs = untilUs;
        return ran;
      } finally {
        running = false;
      }
    },
    pending: () => queues.pendingIn(queue) + allLanes.pendingIn(lanes),
    bytes: () => queues.bytesOf(queue) + allLanes.bytesOf(lanes),
  };
}

function countPut(clock: Clock): void {
  clock.putLow = (clock.putLow + 1) | 0;
  if (clock.putLow === 0) clock.putHigh++;
}

const badTime = (clock: Clock, atUs: number) =>
  new RangeError(
    `an event cannot be put at ${atUs} us: it is ${clock.nowUs} us, and times are whole numbers to 2^48`,
  );

function runUntil({ clock, queue, lanes, handlers }: Core, untilUs: number): number {
  const { nodes } = queue.front;
  for (let ran = 0; ; ran++) {
    const laneUs = clock.laneUs;
    if (clock.queueUs <= laneUs && isQueueNext(queue, lanes, Math.min(laneUs, untilUs - 1))) {
      const atUs = clock.queueUs;
      clock.nowUs = atUs;
      const node = take(queue);
      handlers[(nodes[node + 1]! >>> 8) & 255]!(nodes[node + 2]! >>> 0, atUs);
    } else if (laneUs < untilUs) {
      clock.nowUs = laneUs;
      const ring = leastRing(lanes);
      const place = leastPlace(lanes);
      dropLeast(lanes);
      handlers[(ring[place + 1]! >>> 8) & 255]!(ring[place + 2]! >>> 0, laneUs);
    } else return ran;
  }
}

/** Whether the first event of all is the queue's, and is due until `limitUs`. */
function isQueueNext(queue: Queue, lanes: Lanes, limitUs: number): boolean {
  const { clock, front } = queue;
  if (front.count === 0) ready(queue, limitUs);
  if (clock.queueUs > limitUs) return false;
  if (clock.queueUs !== clock.laneUs) return true;
  const { nodes } = front;
  return isBefore(nodes, firstNode(front), leastRing(lanes), leastPlace(lanes));
}

/** Whether one entry was put before another. */
function isBefore(a: Int32Array, i: number, b: Int32Array, j: number): boolean {
  const above = (a[i + 1]! & 255) - (b[j + 1]! & 255);
  return above === 0 ? a[i + 3]! >>> 0 < b[j + 3]! >>> 0 : above < 0;
}
