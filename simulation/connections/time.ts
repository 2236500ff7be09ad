// Runs what happens to connections in virtual time, on the event core. Times count in microseconds from the
// start of the measured phase; what comes before it is negative.

import { newEvents, type HandlerId } from '../events/events.ts';

export type Time = {
  nowUs(): number;
  /** The clock of policies: milliseconds since the first client connected, so never below 0. */
  nowMs(): number;
  /** Once for each kind of event. @param run is given the subject: a client, or a place in a table */
  handler(run: (subject: number) => void): HandlerId;
  /** Puts an event of a client; `atUs` is rounded to a whole microsecond, now or later. */
  at(atUs: number, handler: HandlerId, subject: number): void;
  /** For what seldom happens. */
  later(atUs: number, action: () => void): void;
  /** Runs all that is due before `untilUs`. */
  run(untilUs: number): void;
};

/** @param beginsUs when the first client connects */
export function createTime(beginsUs: number): Time {
  const events = newEvents();
  const actions: ((() => void) | undefined)[] = [];
  const free: number[] = [];
  const act = events.handler((place) => {
    const action = actions[place];
    actions[place] = undefined;
    free.push(place);
    action?.();
  });
  const put = (atUs: number, handler: HandlerId, subject: number) =>
    events.at(Math.max(events.nowUs(), Math.round(atUs - beginsUs)), handler, subject);
  return {
    nowUs: () => events.nowUs() + beginsUs,
    nowMs: () => events.nowUs() / 1000,
    handler: (run) => events.handler((subject) => run(subject)),
    at: put,
    later(atUs, action) {
      const place = free.pop() ?? actions.length;
      actions[place] = action;
      put(atUs, act, place);
    },
    run: (untilUs) => void events.run(Math.round(untilUs - beginsUs)),
  };
}

/** A timer of a client fires at a whole millisecond, and never early. */
export function timerUs(nowUs: number, waitMs: number): number {
  return Math.ceil((nowUs + waitMs * 1000) / 1000) * 1000;
}
