// Progressions against their values written out: counts, sums, parts, and every bin of a histogram.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import {
  maxSimulatedUs,
  maxValueUs,
  newHistogram,
  newSimulatedHistogram,
  recordMany,
  type Histogram,
} from '../../../core/result/histogram.ts';
import {
  between,
  countBelow,
  lastUs,
  mostInGroup,
  same,
  shifted,
  spaced,
  split,
  splitAt,
  steps,
  sumUs,
  valueAt,
  type Progression,
} from '../../../simulation/groups/progression.ts';
import { newTally } from '../../../simulation/groups/tally.ts';

/** Numbers of every magnitude alike. */
const upTo = (power: number) =>
  fc
    .tuple(fc.integer({ min: 0, max: power }), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }))
    .map(([bits, part]) => Math.floor(2 ** bits * part));
const count = fc.integer({ min: 1, max: 3000 });
const progression: fc.Arbitrary<Progression> = fc.oneof(
  fc.tuple(count, upTo(36), upTo(24)).map(([n, first, step]) => steps(n, first, step)),
  fc.tuple(count, upTo(36), upTo(36)).map(([n, first, span]) => between(n, first, first + span)),
  fc
    .tuple(count, upTo(30), upTo(30), count, count)
    .map(([n, first, span, per, from]) => spaced(n, first, span, per, from)),
  // Few different ones, which come again.
  fc.tuple(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 0, max: 3 })).map(([n, i]) => steps(n, i, 7)),
);
const valuesOf = (one: Progression) => Array.from({ length: one.n }, (_, k) => valueAt(one, k));

describe('a progression', () => {
  test('has the values that were asked for', () => {
    assert.deepEqual(valuesOf(steps(4, 10, 3)), [10, 13, 16, 19]);
    assert.deepEqual(valuesOf(same(2, 7)), [7, 7]);
    assert.deepEqual(valuesOf(between(4, 10, 20)), [10, 13, 16, 20]);
    assert.deepEqual(valuesOf(between(1, 10, 20)), [10]);
    assert.deepEqual(valuesOf(spaced(3, 0, 10, 4)), [0, 2, 5]);
    assert.deepEqual(valuesOf(spaced(4, 100, 10, 4, 3)), [107, 110, 112, 115]);
  });

  test('rises, and its counts and its sum are those of its values', () => {
    fc.assert(
      fc.property(progression, fc.nat(), fc.integer({ min: -1, max: 2 }), (one, at, off) => {
        const values = valuesOf(one);
        assert.deepEqual(
          values.toSorted((a, b) => a - b),
          values,
        );
        assert.equal(lastUs(one), values.at(-1));
        assert.equal(
          sumUs(one),
          values.reduce((a, b) => a + b, 0),
        );
        const us = values[at % one.n]! + off;
        assert.equal(countBelow(one, us), values.filter((value) => value < us).length);
      }),
    );
  });

  test('can be split anywhere and moved', () => {
    fc.assert(
      fc.property(progression, fc.nat({ max: 3001 }), fc.integer({ min: -5, max: 5 }), (one, k, us) => {
        const values = valuesOf(one);
        const parts = split(one, k).map((part) => (part ? valuesOf(part) : []));
        assert.deepEqual(parts, [values.slice(0, k), values.slice(k)]);
        const at = values[k % one.n]! + 1;
        const [soon, late] = splitAt(one, at);
        assert.deepEqual(
          soon ? valuesOf(soon) : [],
          values.filter((value) => value < at),
        );
        assert.deepEqual(
          late ? valuesOf(late) : [],
          values.filter((value) => value >= at),
        );
        assert.deepEqual(
          valuesOf(shifted(one, us)),
          values.map((value) => value + us),
        );
      }),
    );
  });

  test('of a million over an hour is as exact as a small one', () => {
    const one = between(1_000_000, 5, 3_600_000_005);
    assert.equal(lastUs(one), 3_600_000_005);
    // The values are symmetric, up to what is cut: i and n-1-i together make 3.6e9 + 10, less 1 where both
    // are.
    let sum = 0;
    for (let k = 0; k < one.n; k++) sum += valueAt(one, k);
    assert.equal(sumUs(one), sum);
    assert.equal(countBelow(one, 1_800_000_005), 500_000);
  });

  test('that does not rise, or is not of whole numbers, is refused', () => {
    for (const wrong of [
      () => steps(0, 1, 1),
      () => steps(2.5, 1, 1),
      () => steps(2, 0.5, 1),
      () => steps(2, 1, -1),
      () => between(5, 10, 3),
      () => steps(mostInGroup + 1, 0, 1),
      () => steps(2 ** 20, 0, 2 ** 40),
    ])
      assert.throws(wrong, /no progression of whole microseconds/);
  });
});

describe('in a histogram', () => {
  function assertSame(empty: () => Histogram, list: readonly (readonly [Progression, number])[]): void {
    const [tallied, brute] = [empty(), empty()];
    const tally = newTally(tallied);
    for (const [one, times] of list) {
      tally.add(one, times);
      for (const us of valuesOf(one)) recordMany(brute, us, times);
    }
    tally.close();
    // Sums are whole numbers below 2^53, and doubles above.
    assert.ok(
      brute.sumUs < 2 ** 53
        ? tallied.sumUs === brute.sumUs
        : Math.abs(tallied.sumUs / brute.sumUs - 1) < 1e-12,
    );
    assert.deepEqual({ ...tallied, sumUs: 0 }, { ...brute, sumUs: 0 });
    const { counts } = structuredClone(tallied);
    tally.close();
    assert.deepEqual(tallied.counts, counts, 'closing twice adds nothing');
  }

  test('every bin holds what recording each value would put there, below and above its range too', () => {
    const moved = fc
      .tuple(progression, fc.constantFrom(0, 0, 0, -2000, maxValueUs - 2000, maxSimulatedUs - 2000))
      .map(([one, us]) => shifted(one, us));
    const list = fc.array(fc.tuple(moved, fc.integer({ min: 1, max: 3 })), { maxLength: 20 });
    for (const empty of [newSimulatedHistogram, newHistogram])
      fc.assert(
        fc.property(list, (all) => assertSame(empty, all)),
        { numRuns: 60 },
      );
  });

  test('also where whole steps have been seen often enough for running sums', () => {
    const step = fc.integer({ min: 1, max: 12 });
    const one = fc.tuple(count, fc.nat({ max: 20_000 }), step).map(([n, first, by]) => steps(n, first, by));
    fc.assert(
      fc.property(fc.array(fc.tuple(one, fc.constant(1)), { minLength: 200, maxLength: 400 }), (all) =>
        assertSame(newSimulatedHistogram, all),
      ),
      { numRuns: 10 },
    );
  });

  test('a day of a million clients is counted without a value being visited', () => {
    const histogram = newSimulatedHistogram();
    const tally = newTally(histogram);
    for (let event = 0; event < 86_400; event++) tally.add(steps(1_000_000, event % 5, 5));
    tally.close();
    assert.equal(histogram.count, 86_400e6);
    assert.equal(histogram.counts[2000], 86_400 / 5);
    assert.equal(
      [...histogram.counts].reduce((a, b) => a + b),
      86_400e6,
    );
  });
});
