// Parts subscribers into classes: those of a class follow the same topics, so nothing tells them apart but
// the phase of their clocks. Which topics one follows repeats from subscriber to subscriber (core/scenario/
// topics.ts deals them round), and with it the class.

import {
  planTopics,
  topicCount,
  topicsOf,
  visitTopics,
  type TopicGroupPlan,
} from '../../core/scenario/topics.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';

export type Followers = {
  groups: readonly TopicGroupPlan[];
  classes: number;
  /** Subscribers of a class. */
  size(ofClass: number): number;
  topicsOf(ofClass: number): number[];
  /** Classes that follow a topic, from `from[topic]` up to `from[topic + 1]` in `list`. */
  from: Uint32Array;
  list: Uint32Array;
};

/** @param servers that subscribers are dealt to in turn: those of a class are at one */
export function partFollowers(scenario: Pick<Scenario, 'subscribers' | 'topics'>, servers = 1): Followers {
  const { subscribers } = scenario;
  const groups = planTopics(scenario);
  const period = groups.reduce(
    (all, { count, follow }) =>
      Math.min(subscribers, leastCommonMultiple(all, count / divisor(count, follow))),
    Math.min(subscribers, servers),
  );
  const topics = topicCount(groups);
  const from = new Uint32Array(topics + 1);
  const count = (topic: number) => void from[topic + 1]!++;
  for (let i = 0; i < period; i++) visitTopics(groups, i, count);
  for (let i = 0; i < topics; i++) from[i + 1]! += from[i]!;
  const list = new Uint32Array(from[topics]!);
  const filled = from.slice();
  let i = 0;
  const note = (topic: number) => void (list[filled[topic]!++] = i);
  for (; i < period; i++) visitTopics(groups, i, note);
  return {
    groups,
    classes: period,
    size: (ofClass) => Math.floor(subscribers / period) + (ofClass < subscribers % period ? 1 : 0),
    topicsOf: (ofClass) => topicsOf(groups, ofClass),
    from,
    list,
  };
}

function divisor(a: number, b: number): number {
  return b === 0 ? a : divisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
  return (a / divisor(a, b)) * b;
}
