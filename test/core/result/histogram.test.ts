// The histogram that latencies are kept in: against exact values, merged, and stored in a result.

import assert from 'node:assert/strict';
import { deflateSync, inflateSync } from 'node:zlib';
import fc from 'fast-check';
import { build, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import { describe, test } from 'vitest';
import {
  filledBins,
  fromSparse,
  maxValueUs,
  meanUs,
  merge,
  newHistogram,
  quantileUs,
  record,
  storeHistogram,
  toSparse,
  type Histogram,
} from '../../../core/result/histogram.ts';
import { loadHistogram } from '../../../core/result/load-histogram.ts';

/** Latencies of every magnitude alike, with the edges of bins among them. */
const latency = fc.oneof(
  fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.double({ min: 1, max: 2, noNaN: true, maxExcluded: true }))
    .map(([power, part]) => Math.floor(2 ** power * part)),
  fc
    .tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: -1, max: 1 }))
    .map(([power, off]) => 2 ** power + off),
  fc.constantFrom(0, 1, 2047, 2048, 2049, maxValueUs - 1, maxValueUs),
);
const latencies = fc.array(latency, { minLength: 1, maxLength: 300 });
const quantile = fc.oneof(
  fc.constantFrom(0, 0.5, 0.9, 0.99, 0.999, 1),
  fc.double({ min: 0, max: 1, noNaN: true }),
);

function histogramOf(values: readonly number[]): Histogram {
  const histogram = newHistogram();
  for (const value of values) record(histogram, value);
  return histogram;
}

function oracleOf(values: readonly number[]) {
  const oracle = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: maxValueUs,
    numberOfSignificantValueDigits: 3,
  });
  for (const value of values) oracle.recordValue(value);
  return oracle;
}

describe('quantiles', () => {
  test('are the nearest rank of the sorted values, at most a thousandth above', () => {
    fc.assert(
      fc.property(latencies, quantile, (values, q) => {
        const sorted = values.toSorted((a, b) => a - b);
        const rank = Math.max(1, Math.ceil(q * values.length * (1 - 1e-12)));
        const exact = sorted[rank - 1]!;
        const reported = quantileUs(histogramOf(values), q)!;
        assert.ok(
          reported >= exact && reported <= exact + Math.floor(exact / 1024),
          `${reported} where ${exact} is exact`,
        );
        assert.ok(reported <= sorted.at(-1)!);
      }),
    );
  });

  test('are exact below 2048 us', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2047 }), { minLength: 1 }), quantile, (values, q) => {
        const rank = Math.max(1, Math.ceil(q * values.length * (1 - 1e-12)));
        assert.equal(quantileUs(histogramOf(values), q), values.toSorted((a, b) => a - b)[rank - 1]);
      }),
    );
  });

  test('are those of HdrHistogram, but never above the largest value', () => {
    fc.assert(
      fc.property(latencies, fc.double({ min: 0.0001, max: 1, noNaN: true }), (values, q) => {
        const expected = Math.min(oracleOf(values).getValueAtPercentile(q * 100), Math.max(...values));
        assert.equal(quantileUs(histogramOf(values), q), expected);
      }),
    );
  });

  test('a whole rank is that rank, however many values there are', () => {
    // q * count is a whole number in decimals, but not in binary: 0.07 * 100 is 7.000000000000001.
    for (const thousandths of [1, 7, 70, 290, 570, 580, 900, 990, 999]) {
      for (const count of [1000, 100_000, 5_000_000, 2_000_000_000]) {
        const rank = (thousandths * count) / 1000;
        const histogram = newHistogram();
        merge(histogram, {
          bins: Uint32Array.of(1, 2),
          values: Uint32Array.of(rank, count - rank),
          count,
          sumUs: 0,
          minUs: 1,
          maxUs: 2,
          overRange: 0,
          negative: 0,
        });
        assert.equal(quantileUs(histogram, thousandths / 1000), 1, `${thousandths / 1000} of ${count}`);
      }
    }
  });

  test('of nothing are undefined, as is the mean', () => {
    assert.equal(quantileUs(newHistogram(), 0.5), undefined);
    assert.equal(meanUs(newHistogram()), undefined);
  });
});

test('mean, count, least and largest are exact', () => {
  fc.assert(
    fc.property(latencies, (values) => {
      const histogram = histogramOf(values);
      assert.equal(histogram.count, values.length);
      assert.equal(histogram.minUs, Math.min(...values));
      assert.equal(histogram.maxUs, Math.max(...values));
      assert.equal(meanUs(histogram), values.reduce((a, b) => a + b, 0) / values.length);
    }),
  );
});

test('what is out of range is counted apart and changes no figure', () => {
  const histogram = histogramOf([-1, 5, maxValueUs + 1, 2 ** 40, -7, maxValueUs]);
  const { counts: _, ...figures } = histogram;
  assert.deepEqual(figures, {
    count: 2,
    sumUs: 5 + maxValueUs,
    minUs: 5,
    maxUs: maxValueUs,
    overRange: 2,
    negative: 2,
    lowestUs: -7,
  });
});

test('bins hold every value once, in order, each within a thousandth', () => {
  fc.assert(
    fc.property(latencies, (values) => {
      const bins = [...filledBins(histogramOf(values))];
      assert.equal(
        bins.reduce((sum, [, count]) => sum + count, 0),
        values.length,
      );
      assert.deepEqual(
        bins.map(([top]) => top),
        bins.map(([top]) => top).toSorted((a, b) => a - b),
      );
      const left = values.toSorted((a, b) => a - b);
      for (const [top, count] of bins)
        for (const value of left.splice(0, count))
          assert.ok(value <= top && top <= value + Math.floor(value / 1024));
    }),
  );
});

describe('merging', () => {
  test('is the same as recording everything in one, dense or sparse', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(latency, fc.constantFrom(-1, 2 ** 31)), { maxLength: 100 }),
        fc.array(latency, { maxLength: 100 }),
        (a, b) => {
          const dense = histogramOf(a);
          merge(dense, histogramOf(b));
          const sparse = histogramOf(a);
          merge(sparse, toSparse(histogramOf(b)));
          assert.deepEqual(dense, histogramOf([...a, ...b]));
          assert.deepEqual(sparse, dense);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('a sparse histogram survives the message between processes', () => {
    for (const values of [[], [1, 1, 5000], [maxValueUs]]) {
      const original = histogramOf(values);
      assert.deepEqual(fromSparse(structuredClone(toSparse(original))), original);
    }
  });
});

describe('in a result file', () => {
  test('a histogram comes back as it was', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(latency, fc.constantFrom(-1, 2 ** 31)), { maxLength: 200 }), (values) => {
        const histogram = histogramOf(values);
        assert.deepEqual(loadHistogram(JSON.parse(JSON.stringify(storeHistogram(histogram)))), histogram);
      }),
      { numRuns: 50 },
    );
  });

  test('other readers of the V2 encoding see the same values', () => {
    fc.assert(
      fc.property(latencies, (values) => {
        const decoded = decodeFromCompressedBase64(storeHistogram(histogramOf(values)).v2);
        const oracle = oracleOf(values);
        assert.equal(decoded.totalCount, values.length);
        for (const percentile of [0.1, 25, 50, 90, 99, 100])
          assert.equal(decoded.getValueAtPercentile(percentile), oracle.getValueAtPercentile(percentile));
      }),
      { numRuns: 50 },
    );
  });

  test('what other writers encoded is read', () => {
    const values = [3, 3, 700, 100_000, 2 ** 30];
    const ours = histogramOf(values);
    const encode = (highest: number) => {
      const other = build({
        lowestDiscernibleValue: 1,
        highestTrackableValue: highest,
        numberOfSignificantValueDigits: 3,
      });
      for (const value of values) other.recordValue(value);
      return encodeIntoCompressedBase64(other);
    };
    for (const highest of [2 ** 30, 2 ** 31, 2 ** 40]) {
      assert.deepEqual(
        loadHistogram({ ...storeHistogram(ours), v2: encode(highest) }),
        ours,
        `up to ${highest}`,
      );
    }
  });

  test('one that is damaged is refused', () => {
    const stored = storeHistogram(histogramOf([1, 2, 3]));
    assert.throws(() => loadHistogram({ ...stored, v2: 'not base64 of anything' }));
    assert.throws(() => loadHistogram({ ...stored, count: 4 }), /holds 3 values where its record says 4/);
    const coarse = build({
      lowestDiscernibleValue: 1,
      highestTrackableValue: maxValueUs,
      numberOfSignificantValueDigits: 2,
    });
    for (const value of [1, 2, 3]) coarse.recordValue(value);
    assert.throws(
      () => loadHistogram({ ...stored, v2: encodeIntoCompressedBase64(coarse) }),
      /3 significant digits/,
    );
  });

  test('one that was made to take memory or time is refused at once', () => {
    const stored = storeHistogram(histogramOf([1, 2, 3]));
    const packed = (content: Buffer) => {
      const head = Buffer.from(stored.v2, 'base64').subarray(0, 8);
      return Buffer.concat([head, deflateSync(content)]).toString('base64');
    };
    const content = inflateSync(Buffer.from(stored.v2, 'base64').subarray(8));
    const withLength = (bytes: Buffer) => (bytes.writeInt32BE(bytes.length - 40, 4), bytes);
    const changed = (change: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(content);
      change(bytes);
      return packed(bytes);
    };
    assert.doesNotThrow(() => loadHistogram({ ...stored, v2: packed(content) }), 'as it was');
    const rows: [v2: string, why: RegExp][] = [
      [packed(Buffer.alloc(16 * 1024 ** 2)), /larger than/], // inflates a thousandfold
      ['A'.repeat(3 * 1024 ** 2), /larger than any of ours/],
      [changed((bytes) => bytes.writeInt32BE(2 ** 31 - 1, 4)), /not as long as it says/],
      [
        packed(withLength(Buffer.concat([content, Buffer.from('ffffffffffff7f', 'hex')]))),
        /more bins than any of ours/,
      ], // a run of 2^48 empty bins
      [
        packed(withLength(Buffer.concat([content, Buffer.from('ffffffffffffffffff', 'hex')]))),
        /more bins than any of ours/,
      ],
      [changed((bytes) => bytes.writeBigInt64BE(2n ** 62n, 24)), /reaches further/],
      [changed((bytes) => bytes.writeBigInt64BE(-1n, 24)), /reaches further/],
      ['', /cut off/],
    ];
    for (const [v2, why] of rows) assert.throws(() => loadHistogram({ ...stored, v2 }), why);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.throws(() =>
          loadHistogram({ ...stored, count: -1, v2: packed(withLength(Buffer.concat([content, bytes]))) }),
        );
      }),
    );
  });
});
