// Simulates the held requests of a class of long-polling clients as runs: clients that ask again one after
// the other, evenly spaced in time. An event answers all runs that are held; who is on the way when it comes
// gets it on arrival; a hold that ends is answered with nothing.

import { decideEvent, decideRequest, type LongPollRules } from '../../core/policy/server/long-poll.ts';

/** Clients that are held, or will be, from `atUs` on, each `stepUs` after the one before. */
export type Run = {
  count: number;
  atUs: number;
  stepUs: number;
  /** How many events of the class they have had. */
  seen: number;
  /** They have events and wait for more: `atUs` is when they are answered. */
  collecting: boolean;
};

export type ClassState = {
  runs: Run[];
  /** Events that not all have had; the first is number `base` of the class. */
  unseen: { atUs: number; bytes: number }[];
  base: number;
};

export type Times = {
  rules: LongPollRules;
  /** From the publisher to a server. */
  toServerUs: number;
  /** From the server's answer until the client has it, and from there until its next request is held. */
  backUs: number;
  againUs: number;
};

/**
 * How long a batch takes. No timer ends early, so an event that was planned for its very end is still in it:
 * in whole microseconds, as events are planned, the batch ends one later.
 */
export function batchUsOf({ batchMs }: LongPollRules): number {
  return batchMs * 1000 + 1;
}

/** From one request of a client that gets nothing to its next one. */
export function holdEveryUs({ rules, backUs, againUs }: Times): number {
  return rules.holdMs * 1000 + backUs + againUs;
}

/** What becomes of runs, told as it happens. */
export type Heard = {
  /** Answers with these events, to clients that ask or are due one after the other. */
  full(run: Run, events: ClassState['unseen']): void;
  /** Many at once: their batch is over. @returns when they are held again */
  together(run: Run, events: ClassState['unseen']): Pick<Run, 'atUs' | 'stepUs'>;
  /** Holds that end, each client's again after `everyUs`, so many times. */
  empty(run: Pick<Run, 'count' | 'atUs' | 'stepUs'>, times: number, everyUs: number): void;
};

/** Lets time pass up to and with `untilUs`. No event of the class comes before. */
export function advance(state: ClassState, untilUs: number, times: Times, heard: Heard): void {
  const { unseen, base } = state;
  const end = base + unseen.length;
  const open = state.runs;
  const settled: Run[] = [];
  for (let run = open.pop(); run; run = open.pop()) {
    const due = countUntil(run, untilUs);
    const hasUnseen = run.seen < end;
    if (due < run.count && (hasUnseen || run.collecting)) settled.push(part(run, due, run.count));
    if (!hasUnseen && !run.collecting) {
      endHolds(run, untilUs, times, heard, settled);
      continue;
    }
    if (due === 0) continue;
    const now = part(run, 0, due);
    const events = unseen.slice(run.seen - base);
    if (!run.collecting && isHeldOn(times.rules, events)) {
      open.push({ ...now, atUs: now.atUs + batchUsOf(times.rules), collecting: true });
      continue;
    }
    const isTogether = now.collecting && now.stepUs === 0 && now.count > 1;
    const again = isTogether
      ? heard.together(now, events)
      : { atUs: now.atUs + times.backUs + times.againUs, stepUs: now.stepUs };
    if (!isTogether) heard.full(now, events);
    open.push({ ...now, ...again, seen: end, collecting: false });
  }
  state.runs = settled.sort((a, b) => a.atUs - b.atUs);
  forget(state);
}

/** Takes out of the runs who is held at `atUs`, without events. Time has passed until then. */
export function takeHeld(state: ClassState, atUs: number): number {
  let held = 0;
  const rest: Run[] = [];
  for (const run of state.runs) {
    const count = run.collecting ? 0 : countUntil(run, atUs);
    held += count;
    if (count < run.count) rest.push(part(run, count, run.count));
  }
  state.runs = rest;
  return held;
}

/** An event has come: those on the way have not had it. */
export function noteEvent(state: ClassState, event: { atUs: number; bytes: number }): number {
  state.unseen.push(event);
  return state.base + state.unseen.length;
}

/** Those who collect have enough with it: they are answered now. */
export function answerFullEnough(state: ClassState, atUs: number, rules: LongPollRules): void {
  for (const run of state.runs) {
    if (!run.collecting) continue;
    const events = state.unseen.slice(run.seen - state.base);
    const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
    if (decideEvent(rules, events.length, bytes) === 'answer') [run.atUs, run.stepUs] = [atUs, 0];
  }
}

/** Deliveries of events that have come to clients who are on the way, or who collect more. */
export function onTheWay({ runs, unseen, base }: ClassState): number {
  const end = base + unseen.length;
  return runs.reduce((sum, { count, seen }) => sum + count * (end - seen), 0);
}

export function forget(state: ClassState): void {
  const seen = state.runs.reduce((least, run) => Math.min(least, run.seen), state.base + state.unseen.length);
  state.unseen.splice(0, seen - state.base);
  state.base = seen;
}

function isHeldOn(rules: LongPollRules, events: ClassState['unseen']): boolean {
  const bytes = events.reduce((sum, event) => sum + event.bytes, 0);
  const found = { events: events.length, bytes, isPart: false, isLost: false };
  return decideRequest(rules, undefined, found) !== 'answer';
}

/** Parts a run by how often its clients' holds have ended, which differs where the run is long in time. */
function endHolds(run: Run, untilUs: number, times: Times, heard: Heard, settled: Run[]): void {
  const holdUs = times.rules.holdMs * 1000;
  const everyUs = holdEveryUs(times);
  const endsOf = (atUs: number) => Math.max(0, Math.floor((untilUs - atUs - holdUs) / everyUs) + 1);
  let from = 0;
  while (from < run.count) {
    const ends = endsOf(run.atUs + from * run.stepUs);
    // The clients whose holds have ended as often: the last of those ends is not later than now.
    const lastUs = untilUs - holdUs - (ends - 1) * everyUs;
    const to =
      ends === 0 || run.stepUs <= 0
        ? run.count
        : Math.max(from + 1, Math.min(run.count, Math.floor((lastUs - run.atUs) / run.stepUs) + 1));
    const same = part(run, from, to);
    if (ends > 0) heard.empty(same, ends, everyUs);
    settled.push({ ...same, atUs: same.atUs + ends * everyUs });
    from = to;
  }
}

function countUntil({ count, atUs, stepUs }: Run, us: number): number {
  if (atUs > us) return 0;
  return stepUs <= 0 ? count : Math.min(count, Math.floor((us - atUs) / stepUs) + 1);
}

function part(run: Run, from: number, to: number): Run {
  return { ...run, count: to - from, atUs: run.atUs + from * run.stepUs };
}
