// Puts the events of many topics in order, in memory: events that are held back are lost with the process.
// It waits for missing events up to a time and a number of held events; then it says what is missing and
// continues. The time is an argument, so that hours pass in a test at once.

import { requireNames, requireNumber } from '../core/base/checked-options.ts';
import {
  accept,
  giveUpOld,
  newTopic,
  requireBounds,
  requireSeq,
  requireTime,
  waitingSince,
  type Bounds,
  type Step,
  type Topic,
} from './topic.ts';

export type SequenceOptions = Bounds & {
  /**
   * The most topics. Beyond that the topic that was quiet the longest is forgotten, and starts again with its
   * next event.
   */
  maxTopics: number;
};

export type Sequencer<T> = {
  /**
   * @param seq a whole number, from 0
   * @returns the steps that are possible now, in order
   * @throws TypeError or RangeError for an invalid number; the event is not taken
   */
  accept(topic: string, seq: number, item: T, nowMs: number): Step<T>[];
  /** Gives up the gaps that have been waited for too long. */
  tick(nowMs: number): Step<T>[];
  /** When `tick` has something to do; undefined while nothing is held back. */
  dueMs(): number | undefined;
  held(): number;
};

/** @throws TypeError or RangeError for options that are invalid or limit nothing */
export function createSequencer<T>(options: SequenceOptions): Sequencer<T> {
  requireNames('a sequencer', options, ['maxHeld', 'maxWaitMs', 'maxTopics', 'first']);
  requireBounds(options);
  const { maxHeld, maxWaitMs, maxTopics, first } = options;
  requireNumber('maxTopics', maxTopics, { least: 1, most: 10_000_000, whole: true });
  const topics = new Map<string, { topic: Topic<T>; spokeMs: number }>();

  function topicOf(name: string, seq: number, nowMs: number): Topic<T> {
    let known = topics.get(name);
    if (!known) {
      if (topics.size >= maxTopics) forgetQuietest();
      known = { topic: newTopic(name, seq, first), spokeMs: nowMs };
      topics.set(name, known);
    }
    known.spokeMs = nowMs;
    return known.topic;
  }

  function forgetQuietest(): void {
    const quiet = [...topics].filter(([, { topic }]) => topic.held.size === 0);
    const [name] = (quiet.length > 0 ? quiet : [...topics]).reduce((a, b) =>
      b[1].spokeMs < a[1].spokeMs ? b : a,
    );
    topics.delete(name);
  }

  return {
    accept(name, seq, item, nowMs) {
      requireSeq('seq', seq);
      requireTime(nowMs);
      return accept(topicOf(name, seq, nowMs), seq, item, nowMs, maxHeld);
    },
    tick(nowMs) {
      requireTime(nowMs);
      return [...topics.values()].flatMap(({ topic }) => giveUpOld(topic, nowMs, maxWaitMs));
    },
    dueMs() {
      const waiting = [...topics.values()].flatMap(({ topic }) => waitingSince(topic) ?? []);
      return waiting.length === 0 ? undefined : Math.min(...waiting) + maxWaitMs;
    },
    held: () => [...topics.values()].reduce((sum, { topic }) => sum + topic.held.size, 0),
  };
}
