// Decides who sends which event of a plan: the publisher, or the subscribers themselves. The plan stays one;
// each process gets its share of it and reports on each event by its number in the whole.

import type { PublishPlan } from '../../core/plan/publish-plan.ts';
import { random } from '../../core/base/random.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { followerOf, followersOf, type TopicGroupPlan } from '../../core/scenario/topics.ts';

/** A part of a plan. `index[i]` is the number that its event `i` has in the whole. */
export type PlanShare = { plan: PublishPlan; index: Uint32Array };
export type Senders = {
  publisher: PlanShare;
  /** For each load process; `sender[i]` is the subscriber that sends its event `i`. */
  loads: (PlanShare & { sender: Int32Array })[];
};

/**
 * Deals the events of topics that subscribers publish to among the followers of each topic,
 * at random from the seed.
 * @param loads subscribers `first` up to, not including, `first + count`, for each load process
 * @returns undefined when the publisher sends everything
 */
export function planSenders(
  plan: PublishPlan,
  groups: readonly TopicGroupPlan[],
  scenario: Pick<Scenario, 'seed' | 'subscribers' | 'topics'>,
  loads: readonly { first: number; count: number }[],
): Senders | undefined {
  const theirs = groups.filter(({ name }) => scenario.topics[name]!.by === 'subscribers');
  if (theirs.length === 0) return undefined;
  const next = random(scenario.seed, 'senders');
  const byPublisher: number[] = [];
  const byLoad: number[][] = loads.map(() => []);
  const sender = new Int32Array(plan.topic.length);
  for (const [i, topic] of plan.topic.entries()) {
    const followers = theirs.some(({ first, count }) => topic >= first && topic < first + count)
      ? followersOf(groups, topic, scenario.subscribers)
      : 0;
    if (followers === 0) {
      byPublisher.push(i);
      continue;
    }
    const subscriber = followerOf(groups, topic, Math.floor(next() * followers));
    sender[i] = subscriber;
    byLoad[loads.findIndex(({ first, count }) => subscriber >= first && subscriber < first + count)]!.push(i);
  }
  return {
    publisher: shareOf(plan, byPublisher),
    loads: byLoad.map((events) => ({
      ...shareOf(plan, events),
      sender: Int32Array.from(events, (i) => sender[i]!),
    })),
  };
}

function shareOf({ offsetUs, topic, body, corpus, seq }: PublishPlan, events: readonly number[]): PlanShare {
  return {
    plan: {
      offsetUs: Float64Array.from(events, (i) => offsetUs[i]!),
      topic: Uint32Array.from(events, (i) => topic[i]!),
      body: Int32Array.from(events, (i) => body[i]!),
      corpus,
      ...(seq && { seq: Int32Array.from(events, (i) => seq[i]!) }),
    },
    index: Uint32Array.from(events),
  };
}

/**
 * Puts the sequence numbers that the shares' events got where they stand in the whole.
 * @param events of the whole plan
 */
export function joinSeqs(
  events: number,
  parts: readonly { index: Uint32Array; seq: Int32Array }[],
): Int32Array {
  const whole = new Int32Array(events);
  for (const { index, seq } of parts) index.forEach((at, i) => (whole[at] = seq[i]!));
  return whole;
}
