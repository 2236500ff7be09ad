// The signed-rank test, its estimate and its interval against published tables, and what must hold for any
// differences.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  criticalValue,
  hodgesLehmann,
  signedRankAbove,
  signedRankInterval,
  signedRankTest,
} from '../../../../core/comparison/statistics/signed-rank.ts';

/**
 * OEIS A226330, two-sided 5 %, n = 6 to 52; the same numbers as McCornack 1965 (JASA 60:
 * 864), whose tables are exact.
 */
const twoSided5 = [
  0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 29, 34, 40, 46, 52, 58, 65, 73, 81, 89, 98, 107, 116, 126, 137, 147, 159,
  170, 182, 195, 208, 221, 235, 249, 264, 279, 294, 310, 327, 343, 361, 378, 396, 415, 434, 453, 473,
];
/** Zar, Biostatistical Analysis, table B.12: two-sided 10 % from n = 5, and 1 % from n = 8, to n = 30. */
const twoSided10 = [
  0, 2, 3, 5, 8, 10, 13, 17, 21, 25, 30, 35, 41, 47, 53, 60, 67, 75, 83, 91, 100, 110, 119, 130, 140, 151,
];
const twoSided1 = [0, 1, 3, 5, 7, 9, 12, 15, 19, 23, 27, 32, 37, 42, 48, 54, 61, 68, 75, 83, 91, 100, 109];

test('critical values are those of the published tables', () => {
  assert.deepEqual(
    twoSided5.map((_, i) => criticalValue(i + 6, 0.05)),
    twoSided5,
  );
  assert.deepEqual(
    twoSided10.map((_, i) => criticalValue(i + 5, 0.1)),
    twoSided10,
  );
  assert.deepEqual(
    twoSided1.map((_, i) => criticalValue(i + 8, 0.01)),
    twoSided1,
  );
  assert.equal(criticalValue(5, 0.05), undefined, 'five differences reject nothing at 5 %');
  assert.equal(criticalValue(7, 0.01), undefined);
});

test(
  'the example of Hollander and Wolfe (section 3.1, depression scale factor): T+ 40, p 0.039, estimate ' +
    'and interval as R gives them',
  () => {
    const before = [1.83, 0.5, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.3];
    const after = [0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29];
    const differences = before.map((value, i) => value - after[i]!);
    const { n, zeros, positive, p } = signedRankTest(differences);
    assert.deepEqual({ n, zeros, positive, p }, { n: 9, zeros: 0, positive: 40, p: 0.0390625 });
    close(hodgesLehmann(differences), 0.46);
    const [low, high] = signedRankInterval(differences, 0.05)!;
    close(low, 0.01);
    close(high, 0.786);
  },
);

test('ties share their rank and all signs are counted; noughts are left out', () => {
  // |d| = 1 1 2: ranks 1.5 1.5 3; of the 8 signs, 2 give a sum as extreme as 6 and 0.
  const at = (values: number[]) => {
    const { n, zeros, positive, p, beyond } = signedRankTest(values);
    return { n, zeros, positive, p, beyond };
  };
  assert.deepEqual(at([1, 1, 2]), { n: 3, zeros: 0, positive: 6, p: 0.25, beyond: 0 });
  // Sums over 1.5 1.5 3: 0, 1.5 twice, 3 twice, 4.5 twice, 6. Of 4.5 and 1.5 as extreme: 6 of 8.
  assert.deepEqual(at([-1, 1, 2]), { n: 3, zeros: 0, positive: 4.5, p: 0.75, beyond: 0.25 });
  assert.deepEqual(at([0, 1, 0, 1, 2]), { n: 3, zeros: 2, positive: 6, p: 0.25, beyond: 0 });
  // To one side: of the 8 signs one gives 6, three give 4.5 or more.
  assert.deepEqual([signedRankTest([1, 1, 2]).pGreater, signedRankTest([-1, 1, 2]).pGreater], [1 / 8, 3 / 8]);
  assert.equal(signedRankTest([-1, -1]).pGreater, 1);
  assert.equal(signedRankTest([0, 0]).p, 1);
  assert.equal(signedRankTest([]).p, 1);
});

const differences = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 10 });

test('p is the share of all signs whose statistic is as extreme (by counting them)', () => {
  fc.assert(
    fc.property(differences, (values) => {
      const moved = values.filter((value) => value !== 0);
      const observed = signedRankTest(values);
      const centre = (moved.length * (moved.length + 1)) / 4;
      let [asExtreme, beyond] = [0, 0];
      for (let signs = 0; signs < 2 ** moved.length; signs++) {
        const other = signedRankTest(moved.map((value, i) => ((signs >> i) & 1 ? value : -value))).positive;
        if (Math.abs(other - centre) >= Math.abs(observed.positive - centre)) asExtreme++;
        if (Math.abs(other - centre) > Math.abs(observed.positive - centre)) beyond++;
      }
      close(observed.p, asExtreme / 2 ** moved.length);
      close(observed.beyond, beyond / 2 ** moved.length);
    }),
    { numRuns: 60 },
  );
});

test('swapping the arms turns the estimate and the interval round and leaves p', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: -3, max: 3, noNaN: true }), { minLength: 6, maxLength: 30 }),
      (values) => {
        const swapped = values.map((value) => -value);
        assert.equal(signedRankTest(swapped).p, signedRankTest(values).p);
        close(hodgesLehmann(swapped), -hodgesLehmann(values));
        const [low, high] = signedRankInterval(values, 0.05)!;
        const [otherLow, otherHigh] = signedRankInterval(swapped, 0.05)!;
        close(otherLow, -high);
        close(otherHigh, -low);
        assert.ok(low <= hodgesLehmann(values) && hodgesLehmann(values) <= high);
      },
    ),
  );
});

test('the interval fits the test: it leaves 0 out exactly when p is at most the level', () => {
  // Without ties among the Walsh averages, which continuous values do not have.
  const value = fc
    .double({ min: -1, max: 2, noNaN: true, noDefaultInfinity: true })
    .filter((x) => Math.abs(x) > 1e-6);
  fc.assert(
    fc.property(fc.uniqueArray(value, { minLength: 6, maxLength: 25, selector: Math.abs }), (values) => {
      const [low, high] = signedRankInterval(values, 0.05)!;
      const averages = new Set(values.flatMap((a, i) => values.slice(i).map((b) => (a + b) / 2)));
      fc.pre(averages.size === (values.length * (values.length + 1)) / 2 && !averages.has(0));
      assert.equal(low > 0 || high < 0, signedRankTest(values).p <= 0.05);
    }),
  );
});

test('counted by Walsh averages, test and interval always say the same, with ties and zeros too', () => {
  // 0, 1, 2: of the averages 0 0.5 1 1 1.5 2 one speaks against; 2 of 8 signs give a sum of at most 1.
  assert.deepEqual(signedRankAbove([0, 1, 2]), { contrary: 1, averages: 6, p: 2 / 8 });
  assert.deepEqual(signedRankAbove([1, 2, 3], 0.5), { contrary: 0, averages: 6, p: 1 / 8 });
  const coarse = fc.array(fc.integer({ min: -3, max: 6 }), { minLength: 5, maxLength: 20 });
  fc.assert(
    fc.property(coarse, (values) => {
      const [low] = signedRankInterval(values, 0.1)!;
      assert.equal(low > 0, signedRankAbove(values).p <= 0.05);
    }),
    { numRuns: 500 },
  );
  // Without ties and zeros it is the test of the tables.
  const untied = [0.3, -0.1, 0.7, 1.1, -0.2, 0.9];
  assert.equal(signedRankAbove(untied).p, signedRankTest(untied).pGreater);
});

test('hundreds of differences take no approximation', () => {
  const { p } = signedRankTest(Array.from({ length: 400 }, (_, i) => (i % 2 === 0 ? i + 1 : -i - 1)));
  assert.ok(p > 0.5 && p <= 1);
  assert.ok(signedRankTest(Array.from({ length: 400 }, (_, i) => i + 1)).p < 1e-100);
});

function close(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-9, `${actual} is not ${expected}`);
}
