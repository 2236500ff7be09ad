// Histograms of simulations: 30 days, and counts that no 32 bits hold; and what is said of values above the
// range of either kind.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { describe, test } from 'vitest';
import { figureOf } from '../../../core/metrics/registry.ts';
import {
  binOf,
  bottomOf,
  countAbove,
  filledBins,
  fromSparse,
  maxSimulatedUs,
  maxValueUs,
  meanUs,
  merge,
  newHistogram,
  newSimulatedHistogram,
  quantileUs,
  rangeUs,
  record,
  recordMany,
  samplesOf,
  storeHistogram,
  toSparse,
  type Histogram,
} from '../../../core/result/histogram.ts';
import { loadHistogram } from '../../../core/result/load-histogram.ts';
import { intervalOf } from '../../../core/result/precision.ts';
import { completed } from './trial.ts';

const value = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 40 }), fc.double({ min: 1, max: 2, noNaN: true, maxExcluded: true }))
    .map(([power, part]) => Math.floor(2 ** power * part)),
  fc
    .tuple(fc.integer({ min: 0, max: 41 }), fc.integer({ min: -1, max: 1 }))
    .map(([power, off]) => 2 ** power + off),
  fc.constantFrom(maxValueUs, maxValueUs + 1, maxSimulatedUs),
);
/** Up to 2^47, so that fifty of them are still whole numbers together. */
const times = fc.oneof(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 2 ** 47 - 1 }),
  fc.constant(2 ** 32),
);
const many = fc.array(fc.tuple(value, times), { minLength: 1, maxLength: 50 });

function histogramOf(recorded: readonly (readonly [number, number])[]): Histogram {
  const histogram = newSimulatedHistogram();
  for (const [us, n] of recorded) recordMany(histogram, us, n);
  return histogram;
}

test('every value up to 30 days has a bin, of those of HdrHistogram', () => {
  const oracle = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: maxSimulatedUs,
    numberOfSignificantValueDigits: 3,
  });
  fc.assert(
    fc.property(value, (us) => {
      const bin = binOf(us);
      assert.ok(bottomOf(bin) <= us && us < bottomOf(bin + 1));
      if (us > 0) {
        oracle.reset();
        oracle.recordValue(us);
        assert.equal(oracle.minNonZeroValue, us);
        assert.equal(bottomOf(bin + 1) - 1, oracle.getValueAtPercentile(100));
      }
    }),
  );
});

test('counts beyond 2^32 are exact: in bins, merged, between processes and in a file', () => {
  fc.assert(
    fc.property(many, many, (a, b) => {
      const whole = histogramOf(a);
      const exact = new Map<number, number>();
      for (const [us, n] of a) exact.set(binOf(us), (exact.get(binOf(us)) ?? 0) + n);
      assert.deepEqual(
        [...filledBins(whole)].map(([, n]) => n),
        [...exact].toSorted(([x], [y]) => x - y).map(([, n]) => n),
      );
      assert.deepEqual(fromSparse(structuredClone(toSparse(whole))), whole);
      assert.deepEqual(loadHistogram(JSON.parse(JSON.stringify(storeHistogram(whole)))), whole);
      const decoded = decodeFromCompressedBase64(storeHistogram(whole).v2, 64);
      assert.equal(decoded.totalCount, whole.count);
      assert.equal(decoded.getValueAtPercentile(50), topOf(quantileUs(whole, 0.5)!));
      merge(whole, histogramOf(b));
      const { sumUs: _, ...rest } = whole;
      const { sumUs: __, ...both } = histogramOf([...a, ...b]);
      assert.deepEqual(rest, both);
    }),
    { numRuns: 50 },
  );
});

const topOf = (us: number) => bottomOf(binOf(us) + 1) - 1;

test('what is measured is stored as before, byte for byte, and takes simulated values when merged', () => {
  const measured = newHistogram();
  const oracle = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: maxValueUs,
    numberOfSignificantValueDigits: 3,
  });
  for (const us of [0, 1, 2047, 2048, 5_000_001, maxValueUs]) {
    record(measured, us);
    oracle.recordValueWithCount(bottomOf(binOf(us)), 1);
  }
  assert.equal(storeHistogram(measured).v2, encodeIntoCompressedBase64(oracle));
  assert.ok(loadHistogram(storeHistogram(measured)).counts instanceof Uint32Array);
  merge(measured, histogramOf([[maxSimulatedUs, 2 ** 33]]));
  assert.equal(rangeUs(measured), maxSimulatedUs);
  assert.equal(quantileUs(measured, 0.5), maxSimulatedUs);
  assert.equal(measured.counts[binOf(2047)], 1);
});

test('recording many is recording one as often', () => {
  for (const empty of [newHistogram, newSimulatedHistogram])
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.oneof(value, fc.constantFrom(-3, 2 ** 45)), fc.integer({ min: 1, max: 9 }))),
        (list) => {
          const [at, once] = [empty(), empty()];
          for (const [us, n] of list) {
            recordMany(at, us, n);
            for (let i = 0; i < n; i++) record(once, us);
          }
          assert.deepEqual(at, once);
        },
      ),
      { numRuns: 30 },
    );
});

describe('a quantile among values above the range', () => {
  const late = (share: number, empty = newHistogram) => {
    const histogram = empty();
    recordMany(histogram, 1000, (1 - share) * 1000);
    recordMany(histogram, rangeUs(histogram) + 1, share * 1000);
    return histogram;
  };

  test('says that it is above, as do the mean and the largest', () => {
    for (const empty of [newHistogram, newSimulatedHistogram]) {
      const histogram = late(0.1, empty);
      assert.equal(samplesOf(histogram), 1000);
      assert.equal(quantileUs(histogram, 0.9), 1000);
      assert.equal(quantileUs(histogram, 0.901), Infinity);
      assert.equal(quantileUs(histogram, 1), Infinity);
      assert.equal(meanUs(histogram), Infinity);
      assert.equal(countAbove(histogram, 1000), 100);
    }
    assert.equal(quantileUs(late(1), 0), Infinity);
  });

  test('has an interval that begins in the range where it can, and no end', () => {
    assert.deepEqual(intervalOf(late(0.1), 0.99, { kind: 'single' }), {
      lowUs: maxValueUs,
      highUs: null,
      beyond: 10,
    });
    assert.equal(intervalOf(late(0.1), 0.9, { kind: 'single' })!.highUs, null);
    assert.equal(intervalOf(late(0.1), 0.5, { kind: 'single' })!.highUs, 1000);
  });

  test('is no figure of a metric, which says how much it is at least', () => {
    const trial = completed();
    const endToEnd = storeHistogram(late(0.1, newSimulatedHistogram));
    const { precision: _, ...without } = trial;
    const with10 = { ...without, latency: { ...trial.latency, endToEnd } };
    for (const name of ['latency.p99', 'latency.max', 'latency.mean'])
      assert.deepEqual(
        figureOf(name, with10),
        { value: undefined, why: 'above 720 h, where its scale ends', atLeast: maxSimulatedUs },
        name,
      );
  });
});
