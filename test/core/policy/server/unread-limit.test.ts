// Looks at outlets in virtual time: one that takes nothing for the whole time is cut off soon after it, and
// nobody whose bytes leave in time.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { judgeLook, lookEveryMs } from '../../../../core/policy/server/unread-limit.ts';

const unreadMs = 1000;

/**
 * Looks from `firstMs` on, and does what is judged.
 * @param waitsAt whether something waits at a time
 * @param leavesMs when all that waited at a time has left
 * @returns when it is cut off
 */
function cutOffMs(
  firstMs: number,
  untilMs: number,
  waitsAt: (ms: number) => boolean,
  leavesMs: (ms: number) => number,
): number | undefined {
  let waited = 0;
  let leftMs = Infinity;
  for (let nowMs = firstMs; nowMs <= untilMs; nowMs += lookEveryMs(unreadMs)) {
    if (leftMs <= nowMs) [waited, leftMs] = [0, Infinity];
    switch (judgeLook(waitsAt(nowMs), waited)) {
      case 'cut-off':
        return nowMs;
      case 'nothing-waits':
        waited = 0;
        break;
      case 'begins-to-wait':
        leftMs = leavesMs(nowMs);
        waited++;
        break;
      case 'still-waits':
        waited++;
    }
  }
  return undefined;
}

test('one that takes nothing is cut off when the time is up, and a look later at most', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 249 }), fc.integer({ min: 0, max: 3000 }), (firstMs, fromMs) => {
      const atMs = cutOffMs(
        firstMs,
        10_000,
        (ms) => ms >= fromMs,
        () => Infinity,
      );
      assert.ok(atMs !== undefined);
      assert.ok(atMs - fromMs >= unreadMs && atMs - fromMs < unreadMs + lookEveryMs(unreadMs) + 1);
    }),
  );
});

test('one whose bytes always leave within the time is never cut off, however much waits behind them', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 249 }),
      fc.array(fc.integer({ min: 1, max: unreadMs }), { minLength: 1 }),
      (firstMs, tookMs) => {
        let i = 0;
        const leaves = (ms: number) => ms + tookMs[i++ % tookMs.length]!;
        assert.equal(
          cutOffMs(firstMs, 60_000, () => true, leaves),
          undefined,
        );
      },
    ),
  );
});
