// Checks in which topics works wait, for any wait, and from where a group goes on in a partition, for any
// order in which its messages are finished.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import {
  delayTopic,
  delayUntil,
  readTopics,
  resolutionMs,
  tiersMs,
} from '../../../../servers/webhook/kafka/delays.ts';
import { createOffsets } from '../../../../servers/webhook/kafka/offsets.ts';

const hourMs = 3_600_000;

/** The topics that a work goes through, each left on time. */
function wayOf(waitMs: number): { tierMs: number; fromMs: number; untilMs: number }[] {
  const way = [];
  let nowMs = 1000;
  const dueMs = nowMs + waitMs;
  do {
    const { tierMs, untilMs } = delayUntil(nowMs, dueMs);
    way.push({ tierMs, fromMs: nowMs, untilMs });
    nowMs = untilMs;
  } while (nowMs < dueMs);
  assert.equal(nowMs, dueMs);
  return way;
}

test('the topics of some waits', () => {
  const tiersOf = (waitMs: number) => wayOf(waitMs).map(({ tierMs }) => tierMs);
  assert.deepEqual(tiersOf(0), [250]);
  assert.deepEqual(tiersOf(100), [250]);
  assert.deepEqual(tiersOf(998), [1000]);
  assert.deepEqual(tiersOf(5000), [5000]);
  assert.deepEqual(tiersOf(2100), [1000, 1000, 250]);
  assert.deepEqual(tiersOf(2.5 * hourMs), [hourMs, hourMs, 600_000, 600_000, 600_000]);
});

test('a work is due when it leaves the last topic, and is never long behind one that is due later', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 50 * hourMs }), (waitMs) => {
      const way = wayOf(waitMs);
      assert.ok(way.length <= Math.ceil(waitMs / hourMs) + 25, `${way.length} topics`);
      for (const { tierMs, fromMs, untilMs } of way) {
        assert.ok(untilMs - fromMs <= tierMs);
        assert.ok(untilMs - fromMs >= tierMs - resolutionMs);
      }
    }),
  );
});

test('names of topics', () => {
  assert.deepEqual(readTopics('hooks'), [
    'hooks',
    'hooks.wait-250ms',
    'hooks.wait-1s',
    'hooks.wait-5s',
    'hooks.wait-30s',
    'hooks.wait-2min',
    'hooks.wait-10min',
    'hooks.wait-60min',
  ]);
  assert.equal(new Set(tiersMs.map((tierMs) => delayTopic('hooks', tierMs))).size, tiersMs.length);
});

test('the group goes on from the lowest message that is not finished', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 100 }),
      fc.array(fc.nat({ max: 20 }), { maxLength: 40 }),
      fc.nat({ max: 20 }),
      (from, finishing, count) => {
        const offsets = createOffsets();
        assert.equal(offsets.lowest(), undefined);
        for (let i = 0; i <= count; i++) assert.ok(offsets.take(from + i));
        const finished = new Set<number>();
        for (const i of finishing) {
          offsets.finish(from + i);
          finished.add(i);
          let lowest = 0;
          while (lowest <= count && finished.has(lowest)) lowest++;
          assert.equal(offsets.lowest(), from + lowest);
        }
        // They come again after partitions were dealt out again.
        for (let i = 0; i <= count; i++) assert.ok(!offsets.take(from + i));
        assert.equal(offsets.next(), from + count + 1);
      },
    ),
  );
});

test('a partition that was made again is read from its beginning', () => {
  const offsets = createOffsets();
  offsets.take(7);
  offsets.take(8);
  assert.ok(offsets.take(0));
  assert.ok(offsets.take(1));
  offsets.finish(7); // of the one before
  assert.equal(offsets.lowest(), 0);
  offsets.finish(0);
  assert.deepEqual([offsets.lowest(), offsets.next()], [1, 2]);
  // Numbers may be left out.
  assert.ok(offsets.take(7));
  assert.ok(!offsets.take(5));
});
