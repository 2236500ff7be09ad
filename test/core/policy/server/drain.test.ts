// Holds the times of a drain to its window and its limit, and what is advised to the window of the advice.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { random } from '../../../../core/base/random.ts';
import { drainTimesMs, drawAdviceMs } from '../../../../core/policy/server/drain.ts';

test('all are told within the window and before the limit, in order and evenly', () => {
  fc.assert(
    fc.property(fc.nat(300), fc.nat(60_000), fc.nat(60_000), (count, windowMs, limitMs) => {
      const times = drainTimesMs({ windowMs, limitMs }, count);
      const spreadMs = Math.min(windowMs, limitMs);
      assert.equal(times.length, count);
      for (const [i, atMs] of times.entries()) {
        assert.ok(atMs === 0 || atMs < spreadMs);
        if (i > 0) assert.ok(Math.abs(atMs - times[i - 1]! - spreadMs / count) < 1e-6);
      }
    }),
  );
});

test('each is advised a whole number of milliseconds below the window, or nothing', () => {
  const next = random(1, 'advice');
  const plan = { windowMs: 0, limitMs: 0 };
  const waits = Array.from({ length: 1000 }, () => drawAdviceMs({ ...plan, adviseMs: 100 }, next)!);
  for (const waitMs of waits) assert.ok(Number.isInteger(waitMs) && waitMs >= 0 && waitMs < 100);
  assert.equal(new Set(waits).size, 100, "of a thousand every wait is somebody's");
  assert.equal(drawAdviceMs(plan, next), undefined);
  assert.equal(drawAdviceMs({ ...plan, adviseMs: 0 }, next), undefined);
});
