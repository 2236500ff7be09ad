// Holds the time left to numbers computed by hand.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { timeLeftMs, trialMs } from '../../../core/scenario/trial-time.ts';

test('a trial takes its phases, and 3.5 s around them', () => {
  assert.equal(trialMs({ connect: 1000, warmup: 500, measure: 10_000, drain: 5000 }), 15_000);
});

for (const [name, plannedMs, tookMs, leftMs] of [
  ['before the first trial: what is planned', [10, 10, 20], [], 40],
  ['a trial that took 3 more: each of the others does, too', [10, 10, 20], [13], 36],
  ['trials that took 3 more and 1 less: 1 more on average', [10, 10, 20], [13, 9], 21],
  ['after the last one', [10, 10], [9, 9], 0],
  ['never less than nothing', [100, 1], [10], 0],
  ['nothing planned', [], [], 0],
] as const)
  test(name, () => assert.equal(timeLeftMs(plannedMs, tookMs), leftMs));
