// Runs the drain: waits until published events have arrived, subscribers that were cut off are back, and
// faults are over, or until the drain limit is reached. Only then does an event count as missed, or a
// subscriber as never back.

import type { EventNumber, Window } from '../../core/protocol/control.ts';
import { followersOf } from '../../core/scenario/topics.ts';
import type { TrialPlan } from '../plan/plan.ts';
import type { Measured } from './measure.ts';
import type { Sampling } from './sampling.ts';
import type { Stage } from './stage.ts';

/** Sequence numbers of a topic's measured events; none when first > last. */
export type Range = Readonly<{ first: number; last: number }>;
export type Drained = Readonly<{
  /** By topic. */
  ranges: readonly Range[];
  unconfirmed: readonly EventNumber[];
  /** Deliveries that the published events ask for, by the plan; the load processes count their own. */
  owed: number;
  drainUs: number;
}>;

const drainStepUs = 50_000;

/** Waits until the ledger is complete, everybody back and every fault done, or the drain limit is reached. */
export async function drain(
  stage: Stage,
  window: Window,
  { done, playing }: Pick<Measured, 'done' | 'playing'>,
  sampling: Sampling,
): Promise<Drained> {
  const {
    plan,
    fleet: { clock },
    peers: { loads },
  } = stage;
  const { drain: drainMs } = plan.scenario.phases;
  const ranges = measuredRanges(plan, done.seq);
  const { unconfirmed = [] } = done;
  const expected = expectedDeliveries(plan, ranges, unconfirmed);
  const limitUs = window.toUs + drainMs * 1000;
  let completeUs: number | undefined;
  for (;;) {
    for (const load of loads) load.send({ kind: 'sample' });
    await clock.until(clock.nowUs() + drainStepUs, stage.over);
    const tookUs = clock.nowUs() - window.toUs;
    const seen = { ...sampling.seen(), published: done.seq.length };
    stage.report({ phase: 'drain', share: Math.min(1, tookUs / (drainMs * 1000)), ...seen });
    if (seen.delivered >= expected) completeUs ??= tookUs;
    const isSettled = sampling.coming() === 0 && playing.soFar().every(({ unfinished }) => !unfinished);
    if ((completeUs !== undefined && isSettled) || clock.nowUs() >= limitUs)
      return { ranges, unconfirmed, owed: expected, drainUs: completeUs ?? tookUs };
  }
}

/** Deliveries that the published events ask for, less those of events that nobody confirmed. */
function expectedDeliveries(
  { topics, scenario: { subscribers } }: TrialPlan,
  ranges: readonly Range[],
  unconfirmed: readonly EventNumber[],
): number {
  const followers = (topic: number) => followersOf(topics, topic, subscribers);
  const inRange = unconfirmed.filter(
    ({ topic, seq }) => seq >= ranges[topic]!.first && seq <= ranges[topic]!.last,
  );
  return (
    ranges.reduce((sum, range, topic) => sum + lengthOf(range) * followers(topic), 0) -
    inRange.reduce((sum, { topic }) => sum + followers(topic), 0)
  );
}

/** The server numbers a topic's events as they come, so its measured ones are one range. */
function measuredRanges({ publish, topicTotal, scenario }: TrialPlan, seq: Int32Array): Range[] {
  const ranges = Array.from({ length: topicTotal }, () => ({ first: Infinity, last: 0 }));
  const warmupUs = scenario.phases.warmup * 1000;
  for (let i = 0; i < seq.length; i++) {
    if (seq[i] === 0 || publish.offsetUs[i]! < warmupUs) continue;
    const range = ranges[publish.topic[i]!]!;
    range.first = Math.min(range.first, seq[i]!);
    range.last = Math.max(range.last, seq[i]!);
  }
  return ranges.map((range) => (range.last === 0 ? { first: 1, last: 0 } : range));
}

function lengthOf({ first, last }: Range): number {
  return Math.max(0, last - first + 1);
}
