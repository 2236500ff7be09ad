// Every policy of retries as the server keeps to it, on a clock of the test's: when each attempt is due, at
// the middle and at both ends of the jitter. What the services document is written out here once more.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { retryPolicyNames, type RetryPolicyName } from '../../../core/policy/webhook/retry-policy.ts';
import { receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { serveOn } from './client.ts';

/**
 * Waits in seconds, and how far each may differ: by a share to both sides, or by up to so many seconds more.
 */
const documented: Record<RetryPolicyName, { waitsS: number[]; share?: number; moreS?: number }> = {
  none: { waitsS: [] },
  'article-short': { waitsS: [60, 300, 1800], share: 0.1 },
  'article-long': { waitsS: [60, 300, 1800, 7200, 86_400], share: 0.1 },
  'standard-webhooks': { waitsS: [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400], share: 0.1 },
  svix: { waitsS: [5, 300, 1800, 7200, 18_000, 36_000, 36_000], share: 0.2 },
  convoy: { waitsS: [10, 30, 60, 180, 300, 600, 900], moreS: 5 },
  outpost: { waitsS: [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360] },
  slack: { waitsS: [0, 60, 300] },
  github: { waitsS: [] },
  'stripe-like': {
    waitsS: [
      60, 300, 900, 2700, 3600, 7200, 14_400, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800, 25_200,
    ],
    share: 0.1,
  },
};

/** The ends of what the seed's numbers may be, and their middle. */
const draws = [0, 0.5, 1 - 2 ** -32];

for (const name of retryPolicyNames) {
  describe(name, () => {
    const { waitsS, share = 0, moreS = 0 } = documented[name];
    for (const draw of draws) {
      test(`every attempt is due when the policy says, at ${draw.toFixed(1)} of its jitter`, async (t) => {
        const at = await receiver(t, () => 500);
        const timers = virtualTimers();
        const server = await serveOn(t, timers, { retries: name }, {}, () => draw);
        await server.register(at.url);
        await server.publish('news');
        const dueMs: number[] = [];
        for (;;) {
          await until(
            'it is waiting or given up',
            () =>
              server.counters.errors === dueMs.length + 1 &&
              (timers.waiting() > 0 || dueMs.length === waitsS.length),
          );
          if (timers.waiting() === 0) break;
          dueMs.push(timers.next());
        }
        assert.deepEqual(
          dueMs,
          waitsS.map((wait) => Math.ceil(wait * 1000 * (1 + share * (2 * draw - 1)) + moreS * 1000 * draw)),
        );
        assert.equal((await server.stats()).exhausted, 1);
        const { attemptLog } = await server.delivery('1');
        const madeMs = attemptLog.map((one) => Date.parse(one.at));
        assert.deepEqual(
          madeMs.slice(1).map((ms, i) => ms - madeMs[i]!),
          dueMs,
        );
      });
    }
  });
}
