// Plans pairs by the number of tests: what can be shown with how many.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { defaultGates, type Gate } from '../../../core/comparison/gate.ts';
import { judge } from '../../../core/comparison/judge.ts';
import {
  enoughRuns,
  fewestPairs,
  leastPairs,
  mostDropped,
  planPairs,
} from '../../../core/comparison/pairs.ts';
import { about, p50, pairsOf } from './ratio-pairs.ts';
import { paired } from './readings.ts';

test('the fewest pairs grow with the number of tests: 2 / 2^n times their number is below the level', () => {
  // 2 / 64 = 0.031; 4 tests: 8 / 256 = 0.031; 24: 48 / 1024 = 0.047; 120: 240 / 8192 = 0.029.
  assert.deepEqual(
    [1, 2, 4, 8, 24, 120].map((tests) => fewestPairs({ tests, alpha: 0.05 })),
    [6, 7, 8, 9, 10, 13],
  );
  // To run: as many are left when a fifth is dropped, and never fewer than ten.
  assert.deepEqual(
    [1, 4, 8, 24, 120].map((tests) => leastPairs({ tests, alpha: 0.05 })),
    [10, 10, 11, 12, 16],
  );
  // Not in pairs: 5 and 5 runs have 252 orders; 4 tests: 8 / 252 = 0.032.
  assert.deepEqual(
    [enoughRuns(5, 5, { tests: 4, alpha: 0.05 }), enoughRuns(4, 4, { tests: 4, alpha: 0.05 })],
    [true, false],
  );
  assert.equal(enoughRuns(1, 1, { tests: 1, alpha: 0.05 }), false);
  // 3 and 4 have 35: 2 / 35 = 0.057. 3 and 3 have 20: 2 / 20 is the level of 0.1 and not below it.
  assert.equal(enoughRuns(3, 4, { tests: 1, alpha: 0.05 }), false);
  assert.equal(enoughRuns(3, 3, { tests: 1, alpha: 0.1 }), false);
});

test('with the planned pairs a tenfold change shows, whatever is dropped and whichever pair stalls', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(), (variants, which) => {
      const gates: Gate[] = ['latency.p50', 'latency.p90', 'latency.p99', 'server-cpu-per-delivery'].map(
        (metric) => ({ ...p50, metric }),
      );
      const { pairs, tests } = planPairs(gates, variants, 0.05);
      assert.equal(tests, 4 * variants);
      const dropped = Math.floor(mostDropped * pairs);
      const ratios = about(10, 1, pairs).map((ratio, i) => (i === dropped + (which % 8) ? 1e-3 : ratio));
      const subjects = Array.from({ length: variants }, (_, v) =>
        paired(
          pairsOf(ratios).map(({ baseline, candidate }, i) => {
            const all = (value: number) => Object.fromEntries(gates.map(({ metric }) => [metric, value]));
            const values = [baseline, candidate].map((run) => all(run.values['latency.p50']!));
            return {
              baseline: { ...baseline, values: values[0]! },
              candidate: { ...candidate, values: values[1]!, valid: i >= dropped },
            };
          }),
          `variant ${v}`,
        ),
      );
      const { variants: judged } = judge(subjects, gates);
      assert.ok(judged.every(({ metrics }) => metrics.every(({ verdict }) => verdict === 'slower')));
    }),
    { numRuns: 16 },
  );
});

test('six variants with one pair of ten dropped are not judged calm: too few pairs is no exit code 0', () => {
  const six = (ratio: number) =>
    judge(
      Array.from({ length: 6 }, (_, v) =>
        paired(
          pairsOf(about(ratio, 0.01 * ratio, 10)).map((pair, i) =>
            i === 0 ? { ...pair, candidate: { ...pair.candidate, valid: false } } : pair,
          ),
          `variant ${v}`,
        ),
      ),
      ['latency.p50', 'latency.p90', 'latency.p99', 'server-cpu-per-delivery'].map((metric) => ({
        ...p50,
        metric: metric === 'latency.p50' ? metric : 'latency.p50',
      })),
    );
  // 24 tests of 9 pairs: 24 / 512 = 0.047 is still significant; that nothing changed cannot be said.
  assert.equal(six(10).verdict, 'slower');
  const same = six(1);
  assert.equal(same.verdict, 'not-judged');
  assert.match(same.variants[0]!.why, /9 pairs, but 24 tests need at least 10/);
});

test('the plan says what its bound leaves out', () => {
  assert.deepEqual(planPairs(defaultGates, 6, 0.05), { pairs: 27, least: 12, tests: 24, unbounded: 27 });
  const fine = planPairs([{ ...p50, minimumEffect: 0.01 }], 1, 0.05);
  assert.equal(fine.pairs, 48);
  assert.ok(fine.unbounded > 200);
  // Counts alone take no test.
  assert.equal(planPairs([{ kind: 'loss', metric: 'missed' }], 3, 0.05).pairs, 12);
  // At a level at which ten would do, twelve are run.
  const { pairs, least } = planPairs([], 1, 0.1);
  assert.deepEqual([pairs, least], [12, 10]);
});
