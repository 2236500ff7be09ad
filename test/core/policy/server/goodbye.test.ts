// Holds goodbyes to their order and their time, and each part of closing to the whole that it is a part of.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  goodbyeAtMs,
  goodbyeLimits,
  goodbyeSpreadMs,
  returnMs,
} from '../../../../core/policy/server/goodbye.ts';

test('goodbyes are in order, begin at once, keep within the spread and are even', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.nat(10_000), (count, spreadMs) => {
      const times = Array.from({ length: count }, (_, i) => goodbyeAtMs(i, count, spreadMs));
      assert.equal(times[0], 0);
      for (const [i, atMs] of times.entries()) {
        assert.ok(atMs <= spreadMs);
        if (i > 0) assert.ok(Math.abs(atMs - times[i - 1]! - spreadMs / count) < 1e-6);
      }
    }),
  );
});

test('today all are told at once', () => {
  assert.deepEqual(
    Array.from({ length: 5 }, (_, i) => goodbyeAtMs(i, 5)),
    [0, 0, 0, 0, 0],
  );
});

test('what a pattern may wait for ends before its time is over, and the process outlasts both', () => {
  const { streamsMs, patternMs, connectionsMs, processMs } = goodbyeLimits;
  fc.assert(
    fc.property(fc.nat(1e9), (retryMs) => {
      assert.ok(returnMs(retryMs) > Math.min(retryMs, 1000), 'a client that comes back as told finds us');
      assert.ok(goodbyeSpreadMs + streamsMs + returnMs(retryMs) < patternMs);
    }),
  );
  assert.ok(patternMs + connectionsMs < processMs);
});
