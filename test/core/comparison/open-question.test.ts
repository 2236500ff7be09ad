// Judges several variants, and looks more than once: when a question stays open, and how many pairs would
// answer it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { judge, mayExtend, ruleOf } from '../../../core/comparison/judge.ts';
import { about, p50, pairsOf, ratioOf } from './ratio-pairs.ts';
import { paired } from './readings.ts';

test("Holm's correction goes over the variants together", () => {
  // One of eight is contrary and the smallest: p = 2 / 256 alone; among eight it is above 0.05.
  const pairs = pairsOf([0.999, ...about(1.12, 0.03, 7)]);
  assert.equal(judge([paired(pairs)], [p50]).verdict, 'slower');
  const others = ['a', 'b', 'c', 'd', 'e', 'f', 'g'].map((label) =>
    paired(pairsOf(about(1, 0.02, 9)), label),
  );
  const eight = judge([paired(pairs, 'sse'), ...others], [p50]);
  assert.equal(ratioOf(eight.variants[0]!.metrics[0]).pAdjusted, (8 * 2) / 256);
  assert.notEqual(eight.variants[0]!.verdict, 'slower');
});

test('an open question says about how many pairs would answer it, by ranks', () => {
  const of = (ratios: number[]) => ratioOf(judge([paired(pairsOf(ratios))], [p50]).variants[0]!.metrics[0]);
  const noisy = of(about(1, 0.14));
  assert.deepEqual([noisy.verdict, noisy.runsNeeded], ['inconclusive', 26]);
  assert.equal(of(about(1.0499, 0.2)).runsNeeded, null, 'no reasonable number tells 4.99 % from 5 %');
  assert.equal(of(about(1.12, 0.03)).runsNeeded, null, 'decided');
});

test('one run of twelve that stalled asks for about twice the pairs, however long it stalled', () => {
  // Of the 78 averages the 12 with the stalled pair say the opposite. Among 4 tests with 23 pairs: 2/13 and
  // one standard error are 63 of 276; (138 - 63.2 - 0.5) / sqrt(1081) = 2.26 deviations, p 0.0119, and 0.048
  // times 4.
  for (const stall of [0.5, 0.01, 1e-6]) {
    const stalled = pairsOf([...about(1.5, 0.03, 11), stall]);
    const others = ['b', 'c', 'd'].map((label) => paired(pairsOf(about(1, 0.02)), label));
    const [first] = judge([paired(stalled, 'a'), ...others], [p50]).variants;
    const metric = ratioOf(first!.metrics[0]);
    // 70 of the 4,096 signs have a negative sum of at most 12.
    assert.deepEqual([metric.verdict, metric.p, metric.runsNeeded], ['inconclusive', 70 / 4096, 23]);
  }
});

test('and it counts what the strict rule asks for', () => {
  const strict = ratioOf(
    judge([paired(pairsOf(about(1.065, 0.06)))], [p50], ruleOf({ strict: true })).variants[0]!.metrics[0],
  );
  assert.deepEqual([strict.verdict, strict.runsNeeded], ['inconclusive', 63]);
});

test(
  'the extension is due once, and only when nothing is decided; ' +
    'each declared look has its share of the level',
  () => {
    const [first, second] = [ruleOf({ look: 1, looks: 2 }), ruleOf({ look: 2, looks: 2 })];
    assert.deepEqual([first.alpha, second.alpha, ruleOf().alpha], [0.025, 0.025, 0.05]);
    assert.equal(mayExtend('inconclusive', first), true);
    assert.equal(mayExtend('slower', first), false);
    assert.equal(mayExtend('inconclusive', second), false);
    assert.equal(mayExtend('inconclusive', ruleOf()), false);
  },
);
