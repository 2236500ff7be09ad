// Headroom: the limit that is nearest decides, and nothing is claimed beyond ten times.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { headroomOf, loadLimits } from '../../../core/metrics/headroom.ts';
import type { Completed } from '../../../core/result/result.ts';
import { completed, processUse, stored } from '../result/trial.ts';

const idle = processUse('load', { cpuUs: 0, wallUs: 1e6 });
const slots = (delaysUs: (number | null)[]): Completed['series'] => ({
  slotUs: 1e6,
  startUs: delaysUs.map((_, i) => (i - 1) * 1e6),
  columns: { loadLoopDelayP99Us: delaysUs },
});

function trial(more: Partial<Completed>): Completed {
  const base = completed();
  return completed({
    processes: [idle],
    series: slots([]),
    latency: { ...base.latency, publisherLag: stored() },
    ...more,
  });
}

test('an idle load side claims no more than ten times', () => assert.equal(headroomOf(trial({})), 10));

test('the busiest load process decides by CPU', () => {
  const processes = [
    idle,
    processUse('load', { cpuUs: 0.45e6, wallUs: 1e6 }),
    processUse('server', { cpuUs: 1e6, wallUs: 1e6 }),
  ];
  assert.equal(headroomOf(trial({ processes })), 2);
});

test('the loop delay is the median of the measured slots, against 20 ms at least', () => {
  // The slot before the measured phase and a single long pause say nothing.
  const series = slots([900_000, 10_000, 10_000, 500_000, null, 5000]);
  assert.equal(headroomOf(trial({ series })), 2);
  assert.deepEqual(
    loadLimits(trial({ series })).map(({ name, used, limit }) => [name, used, limit]),
    [
      ['cpu', 0, 0.9],
      ['loop-delay', 10_000, 20_000],
      ['publisher-lag', 0, 10_000],
    ],
  );
});

test('of an even number of slots the loop delay is the mean of the two in the middle', () => {
  const [, loopDelay] = loadLimits(trial({ series: slots([null, 500_000, 10_000, 30_000, 1000]) }));
  assert.equal(loopDelay!.used, 20_000);
});
