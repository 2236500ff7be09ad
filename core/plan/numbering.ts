// Numbers the events of a plan in their topics, for a trial with several servers: events of one topic go
// through all of them in turn, and no server by itself can count them.

import type { PublishPlan } from './publish-plan.ts';

/**
 * Gives each event its number in its topic, from 1, in the order of time. Those of the bursts come first, so
 * that no number stands for two events; where bursts end early, their last numbers are nobody's.
 * @param topics of the scenario
 */
export function numbered<W extends PublishPlan | undefined>(
  publish: PublishPlan,
  warmUp: W,
  topics: number,
): { publish: PublishPlan; warmUp: W } {
  const last = new Int32Array(topics);
  const withNumbers = (plan: PublishPlan) => ({
    ...plan,
    seq: Int32Array.from(plan.topic, (topic) => ++last[topic]!),
  });
  const first = warmUp && withNumbers(warmUp);
  return { publish: withNumbers(publish), warmUp: first as W };
}
