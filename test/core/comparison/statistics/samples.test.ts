// Unpaired samples, counts and corrections against published examples.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { binomialAtMost, binomialInterval } from '../../../../core/comparison/statistics/binomial.ts';
import { holm } from '../../../../core/comparison/statistics/holm.ts';
import {
  mannWhitneyTest,
  shiftEstimate,
  shiftInterval,
} from '../../../../core/comparison/statistics/mann-whitney.ts';

test(
  'Mann-Whitney: the example of Hollander and Wolfe (section 4.1, ' +
    "membrane permeability), with R's estimate and interval",
  () => {
    const atTerm = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const earlier = [1.15, 0.88, 0.9, 0.74, 1.21];
    const { u, p, exact } = mannWhitneyTest(earlier, atTerm);
    assert.equal(u, 35);
    assert.equal(exact, true);
    close(p, 2 * 0.1272061272061272);
    close(shiftEstimate(earlier, atTerm), 0.305);
    const [low, high] = shiftInterval(earlier, atTerm, 0.05)!;
    close(low, -0.15);
    close(high, 0.76);
  },
);

test(
  'Mann-Whitney critical values: 5 % two-sided for sizes 5 and 5, ' +
    '8 and 8, 10 and 10 (tables of Mann and Whitney)',
  () => {
    // The interval starts at the (c + 1)-th smallest difference; among 0, 1, 2 ... that is c.
    for (const [m, n, critical] of [
      [5, 5, 2],
      [8, 8, 13],
      [10, 10, 23],
      [6, 10, 11],
    ] as const) {
      const x = Array.from({ length: m }, (_, i) => -i);
      const y = Array.from({ length: n }, (_, j) => j * m);
      assert.deepEqual(shiftInterval(x, y, 0.05), [critical, m * n - 1 - critical], `${m} and ${n}`);
    }
    assert.equal(shiftInterval([1, 2], [3, 4], 0.05), undefined, 'too few for a bound');
  },
);

test(
  'Mann-Whitney: two sides swapped give the same p, ties or ' + 'not; many values are near the exact ones',
  () => {
    const values = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 12 });
    fc.assert(fc.property(values, values, (x, y) => close(mannWhitneyTest(x, y).p, mannWhitneyTest(y, x).p)));
    const x = Array.from({ length: 31 }, (_, i) => (i * 37) % 101);
    const y = Array.from({ length: 29 }, (_, i) => ((i * 53) % 101) + 12);
    const { p, exact } = mannWhitneyTest(x, y);
    const many = mannWhitneyTest([...x, 50.5], y);
    assert.deepEqual([exact, many.exact], [true, false]);
    assert.ok(Math.abs(many.p - p) < 0.03, `${p} and ${many.p}`);
  },
);

test("Clopper-Pearson: R's binom.test(10, 100), and 0 of 100 shows a rate below 3.7 %", () => {
  const [low, high] = binomialInterval(10, 100);
  close(low, 0.0490046892215, 1e-9);
  close(high, 0.17622259774, 1e-9);
  assert.deepEqual(binomialInterval(0, 100)[0], 0);
  close(binomialInterval(0, 100)[1], 1 - 0.025 ** (1 / 100));
  assert.equal(binomialInterval(5, 5)[1], 1);
});

test('Clopper-Pearson covers: each share within the interval leaves both tails at least their part', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.double({ min: 0, max: 1, noNaN: true }), (n, part) => {
      const k = Math.round(part * n);
      const [low, high] = binomialInterval(k, n, 0.99);
      assert.ok(low <= k / n && k / n <= high);
      if (k > 0) close(1 - binomialAtMost(k - 1, n, low), 0.005, 1e-6);
      if (k < n) close(binomialAtMost(k, n, high), 0.005, 1e-6);
    }),
  );
});

test("Holm: R's p.adjust(c(0.01, 0.04, 0.03, 0.005), 'holm')", () => {
  assert.deepEqual(
    holm([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(10))),
    [0.03, 0.06, 0.06, 0.02],
  );
  assert.deepEqual(holm([]), []);
  assert.deepEqual(holm([0.9, 0.8]), [1, 1]);
});

function close(actual: number, expected: number, by = 1e-9): void {
  assert.ok(Math.abs(actual - expected) < by, `${actual} is not ${expected}`);
}
