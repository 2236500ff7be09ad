// Tests what a histogram keeps of values below zero, which are in none of its figures.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  emptied,
  fromSparse,
  merge,
  newHistogram,
  record,
  storeHistogram,
  toSparse,
  type Histogram,
} from '../../../core/result/histogram.ts';
import { loadHistogram } from '../../../core/result/load-histogram.ts';

function histogramOf(values: readonly number[]): Histogram {
  const histogram = newHistogram();
  for (const value of values) record(histogram, value);
  return histogram;
}

test('the value furthest below zero outlives messages, merging and a file; without one it is absent', () => {
  const lowest = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(lowest, lowest, (some, others) => {
      const both = fromSparse(toSparse(histogramOf(some)));
      merge(both, histogramOf(others));
      const least = Math.min(...some, ...others);
      const expected = least < 0 ? least : undefined;
      assert.equal(both.lowestUs, expected);
      assert.equal('lowestUs' in both, least < 0);
      assert.equal(loadHistogram(storeHistogram(both)).lowestUs, expected);
    }),
  );
  assert.equal('lowestUs' in emptied(histogramOf([-7])), false);
});
