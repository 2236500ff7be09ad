// The retry schedule: every due time, the bounds of the jitter, and what Retry-After may change.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  nextWaitMs,
  retryPolicies,
  type RetryPolicyName,
} from '../../../../core/policy/webhook/retry-policy.ts';

const minute = 60_000;
const hour = 60 * minute;
/** The example schedule of Standard Webhooks 1.0.0, without the first attempt, which is at once. */
const standard = [
  5000,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];
const middle = () => 0.5;
const atMostLongest = { retryAfterMost: 'longest-wait' } as const;

test('the waits are those of the schedule, and then there are no more', () => {
  const policy = { ...atMostLongest, waitsMs: standard, jitter: 0 };
  const waits = standard.map((_, i) => nextWaitMs(policy, i + 1, middle));
  assert.deepEqual(waits, standard);
  assert.equal(
    waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0),
    ((75 * 60 + 35) * 60 + 5) * 1000,
  );
  assert.equal(nextWaitMs(policy, standard.length + 1, middle), undefined);
  assert.equal(nextWaitMs({ ...atMostLongest, waitsMs: [], jitter: 0.1 }, 1, middle), undefined);
});

test('jitter spreads each wait evenly to both sides, by its share', () => {
  const policy = { ...atMostLongest, waitsMs: [1000], jitter: 0.1 };
  assert.equal(
    nextWaitMs(policy, 1, () => 0),
    900,
  );
  assert.equal(nextWaitMs(policy, 1, middle), 1000);
  fc.assert(
    fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (r) => {
      const wait = nextWaitMs(policy, 1, () => r)!;
      assert.ok(wait >= 900 && wait <= 1100);
    }),
  );
});

describe('Retry-After', () => {
  const policy = { ...atMostLongest, waitsMs: [1000, 5000, 30_000], jitter: 0.1 };
  const rows: [what: string, askedMs: number, attempt: number, waitMs: number][] = [
    ['a longer wait is kept to, and spread to the later side only', 10_000, 1, 10_500],
    ['a shorter one than the schedule has changes nothing', 2000, 2, 5000],
    ['none is longer than the longest of the schedule', 24 * hour, 1, 31_500],
  ];
  for (const [what, askedMs, attempt, waitMs] of rows)
    test(what, () => assert.equal(nextWaitMs(policy, attempt, middle, { retryAfterMs: askedMs }), waitMs));
  test('never comes before it was asked to', () =>
    assert.equal(
      nextWaitMs(policy, 1, () => 0, { retryAfterMs: 10_000 }),
      10_000,
    ));
  test('brings no attempt beyond the last', () =>
    assert.equal(nextWaitMs(policy, 4, middle, { retryAfterMs: 10_000 }), undefined));
});

describe('a policy by name', () => {
  /** Waits before each retry, in seconds, as the services document them. */
  const documented: Record<RetryPolicyName, number[]> = {
    none: [],
    'article-short': [60, 300, 1800],
    'article-long': [60, 300, 1800, 7200, 86_400],
    'standard-webhooks': [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
    svix: [5, 300, 1800, 7200, 18_000, 36_000, 36_000],
    convoy: [10, 30, 60, 180, 300, 600, 900],
    outpost: [30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15_360],
    slack: [0, 60, 300],
    github: [],
    'stripe-like': [
      60, 300, 900, 2700, 3600, 7200, 14_400, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800, 28_800, 25_200,
    ],
  };
  for (const [name, waitsS] of Object.entries(documented)) {
    test(`${name} waits as documented`, () => {
      const policy = { ...retryPolicies[name as RetryPolicyName], jitterAddsMs: 0 }; // one of its own keys
      const waits = waitsS.map((_, i) => nextWaitMs(policy, i + 1, middle)! / 1000);
      assert.deepEqual(waits, waitsS);
      assert.equal(nextWaitMs(policy, waitsS.length + 1, middle), undefined);
    });
  }
  test('stripe-like ends within three days, whatever the jitter', () => {
    const { waitsMs, jitter } = retryPolicies['stripe-like'];
    const totalMs = waitsMs.reduce((sum, wait) => sum + wait, 0);
    assert.ok(totalMs > 70 * hour && totalMs <= 72 * hour && jitter <= 0.1);
  });
  test(
    'svix: jitter of a fifth, a minute at least after a timeout ' +
      'or 429, Retry-After up to twice the step',
    () => {
      const { svix } = retryPolicies;
      assert.equal(
        nextWaitMs(svix, 2, () => 0),
        240_000,
      );
      assert.equal(nextWaitMs(svix, 1, middle, { throttled: true }), 60_000);
      assert.equal(
        nextWaitMs(svix, 2, () => 0, { retryAfterMs: 500_000 }),
        500_000,
      );
      assert.equal(
        nextWaitMs(svix, 2, () => 0, { retryAfterMs: 900_000 }),
        600_000,
      );
    },
  );
  test('convoy adds up to five seconds', () => {
    assert.equal(
      nextWaitMs(retryPolicies.convoy, 1, () => 0),
      10_000,
    );
    assert.equal(
      nextWaitMs(retryPolicies.convoy, 1, () => 0.999),
      14_995,
    );
  });
});
