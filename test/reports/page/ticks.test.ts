// Ticks of axes: within the values, enough of them to read what lies between, and no wrong labels.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { logTicks } from '../../../reports/page/ticks.ts';

test('a logarithmic axis has powers of ten, more digits where it is short, then even steps', () => {
  assert.deepEqual(logTicks([0.5, 200]), [1, 10, 100]);
  assert.deepEqual(logTicks([2, 40]), [2, 5, 10, 20]);
  assert.deepEqual(logTicks([2.5, 7.5]), [3, 4, 5, 6, 7]);
  assert.deepEqual(logTicks([1.31, 1.35]), [1.31, 1.32, 1.33, 1.34, 1.35]);
  assert.deepEqual(logTicks([7, 7]), [7]);
});

test('whatever the values, there are at least two ticks, all within them, in order', () => {
  const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(positive, fc.double({ min: 1.001, max: 1e4, noNaN: true }), (least, times) => {
      const most = least * times;
      const ticks = logTicks([most, least]);
      assert.ok(ticks.length >= 2 && ticks.length <= 12, `${least} to ${most}: ${ticks.join(' ')}`);
      assert.ok(ticks.every((tick) => tick >= least * 0.999_99 && tick <= most * 1.000_01));
      assert.ok(ticks.every((tick, i) => i === 0 || tick > ticks[i - 1]!));
    }),
  );
});
