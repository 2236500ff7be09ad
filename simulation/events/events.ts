// Runs events in virtual time: whole microseconds, earliest first, ties in order of insertion. An event is
// three numbers (when, which handler, about what) and no object, so that tens of millions can be pending.
//
// What npm has was tried: see docs/simulation/events.md, which also says how this queue works and what it
// costs.

import { newLanes } from './lanes.ts';
import { endOfTimeUs, mostHandlers, newWheel } from './wheel.ts';

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
   * Runs all events that are due before `untilUs`, those that are put meanwhile too; then it is `untilUs`.
   * @returns how many it ran
   */
  run(untilUs: number): number;
  pending(): number;
  /** What pending events take of memory, and what is kept at hand for more. */
  bytes(): number;
};

/** Bytes that the queue and the lanes may each take: 100 million events. */
const mostBytes = 2 ** 31;

/** Places in the state of a core. */
const now = 0;
const put = 1;

export function newEvents({ limitBytes = mostBytes } = {}): Events {
  const wheel = newWheel(limitBytes);
  const lanes = newLanes(limitBytes);
  const handlers: Handler[] = [];
  /** What time it is and how many events have been put: in an array no number takes an object. */
  const state = new Float64Array(2);
  let running = false;

  function step(untilUs: number): number {
    let ran = 0;
    for (;;) {
      const laneUs = lanes.firstUs();
      const wheelUs = wheel.find(laneUs < untilUs ? laneUs : untilUs - 1);
      if (wheelUs < laneUs || (wheelUs === laneUs && wheelUs < untilUs && wheel.number() < lanes.number())) {
        state[now] = wheelUs;
        const subject = wheel.take();
        handlers[wheel.handler()]!(subject, wheelUs);
      } else if (laneUs < untilUs) {
        state[now] = laneUs;
        const subject = lanes.take();
        handlers[lanes.handler()]!(subject, laneUs);
      } else return ran;
      ran++;
    }
  }

  return {
    nowUs: () => state[now]!,
    handler(run) {
      if (handlers.length === mostHandlers)
        throw new RangeError(`there are ${mostHandlers} handlers already`);
      return (handlers.push(run) - 1) as HandlerId; // the only place that makes one
    },
    at(atUs, handler, subject) {
      if (!(atUs >= state[now]! && atUs < endOfTimeUs && Number.isInteger(atUs)))
        throw new RangeError(
          `an event cannot be put at ${atUs} us: it is ${state[now]} us, and times are whole numbers to 2^48`,
        );
      wheel.push(atUs, handler, subject, state[put]!++, state[now]!);
    },
    lane(delayUs) {
      if (!(delayUs >= 0 && delayUs < endOfTimeUs / 2 && Number.isInteger(delayUs)))
        throw new RangeError(`a lane cannot delay by ${delayUs} us: it takes a whole number`);
      return lanes.open(delayUs) as LaneId; // the only place that makes one
    },
    after: (lane, handler, subject) => lanes.push(lane, state[now]!, handler, subject, state[put]!++),
    run(untilUs) {
      if (running) throw new Error('events are running already: a handler cannot run others');
      if (!(untilUs >= state[now]! && untilUs <= endOfTimeUs && Number.isInteger(untilUs)))
        throw new RangeError(`events cannot run until ${untilUs} us: it is ${state[now]} us`);
      running = true;
      try {
        const ran = step(untilUs);
        state[now] = untilUs;
        return ran;
      } finally {
        running = false;
      }
    },
    pending: () => wheel.pending() + lanes.pending(),
    bytes: () => wheel.bytes() + lanes.bytes(),
  };
}
