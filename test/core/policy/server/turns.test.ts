// Deals members over an interval: each has one turn in it, and turns are as even as they can be.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { divideInterval, turnOfMember } from '../../../../core/policy/server/turns.ts';

/** Some that are divided into fewer turns than 64 among them. */
const intervalArb = fc.oneof(fc.integer({ min: 1, max: 40_000 }), fc.integer({ min: 1, max: 1_000_000 }));

test('turns fill the interval, take at least 500 ms unless there is one, and differ by one member', () => {
  fc.assert(
    fc.property(intervalArb, fc.nat(500), (intervalMs, members) => {
      const turns = divideInterval(intervalMs);
      assert.ok(Math.abs(turns.count * turns.everyMs - intervalMs) < 1e-6);
      assert.ok(turns.count >= 1 && turns.count <= 64);
      assert.ok(turns.count === 1 || turns.everyMs >= 500);
      assert.ok(turns.count === 64 || intervalMs / (turns.count + 1) < 500, 'as many turns as there may be');
      const sizes = Array.from({ length: turns.count }, () => 0);
      for (let dealt = 0; dealt < members; dealt++) sizes[turnOfMember(turns, dealt)]!++;
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
      assert.equal(
        sizes.reduce((sum, size) => sum + size, 0),
        members,
      );
    }),
  );
});
