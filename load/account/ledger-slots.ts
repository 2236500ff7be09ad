// Finds the ledger slot that an arrival belongs to: one for each pair of a subscriber of this process and a
// topic that it follows. Topics are numbers among all topics of the scenario; subscribers count from 0 in
// this process.

import { followersOf, topicName, topicsOf, type TopicGroupPlan } from '../../core/scenario/topics.ts';

export type Slots = {
  readonly count: number;
  /** Slots of each subscriber; they lie beside one another. */
  readonly width: number;
  /** The slot of a subscriber and a topic's name, -1 when it does not follow it. */
  find(subscriber: number, topic: string): number;
  topicAt(slot: number): number;
  subscriberAt(slot: number): number;
  /**
   * How many subscribers of this process follow the topic in the slot, where several of the trial do; 0 where
   * one alone does.
   */
  sharersAt(slot: number): number;
};

/**
 * @param first the scenario's number of this process's subscriber 0
 * @param subscribers of this process
 * @param total of the whole trial
 */
export function createSlots(
  groups: readonly TopicGroupPlan[],
  first: number,
  subscribers: number,
  total: number,
): Slots {
  const width = groups.reduce((sum, group) => sum + group.follow, 0);
  const topics = new Int32Array(subscribers * width);
  for (let i = 0; i < subscribers; i++) topics.set(topicsOf(groups, first + i), i * width);
  const numbers = new Map<string, number>();
  const followers = new Map<number, number>();
  for (const topic of topics) {
    const known = followers.get(topic) ?? 0;
    followers.set(topic, known + 1);
    if (known === 0) numbers.set(topicName(groups, topic), topic);
  }
  // One follower is the rule for private topics, of which there may be as many as subscribers.
  for (const topic of followers.keys()) if (followersOf(groups, topic, total) === 1) followers.delete(topic);

  return {
    count: topics.length,
    width,
    find(subscriber, name) {
      const topic = numbers.get(name);
      if (topic === undefined) return -1;
      const from = subscriber * width;
      for (let slot = from; slot < from + width; slot++) if (topics[slot] === topic) return slot;
      return -1;
    },
    topicAt: (slot) => topics[slot]!,
    subscriberAt: (slot) => Math.floor(slot / width),
    sharersAt: (slot) => followers.get(topics[slot]!) ?? 0,
  };
}
