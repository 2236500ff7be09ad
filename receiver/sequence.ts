// Puts events that overtook one another back into order, and tells which are missing, by their sequence
// number in their topic. It waits for what is missing, but only so long and only with so much held back; then
// it says what is missing and goes on. Time is given to it, so that hours of it pass in a test at once.

import { requireNames, requireNumber } from '../core/base/checked-options.ts';

export type SequenceOptions = {
  /**
   * Events held back while an earlier one is missing, of one topic; up to 100,000.
   * Past it the gap is given up.
   */
  maxHeld: number;
  /** How long an event waits for those before it. Past it the gap is given up. */
  maxWaitMs: number;
  /**
   * Topics that are followed. Past it, the topic that was quiet the longest is forgotten, and begins
   * anew when it speaks again.
   */
  maxTopics: number;
  /**
   * The first sequence number of each topic; when left out, whatever comes first, for
   * who joins in the middle.
   */
  first?: number;
};

export type Step<T> =
  /** The next one in order. */
  | { kind: 'event'; topic: string; seq: number; item: T }
  /** Given up waiting for these, `from` to `to`; what follows comes without them. */
  | { kind: 'missing'; topic: string; from: number; to: number }
  /** It came after all, behind its turn. */
  | { kind: 'late'; topic: string; seq: number; item: T }
  | { kind: 'repeated'; topic: string; seq: number };

export type Sequencer<T> = {
  /**
   * @param seq a whole number, from 0
   * @returns what can be done now, in order
   * @throws TypeError or RangeError for a number that is none; such an event is not taken
   */
  accept(topic: string, seq: number, item: T, nowMs: number): Step<T>[];
  /** Gives up the gaps that have been waited for too long. */
  tick(nowMs: number): Step<T>[];
  /** When `tick` has something to do; undefined while nothing is held back. */
  dueMs(): number | undefined;
  held(): number;
};

type Held<T> = { item: T; sinceMs: number };
type Topic<T> = { next: number; held: Map<number, Held<T>>; gaps: Gap[]; spokeMs: number };
type Gap = { from: number; to: number };

/**
 * Gaps of one topic that are remembered, so that late events are told from repeated ones; older ones are
 * merged into one that says "late".
 */
const maxGaps = 100;

/** @throws TypeError or RangeError for options that are none or would bound nothing */
export function createSequencer<T>(options: SequenceOptions): Sequencer<T> {
  requireNames('a sequencer', options, ['maxHeld', 'maxWaitMs', 'maxTopics', 'first']);
  const { maxHeld, maxWaitMs, maxTopics, first } = options;
  requireNumber('maxHeld', maxHeld, { least: 0, most: 100_000, whole: true });
  requireNumber('maxWaitMs', maxWaitMs, { least: 0, most: Infinity });
  requireNumber('maxTopics', maxTopics, { least: 1, most: 10_000_000, whole: true });
  if (first !== undefined) requireSeq('first', first);
  const topics = new Map<string, Topic<T>>();

  function topicOf(name: string, seq: number, nowMs: number): Topic<T> {
    let topic = topics.get(name);
    if (!topic) {
      if (topics.size >= maxTopics) forgetQuietest();
      // Who begins with whatever comes first takes an earlier one, should it come, as late.
      topic = {
        next: first ?? seq,
        held: new Map(),
        gaps: first === undefined && seq > 1 ? [{ from: 1, to: seq - 1 }] : [],
        spokeMs: nowMs,
      };
      topics.set(name, topic);
    }
    topic.spokeMs = nowMs;
    return topic;
  }

  function forgetQuietest(): void {
    const quiet = [...topics].filter(([, { held }]) => held.size === 0);
    const [name] = (quiet.length > 0 ? quiet : [...topics]).reduce((a, b) =>
      b[1].spokeMs < a[1].spokeMs ? b : a,
    );
    topics.delete(name);
  }

  function release(name: string, topic: Topic<T>, steps: Step<T>[]): void {
    for (let held = topic.held.get(topic.next); held; held = topic.held.get(topic.next)) {
      topic.held.delete(topic.next);
      steps.push({ kind: 'event', topic: name, seq: topic.next++, item: held.item });
    }
  }

  function giveUp(name: string, topic: Topic<T>, steps: Step<T>[]): void {
    const to = Math.min(...topic.held.keys()) - 1;
    steps.push({ kind: 'missing', topic: name, from: topic.next, to });
    topic.gaps.push({ from: topic.next, to });
    if (topic.gaps.length > maxGaps) {
      const [one, two] = topic.gaps.splice(0, 2) as [Gap, Gap];
      topic.gaps.unshift({ from: one.from, to: two.to });
    }
    topic.next = to + 1;
    release(name, topic, steps);
  }

  function behind(name: string, topic: Topic<T>, seq: number, item: T): Step<T> {
    const index = topic.gaps.findIndex(({ from, to }) => from <= seq && seq <= to);
    if (index < 0) return { kind: 'repeated', topic: name, seq };
    const { from, to } = topic.gaps[index]!;
    if (topic.gaps.length < maxGaps) {
      topic.gaps.splice(
        index,
        1,
        ...[
          { from, to: seq - 1 },
          { from: seq + 1, to },
        ].filter((gap) => gap.from <= gap.to),
      );
    }
    return { kind: 'late', topic: name, seq, item };
  }

  return {
    accept(name, seq, item, nowMs) {
      requireSeq('seq', seq);
      requireTime(nowMs);
      const topic = topicOf(name, seq, nowMs);
      if (seq < topic.next) return [behind(name, topic, seq, item)];
      if (topic.held.has(seq)) return [{ kind: 'repeated', topic: name, seq }];
      topic.held.set(seq, { item, sinceMs: nowMs });
      const steps: Step<T>[] = [];
      release(name, topic, steps);
      while (topic.held.size > maxHeld) giveUp(name, topic, steps);
      return steps;
    },
    tick(nowMs) {
      requireTime(nowMs);
      const steps: Step<T>[] = [];
      for (const [name, topic] of topics) {
        while (topic.held.size > 0 && nowMs - earliest(topic) >= maxWaitMs) giveUp(name, topic, steps);
      }
      return steps;
    },
    dueMs() {
      const waiting = [...topics.values()].filter(({ held }) => held.size > 0).map(earliest);
      return waiting.length === 0 ? undefined : Math.min(...waiting) + maxWaitMs;
    },
    held: () => [...topics.values()].reduce((sum, { held }) => sum + held.size, 0),
  };
}

function requireSeq(name: string, value: unknown): void {
  requireNumber(name, value, { least: 0, most: Number.MAX_SAFE_INTEGER, whole: true });
}

/** A wait from or to a time that is none would never end. */
function requireTime(nowMs: unknown): void {
  requireNumber('nowMs', nowMs, { least: -Number.MAX_VALUE, most: Number.MAX_VALUE });
}

function earliest<T>({ held }: Topic<T>): number {
  return Math.min(...Array.from(held.values(), ({ sinceMs }) => sinceMs));
}
