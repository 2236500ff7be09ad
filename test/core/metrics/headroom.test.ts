// Headroom: the limit that is nearest decides, and nothing is claimed beyond ten times.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { headroomOf, loadLimits, roomOf } from '../../../core/metrics/headroom.ts';
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

// The delivery latency's 99 % over which the shares rise above their least: 66,667 and 100,000 us.
test.each<[what: string, latencyUs: number, loopUs: number, lagUs: number]>([
  ['a short latency: 20 ms and 10 ms', 1000, 20_000, 10_000],
  ['60 ms are below both', 60_000, 20_000, 10_000],
  ['80 ms: 30 % are more than 20 ms', 80_000, 24_000, 10_000],
  ['200 ms: 30 % and 10 %', 200_000, 60_000, 20_000],
])('limits of loop delay and lag follow the latency: %s', (_what, latencyUs, loopUs, lagUs) => {
  const base = trial({});
  const latency = { ...base.latency, endToEnd: stored(...Array.from({ length: 100 }, () => latencyUs)) };
  const [cpu, loop, lag] = loadLimits(trial({ latency }));
  const near = (is: number, wanted: number) =>
    assert.ok(Math.abs(is / wanted - 1) < 0.002, `${is} for ${wanted}`);
  assert.equal(cpu!.limit, 0.9);
  near(loop!.limit, loopUs);
  near(lag!.limit, lagUs);
});

test.each([
  ['a tenth of a limit and less', 0.089, 10],
  ['a ninth', 0.1, 9],
  ['all of it', 0.9, 1],
  ['more than all', 1.8, 0.5],
])('room: %s', (_what, used, times) => assert.ok(Math.abs(roomOf({ used, limit: 0.9 }) - times) < 1e-9));

test('the lag of the publisher alone can be what is nearest', () => {
  const base = trial({});
  // 99 of 100 events lag 5 ms at most, which is half of 10 ms; most of them lag less.
  const lags = [...Array.from({ length: 98 }, () => 1000), 5000, 900_000];
  const busy = trial({ latency: { ...base.latency, endToEnd: stored(1000), publisherLag: stored(...lags) } });
  assert.ok(Math.abs(headroomOf(busy)! - 2) < 0.01);
});

test('a single event that was published is looked at', () => {
  const base = trial({});
  const [, , lag] = loadLimits(trial({ latency: { ...base.latency, publisherLag: stored(500) } }));
  assert.equal(lag!.seen, true);
});

test('where nothing was looked at there is no headroom', () => {
  const blind = trial({
    processes: [processUse('server', { cpuUs: 1e6, wallUs: 1e6 }), processUse('load', { wallUs: 0 })],
  });
  assert.equal(headroomOf(blind), undefined);
  assert.deepEqual(
    loadLimits(blind).map(({ seen }) => seen),
    [false, false, false],
  );
  assert.deepEqual(
    loadLimits(trial({ series: slots([500, 5, null]) })).map(({ name, seen, used }) => [name, seen, used]),
    [
      ['cpu', true, 0],
      ['loop-delay', true, 5],
      ['publisher-lag', false, 0],
    ],
  );
});
