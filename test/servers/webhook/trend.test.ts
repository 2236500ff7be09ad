// The last hour of attempts, minute by minute: counts, percentiles against sorted samples, and its bounds.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { createTrend } from '../../../servers/webhook/trend.ts';

const minute = 60_000;
const answered = (status: number) => ({ kind: 'answered', status }) as const;
const failed = { kind: 'failed', reason: 'refused', timedOut: false } as const;

test('attempts are counted in their minute, latencies of those that were answered', () => {
  let nowMs = Date.parse('2026-01-01T10:00:30Z');
  const { add, read } = createTrend(() => nowMs);
  assert.deepEqual(read(), []);
  add(answered(204), 10);
  add(answered(500), 30);
  add(failed, 9999);
  nowMs += 2 * minute;
  add(failed, 5);
  assert.deepEqual(read(), [
    {
      from: '2026-01-01T10:00:00.000Z',
      attempts: 3,
      succeeded: 1,
      answered: 2,
      p50Ms: read()[0]!.p50Ms,
      p95Ms: 30,
    },
    { from: '2026-01-01T10:02:00.000Z', attempts: 1, succeeded: 0, answered: 0 },
  ]);
});

test('percentiles are those of the sorted samples, to 5 %', () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ min: 0.2, max: 600_000, noNaN: true }), { minLength: 1 }),
      (latencies) => {
        const { add, read } = createTrend(() => 0);
        for (const ms of latencies) add(answered(200), ms);
        const sorted = latencies.toSorted((a, b) => a - b);
        const { p50Ms, p95Ms } = read()[0]!; // there is one
        for (const [share, ms] of [
          [0.5, p50Ms],
          [0.95, p95Ms],
        ] as const) {
          const right = sorted[Math.ceil(share * sorted.length) - 1]!;
          assert.ok(ms! >= right - 0.001 && ms! <= right * 1.0501 + 0.001, `${ms} for ${right}`);
        }
      },
    ),
  );
});

test('it keeps an hour, also of a clock that jumps', () => {
  let nowMs = 0;
  const { add, read } = createTrend(() => nowMs);
  for (let i = 0; i < 200; i++) {
    nowMs = i * minute;
    add(answered(200), 1);
  }
  assert.equal(read().length, 60);
  nowMs -= 10 * minute;
  add(answered(200), 1);
  assert.deepEqual([read().length, read().at(-1)!.attempts], [60, 2]);
  nowMs += 300 * minute;
  assert.deepEqual(read(), []);
});
