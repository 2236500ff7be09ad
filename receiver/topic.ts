// Puts the events of one topic that overtook one another back into order, and tells which are missing, by
// their sequence number. It keeps nothing: sequence.ts has topics in memory, stored-sequence.ts in a
// database.

import { requireNumber } from '../core/base/checked-options.ts';

export type Step<T> =
  /** The next one in order. */
  | { kind: 'event'; topic: string; seq: number; item: T }
  /** These were given up, `from` to `to`; the events behind them follow. */
  | { kind: 'missing'; topic: string; from: number; to: number }
  /** It arrived after it had been given up. */
  | { kind: 'late'; topic: string; seq: number; item: T }
  | { kind: 'repeated'; topic: string; seq: number };

export type Bounds = {
  /**
   * Events of one topic that are held back while an earlier one is missing; up to 100,000.
   * Beyond that the gap is given up.
   */
  maxHeld: number;
  /** How long an event waits for those before it. After that the gap is given up. */
  maxWaitMs: number;
  /**
   * The first sequence number of each topic; when left out, the number of the first event that arrives, for a
   * receiver that joins later.
   */
  first?: number;
};

export type Topic<T> = {
  readonly name: string;
  next: number;
  readonly held: Map<number, Held<T>>;
  readonly gaps: Gap[];
};

type Held<T> = { item: T; sinceMs: number };
type Gap = { from: number; to: number };

/**
 * Gaps of one topic that are remembered, so that late events are told from repeated ones. Older gaps are
 * merged into one, and everything in it counts as late.
 */
const maxGaps = 100;

/** @throws TypeError or RangeError for invalid limits */
export function requireBounds({ maxHeld, maxWaitMs, first }: Bounds): void {
  requireNumber('maxHeld', maxHeld, { least: 0, most: 100_000, whole: true });
  requireNumber('maxWaitMs', maxWaitMs, { least: 0, most: Infinity });
  if (first !== undefined) requireSeq('first', first);
}

/** @throws TypeError or RangeError */
export function requireSeq(name: string, value: unknown): void {
  requireNumber(name, value, { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true });
}

/** A wait from or to a time that is none would never end. @throws TypeError or RangeError */
export function requireTime(nowMs: unknown): void {
  requireNumber('nowMs', nowMs, { least: -Number.MAX_VALUE, most: Number.MAX_VALUE });
}

/** @param seq of the event that came first */
export function newTopic<T>(name: string, seq: number, first: number | undefined): Topic<T> {
  return {
    name,
    next: first ?? seq,
    held: new Map(),
    // Who begins with whatever comes first takes an earlier one, should it come, as late.
    gaps: first === undefined && seq > 1 ? [{ from: 1, to: seq - 1 }] : [],
  };
}

/** @returns what can be done now, in order */
export function accept<T>(topic: Topic<T>, seq: number, item: T, nowMs: number, maxHeld: number): Step<T>[] {
  if (seq < topic.next) return [behind(topic, seq, item)];
  if (topic.held.has(seq)) return [{ kind: 'repeated', topic: topic.name, seq }];
  topic.held.set(seq, { item, sinceMs: nowMs });
  const steps: Step<T>[] = [];
  release(topic, steps);
  while (topic.held.size > maxHeld) giveUp(topic, steps);
  return steps;
}

/** Gives up the gaps that have been waited for too long. */
export function giveUpOld<T>(topic: Topic<T>, nowMs: number, maxWaitMs: number): Step<T>[] {
  const steps: Step<T>[] = [];
  while (topic.held.size > 0 && nowMs - waitingSince(topic)! >= maxWaitMs) giveUp(topic, steps);
  return steps;
}

/** Since when the event that has been held back the longest is; undefined where none is. */
export function waitingSince<T>({ held }: Topic<T>): number | undefined {
  return held.size === 0 ? undefined : Math.min(...Array.from(held.values(), ({ sinceMs }) => sinceMs));
}

function release<T>(topic: Topic<T>, steps: Step<T>[]): void {
  for (let held = topic.held.get(topic.next); held; held = topic.held.get(topic.next)) {
    topic.held.delete(topic.next);
    steps.push({ kind: 'event', topic: topic.name, seq: topic.next++, item: held.item });
  }
}

function giveUp<T>(topic: Topic<T>, steps: Step<T>[]): void {
  const to = Math.min(...topic.held.keys()) - 1;
  steps.push({ kind: 'missing', topic: topic.name, from: topic.next, to });
  topic.gaps.push({ from: topic.next, to });
  if (topic.gaps.length > maxGaps) {
    const [one, two] = topic.gaps.splice(0, 2) as [Gap, Gap];
    topic.gaps.unshift({ from: one.from, to: two.to });
  }
  topic.next = to + 1;
  release(topic, steps);
}

function behind<T>({ name, gaps }: Topic<T>, seq: number, item: T): Step<T> {
  const index = gaps.findIndex(({ from, to }) => from <= seq && seq <= to);
  if (index < 0) return { kind: 'repeated', topic: name, seq };
  const { from, to } = gaps[index]!;
  if (gaps.length < maxGaps) {
    const halves = [
      { from, to: seq - 1 },
      { from: seq + 1, to },
    ];
    gaps.splice(index, 1, ...halves.filter((gap) => gap.from <= gap.to));
  }
  return { kind: 'late', topic: name, seq, item };
}
