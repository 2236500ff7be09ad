// Tests which classes of subscribers follow which topics, against each subscriber by itself.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { topicsOf } from '../../../core/scenario/topics.ts';
import { partFollowers } from '../../../simulation/models/followers.ts';
import { scenarioOf } from '../fixture.ts';

const group = fc.oneof(
  fc.constant('count: per-subscriber'),
  fc
    .record({ count: fc.integer({ min: 1, max: 12 }), follow: fc.integer({ min: 1, max: 12 }) })
    .map(({ count, follow }) => `count: ${count}, follow: ${Math.min(count, follow)}`),
);

test('the classes that follow a topic are those of the subscribers that do, and as many', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60 }),
      fc.array(group, { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 4 }),
      (subscribers, groups, servers) => {
        const topics = groups.map((what, i) => `  t${i}: { publish: 1/s, ${what} }\n`).join('');
        const source = `question: Who?\nsubscribers: ${subscribers}\ntopics:\n${topics}variants: [sse]\n`;
        const followers = partFollowers(scenarioOf(source), servers);
        const { classes, from, list } = followers;
        const all = Array.from({ length: subscribers }, (_, i) => topicsOf(followers.groups, i));
        for (const [i, own] of all.entries()) assert.deepEqual(followers.topicsOf(i % classes), own);
        for (let topic = 0; topic < from.length - 1; topic++) {
          const those = [...list.subarray(from[topic]!, from[topic + 1]!)];
          const each = all.flatMap((own, i) => (own.includes(topic) ? [i] : []));
          assert.deepEqual(
            those,
            [...new Set(each.map((i) => i % classes))].toSorted((a, b) => a - b),
          );
          assert.equal(
            those.reduce((sum, one) => sum + followers.size(one), 0),
            each.length,
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});
