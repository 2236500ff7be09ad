// Tests which load process sends which event where subscribers publish: each exactly once.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import { planTopics, topicsOf } from '../../../core/scenario/topics.ts';
import { joinSeqs, planSenders } from '../../../harness/plan/senders.ts';

const group = (by: 'publisher' | 'subscribers', count: number, follow: number) => ({
  publish: { kind: 'constant' as const, perS: 1 },
  by,
  count,
  follow,
});
const planOf = (topic: number[]): PublishPlan => ({
  offsetUs: Float64Array.from(topic, (_, i) => i * 10),
  topic: Uint32Array.from(topic),
  body: Int32Array.from(topic, (_, i) => -1 - i),
  corpus: [],
});

test('where the publisher sends everything there is nothing to deal', () => {
  const topics = { news: group('publisher', 1, 1) };
  assert.equal(
    planSenders(planOf([0, 0]), planTopics({ subscribers: 3, topics }), { seed: 1, subscribers: 3, topics }, [
      { first: 0, count: 3 },
    ]),
    undefined,
  );
});

test(
  'each event has one sender, who follows its topic and is of the process ' +
    'that sends it; the numbers find their way back',
  () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 30 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 4 }),
        fc.array(fc.nat(), { maxLength: 60 }),
        fc.integer({ min: 0, max: 30 }),
        (subscribers, count, follow, dealt, cut) => {
          const topics = { news: group('publisher', 1, 1), room: group('subscribers', count, follow) };
          const groups = planTopics({ subscribers, topics });
          const plan = planOf(dealt.map((n) => n % (1 + count)));
          const first = Math.min(cut, subscribers);
          const loads = [
            { first: 0, count: first },
            { first, count: subscribers - first },
          ];
          const senders = planSenders(plan, groups, { seed: 7, subscribers, topics }, loads)!;
          const parts = [senders.publisher, ...senders.loads];
          assert.deepEqual(
            parts.flatMap(({ index }) => [...index]).sort((a, b) => a - b),
            [...plan.topic.keys()],
          );
          for (const { plan: share, index } of parts)
            for (const [i, at] of index.entries())
              assert.deepEqual(
                [share.topic[i], share.body[i], share.offsetUs[i]],
                [plan.topic[at], plan.body[at], plan.offsetUs[at]],
              );
          for (const [p, { plan: share, sender }] of senders.loads.entries()) {
            for (const [i, subscriber] of sender.entries()) {
              assert.ok(topicsOf(groups, subscriber).includes(share.topic[i]!), 'it follows the topic');
              assert.ok(
                subscriber >= loads[p]!.first && subscriber < loads[p]!.first + loads[p]!.count,
                'it is of the process',
              );
            }
          }
          // A topic that nobody follows is the publisher's after all.
          const followed = new Set(Array.from({ length: subscribers }, (_, s) => topicsOf(groups, s)).flat());
          for (const topic of senders.publisher.plan.topic) assert.ok(topic === 0 || !followed.has(topic));
          const seqs = joinSeqs(
            plan.topic.length,
            parts.map(({ index }) => ({ index, seq: Int32Array.from(index, (at) => at + 1) })),
          );
          assert.deepEqual(
            [...seqs],
            [...plan.topic.keys()].map((at) => at + 1),
          );
        },
      ),
    );
  },
);
