// Holds lines of values in a histogram against the same values recorded one by one.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { random } from '../../../core/base/random.ts';
import { maxSimulatedUs, newSimulatedHistogram, record } from '../../../core/result/histogram.ts';
import { createLines } from '../../../simulation/models/line.ts';

const line = fc.record({
  firstUs: fc.double({ min: 0, max: 1e7, noNaN: true }),
  stepUs: fc.double({ min: 0, max: 2000, noNaN: true }),
  count: fc.integer({ min: 1, max: 20_000 }),
});

/** The same recorded one by one, and as lines. */
function bothWays(lines: readonly { firstUs: number; stepUs: number; count: number }[]) {
  const [all, single] = [createLines(newSimulatedHistogram()), newSimulatedHistogram()];
  for (const { firstUs, stepUs, count } of lines) {
    all.add(firstUs, stepUs, count);
    for (let k = 0; k < count; k++) record(single, Math.round(firstUs + k * stepUs));
  }
  return { ours: all.finish(), single };
}

test('one line has in every bin what its values have', () => {
  fc.assert(
    fc.property(line, (one) => {
      const { ours, single } = bothWays([one]);
      assert.deepEqual(ours.counts, single.counts);
    }),
    { seed: 1, numRuns: 200 },
  );
});

test('below the end of any bin lines are off by half a value each at most', () => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 2, maxLength: 30 }), (lines) => {
      const { ours, single } = bothWays(lines);
      let below = 0;
      for (const [bin, count] of ours.counts.entries()) {
        below += count - single.counts[bin]!;
        assert.ok(Math.abs(below) <= (lines.length + 1) / 2, `bin ${bin} is off by ${below}`);
      }
      assert.equal(below, 0);
      const { count, minUs, maxUs, sumUs } = single;
      assert.deepEqual([ours.count, ours.minUs, ours.maxUs], [count, minUs, maxUs]);
      assert.ok(Math.abs(ours.sumUs - sumUs) <= count);
    }),
    { seed: 1, numRuns: 30 },
  );
});

test('errors of many lines cancel out', () => {
  const next = random(1, 'lines');
  const lines = Array.from({ length: 400 }, () => ({
    firstUs: next() * 1e5,
    stepUs: 50 + next() * 50,
    count: 500,
  }));
  const { ours, single } = bothWays(lines);
  let [below, most] = [0, 0];
  for (const [bin, count] of ours.counts.entries()) {
    below += count - single.counts[bin]!;
    most = Math.max(most, Math.abs(below));
  }
  // Half a value each would be 200; chance makes of 400 that are even between -1/2 and 1/2 mostly below 20.
  assert.ok(most < 40, `${most}`);
});

test('a day of a million clients is counted without a value being visited', () => {
  const lines = createLines(newSimulatedHistogram());
  for (let event = 0; event < 86_400; event++) lines.add(event % 5, 5, 1_000_000);
  const { count, counts } = lines.finish();
  assert.equal(count, 86_400e6);
  assert.equal(counts[2000], 86_400 / 5);
});

test('what a histogram cannot hold is over range, however much it is', () => {
  const lines = createLines(newSimulatedHistogram());
  lines.add(maxSimulatedUs - 1e6, 1000, 1_000_000_000);
  const { count, overRange } = lines.finish();
  assert.ok(count > 990 && count <= 1000, `${count}`);
  assert.equal(count + overRange, 1_000_000_000);
});
