// Which subscriber follows which topics, for each way in which a scenario can say so.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { followersOf, planTopics, topicCount, topicName, topicsOf } from '../../../core/scenario/topics.ts';
import type { TopicGroup } from '../../../core/scenario/scenario.ts';

const group = (count: TopicGroup['count'], follow = 1): TopicGroup => ({
  publish: { kind: 'constant', perS: 1 },
  by: 'publisher',
  count,
  follow,
});

// Indices: news 0, rooms 1..3, own 4..8.
const groups = planTopics({
  subscribers: 5,
  topics: { news: group(1), rooms: group(3, 2), own: group('per-subscriber') },
});

describe('topics', () => {
  test('groups lie one behind the other', () => {
    assert.deepEqual(groups, [
      { name: 'news', count: 1, follow: 1, first: 0 },
      { name: 'rooms', count: 3, follow: 2, first: 1 },
      { name: 'own', count: 5, follow: 1, first: 4 },
    ]);
    assert.equal(topicCount(groups), 9);
  });

  test('a group that follows more topics than it has follows all of them', () => {
    assert.equal(planTopics({ subscribers: 5, topics: { a: group(3, 8) } })[0]!.follow, 3);
  });

  test('are called by the group, and by a number where it has several', () => {
    assert.deepEqual(
      [0, 1, 3, 4, 8].map((index) => topicName(groups, index)),
      ['news', 'rooms.0', 'rooms.2', 'own.0', 'own.4'],
    );
  });

  test('an index that no group has is a mistake of the caller', () => {
    assert.throws(() => topicName(groups, 9), /no topic has index 9/);
  });

  const followed: [reads: string, subscriber: number, topics: number[]][] = [
    ['the first follows news, rooms 0 and 1, and its own', 0, [0, 1, 2, 4]],
    ['the second goes on round the rooms with 2 and 0', 1, [0, 3, 1, 5]],
    ['the last', 4, [0, 3, 1, 8]],
  ];
  for (const [reads, subscriber, topics] of followed)
    test(reads, () => assert.deepEqual(topicsOf(groups, subscriber), topics));

  test('followers, by hand: ten rooms dealt to five subscribers over three rooms', () => {
    assert.deepEqual(
      [0, 1, 2, 3, 4, 8].map((index) => followersOf(groups, index, 5)),
      [5, 4, 3, 3, 1, 1],
    );
  });

  test('followers are those who follow, in any plan', () => {
    const arbitrary = fc.array(
      fc.record({
        count: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant('per-subscriber' as const)),
        follow: fc.integer({ min: 1, max: 15 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 1, max: 30 }), (shapes, subscribers) => {
        const plan = planTopics({
          subscribers,
          topics: Object.fromEntries(shapes.map(({ count, follow }, i) => [`g${i}`, group(count, follow)])),
        });
        const counted = Array.from({ length: topicCount(plan) }, () => 0);
        for (let subscriber = 0; subscriber < subscribers; subscriber++) {
          const topics = topicsOf(plan, subscriber);
          assert.equal(new Set(topics).size, topics.length, 'no topic twice');
          for (const topic of topics) counted[topic]!++;
        }
        assert.deepEqual(
          counted.map((_, index) => followersOf(plan, index, subscribers)),
          counted,
        );
      }),
    );
  });
});
