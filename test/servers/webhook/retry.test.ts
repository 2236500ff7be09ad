// The retry schedule: every due time, the bounds of the jitter, and what Retry-After may change.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { nextWaitMs, parseRetryAfterMs, realTimers } from '../../../servers/webhook/retry.ts';

const minute = 60_000;
const hour = 60 * minute;
/** The example schedule of Standard Webhooks 1.0.0, without the first attempt, which is at once. */
const standard = [5000, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour];
const middle = () => 0.5;

test('the waits are those of the schedule, and then there are no more', () => {
  const policy = { waitsMs: standard, jitter: 0 };
  const waits = standard.map((_, i) => nextWaitMs(policy, i + 1, middle));
  assert.deepEqual(waits, standard);
  assert.equal(waits.reduce<number>((sum, wait) => sum + (wait ?? 0), 0), ((75 * 60 + 35) * 60 + 5) * 1000);
  assert.equal(nextWaitMs(policy, standard.length + 1, middle), undefined);
  assert.equal(nextWaitMs({ waitsMs: [], jitter: 0.1 }, 1, middle), undefined);
});

test('jitter spreads each wait evenly to both sides, by its share', () => {
  const policy = { waitsMs: [1000], jitter: 0.1 };
  assert.equal(nextWaitMs(policy, 1, () => 0), 900);
  assert.equal(nextWaitMs(policy, 1, middle), 1000);
  fc.assert(fc.property(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (r) => {
    const wait = nextWaitMs(policy, 1, () => r)!;
    assert.ok(wait >= 900 && wait <= 1100);
  }));
});

describe('Retry-After', () => {
  const policy = { waitsMs: [1000, 5000, 30_000], jitter: 0.1 };
  const rows: [what: string, askedMs: number, attempt: number, waitMs: number][] = [
    ['a longer wait is kept to, and spread to the later side only', 10_000, 1, 10_500],
    ['a shorter one than the schedule has changes nothing', 2000, 2, 5000],
    ['none is longer than the longest of the schedule', 24 * hour, 1, 31_500],
  ];
  for (const [what, askedMs, attempt, waitMs] of rows) test(what, () => assert.equal(nextWaitMs(policy, attempt, middle, askedMs), waitMs));
  test('never comes before it was asked to', () => assert.equal(nextWaitMs(policy, 1, () => 0, 10_000), 10_000));
  test('brings no attempt beyond the last', () => assert.equal(nextWaitMs(policy, 4, middle, 10_000), undefined));

  const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  for (const [header, ms] of [
    ['120', 120_000],
    ['0', 0],
    ['Fri, 02 Jan 2026 03:05:05 GMT', 60_000],
    ['Fri, 02 Jan 2026 03:00:00 GMT', 0],
    ['', undefined],
    ['soon', undefined],
    ['-5', undefined],
    ['1.5', undefined],
    ['2026-01-02', undefined],
    ['Nonsense, 99 Foo GMT', undefined],
  ] as const) {
    test(`"${header}" is ${ms === undefined ? 'nothing to go by' : `${ms} ms`}`, () => assert.equal(parseRetryAfterMs(header, nowMs), ms));
  }
});

test('real timers go off once, can be taken back, and do not overflow at waits of months', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let calls = 0;
  realTimers.after(100, () => calls++);
  const takeBack = realTimers.after(100, () => calls++);
  takeBack();
  t.mock.timers.tick(100);
  assert.equal(calls, 1);
  const months = 90 * 24 * hour;
  realTimers.after(months, () => calls++);
  for (let passed = 0; passed + hour < months; passed += hour) t.mock.timers.tick(hour);
  assert.equal(calls, 1);
  t.mock.timers.tick(6 * hour); // the mock sets a timer's successor from the end of the step
  assert.equal(calls, 2);
});
