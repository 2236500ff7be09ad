// Holds lines of values in a histogram against the same values recorded one by one.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { maxValueUs, newHistogram, quantileUs, record } from '../../../core/result/histogram.ts';
import { createLines } from '../../../simulation/models/line.ts';

const line = fc.record({
  firstUs: fc.double({ min: 0, max: 1e7, noNaN: true }),
  stepUs: fc.double({ min: 0, max: 2000, noNaN: true }),
  count: fc.integer({ min: 1, max: 20_000 }),
});

test('lines have the count, the sum and the ends of their values, and nearly their percentiles', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 5 }), (lines) => {
      const [all, single] = [createLines(newHistogram()), newHistogram()];
      for (const { firstUs, stepUs, count } of lines) {
        all.add(firstUs, stepUs, count);
        for (let k = 0; k < count; k++) record(single, Math.round(firstUs + k * stepUs));
      }
      const ours = all.finish();
      assert.equal(ours.count, single.count);
      assert.equal(
        [...ours.counts].reduce((sum, count) => sum + count, 0),
        single.count,
      );
      assert.equal(ours.minUs, single.minUs);
      assert.equal(ours.maxUs, single.maxUs);
      assert.ok(Math.abs(ours.sumUs - single.sumUs) <= single.count);
      const step = Math.max(...lines.map(({ stepUs }) => stepUs));
      for (const share of [0.1, 0.5, 0.9, 0.99]) {
        const [a, b] = [quantileUs(ours, share)!, quantileUs(single, share)!];
        assert.ok(Math.abs(a - b) <= 2 * step + b / 500 + 2, `${share}: ${a} for ${b}`);
      }
    }),
    { seed: 1, numRuns: 60 },
  );
});

test('what a histogram cannot hold is over range, however much it is', () => {
  const lines = createLines(newHistogram());
  lines.add(maxValueUs - 1e6, 1000, 1_000_000_000);
  const { count, overRange } = lines.finish();
  assert.ok(count > 990 && count <= 1000, `${count}`);
  assert.equal(count + overRange, 1_000_000_000);
});
