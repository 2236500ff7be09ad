// Computes which topics a scenario has and who follows which, from indices, so that a million private
// topics need no table anywhere.

import type { Scenario, TopicGroup } from './scenario.ts';

/** One group of topics, resolved. Topic `i` of the group is called by `topicName`. */
export type TopicGroupPlan = {
  name: string;
  count: number;
  /** How many topics of the group each subscriber follows. */
  follow: number;
  /** Index of the group's first topic among all topics of the scenario. */
  first: number;
};

/** @throws never; a group that follows more topics than it has follows all of them */
export function planTopics(
  scenario: Pick<Scenario, 'subscribers'> & { topics: Record<string, Omit<TopicGroup, 'by'>> },
): TopicGroupPlan[] {
  let first = 0;
  return Object.entries(scenario.topics).map(([name, group]) => {
    const count = group.count === 'per-subscriber' ? scenario.subscribers : group.count;
    const plan = { name, count, follow: Math.min(group.follow, count), first };
    first += count;
    return plan;
  });
}

/** How many topics all groups have. */
export function topicCount(groups: readonly TopicGroupPlan[]): number {
  return groups.reduce((sum, group) => sum + group.count, 0);
}

/**
 * The name of topic `index` (among all topics): the group's own name when it has one topic, else `name.i`.
 */
export function topicName(groups: readonly TopicGroupPlan[], index: number): string {
  const group = groupOf(groups, index);
  return group.count === 1 ? group.name : `${group.name}.${index - group.first}`;
}

/** The topics that a subscriber follows, as indices among all topics, groups in order. */
export function topicsOf(groups: readonly TopicGroupPlan[], subscriber: number): number[] {
  const topics: number[] = [];
  visitTopics(groups, subscriber, (topic) => void topics.push(topic));
  return topics;
}

/** The same, one by one and in the same order, for callers with a million subscribers. */
export function visitTopics(
  groups: readonly TopicGroupPlan[],
  subscriber: number,
  visit: (topic: number) => void,
): void {
  for (const { first, count, follow } of groups)
    for (let i = 0; i < follow; i++) visit(first + ((subscriber * follow + i) % count));
}

/**
 * How many of `subscribers` follow topic `index`.
 * Follower numbers are dealt round the group, so topics differ by one at most.
 */
export function followersOf(groups: readonly TopicGroupPlan[], index: number, subscribers: number): number {
  const group = groupOf(groups, index);
  const dealt = subscribers * group.follow;
  return Math.floor(dealt / group.count) + (index - group.first < dealt % group.count ? 1 : 0);
}

/** The `k`th of the `followersOf` topic `index`, in ascending order. */
export function followerOf(groups: readonly TopicGroupPlan[], index: number, k: number): number {
  const group = groupOf(groups, index);
  return Math.floor((index - group.first + k * group.count) / group.follow);
}

function groupOf(groups: readonly TopicGroupPlan[], index: number): TopicGroupPlan {
  const group = groups.find(({ first, count }) => index >= first && index < first + count);
  if (!group) throw new RangeError(`no topic has index ${index}`);
  return group;
}
