// Judges several variants, and looks more than once: when a question stays open, and how many pairs would
// answer it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { judge, mayExtend, ruleOf } from '../../../core/comparison/judge.ts';
import { about, p50, pairsOf, ratioOf } from './ratio-pairs.ts';
import { paired } from './readings.ts';

test("Holm's correction goes over the variants together", () => {
  const pairs = pairsOf(about(1.12, 0.03, 6)); // p = 0.03125 alone
  assert.equal(judge([paired(pairs)], [p50]).verdict, 'slower');
  const two = judge([paired(pairs, 'sse'), paired(pairsOf(about(1, 0.02, 6)), 'polling')], [p50]);
  assert.equal(two.verdict, 'inconclusive');
  assert.equal(ratioOf(two.variants[0]!.metrics[0]).pAdjusted, 2 * 0.03125);
});

test('an open question says about how many pairs would answer it', () => {
  const of = (ratios: number[]) => ratioOf(judge([paired(pairsOf(ratios))], [p50]).variants[0]!.metrics[0]);
  // The upper end lies 8 % above the estimate where 5 % are left: (8 / 5)^2 of 12.
  const noisy = of(about(1, 0.14));
  assert.equal(noisy.verdict, 'inconclusive');
  const expected =
    12 * ((Math.log(noisy.high!) - Math.log(noisy.ratio)) / (Math.log(1.05) - Math.log(noisy.ratio))) ** 2;
  assert.equal(noisy.runsNeeded, Math.ceil(expected));
  assert.equal(of(about(1.0499, 0.2)).runsNeeded, null, 'no reasonable number tells 4.99 % from 5 %');
  assert.equal(of([1, 1.02, 0.99]).runsNeeded, 10, 'three pairs have no interval');
  assert.equal(of(about(1.12, 0.03)).runsNeeded, null, 'decided');
});

test('and it counts what Holm and the strict rule ask for', () => {
  // Six pairs are 0.03125 at the least; among four tests it takes 2 / 2^n * 4 <= 0.05, which eight give.
  const four = judge(
    ['a', 'b', 'c', 'd'].map((label) => paired(pairsOf(about(label === 'a' ? 1.12 : 1, 0.02, 6)), label)),
    [p50],
  );
  assert.equal(ratioOf(four.variants[0]!.metrics[0]).runsNeeded, 8);
  // Clear of no change, but the lower end lies within the minimum effect.
  const strict = ratioOf(
    judge([paired(pairsOf(about(1.065, 0.06)))], [p50], ruleOf({ strict: true })).variants[0]!.metrics[0],
  );
  const [estimate, width] = [Math.log(strict.ratio), Math.log(strict.ratio) - Math.log(strict.low!)];
  assert.equal(strict.runsNeeded, Math.ceil(12 * (width / (estimate - Math.log(1.05))) ** 2));
  assert.ok(strict.runsNeeded > 13);
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
