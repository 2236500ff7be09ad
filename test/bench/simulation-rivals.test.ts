// The rivals of simulations: figures that follow from points of which everything is known.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { leastSquares, nearestRun, plane } from '../../bench/validate/simulation/rivals.ts';
import { profileQuantiles, type ProfilePoint, type ProfileVariant } from '../../core/profile/profile.ts';

const atRest = { descriptors: 1 } as ProfileVariant['atRest']; // nothing else of it is read

/** Of a machine whose latencies are 2 N^0.5 R^-0.25 us at the median and ten times that at p99. */
function point(subscribers: number, perS: number, more: Partial<ProfilePoint> = {}): ProfilePoint {
  const p50 = 2 * subscribers ** 0.5 * perS ** -0.25;
  const knots = profileQuantiles.map((quantile) => (quantile === 0.99 ? 10 * p50 : p50));
  return {
    subscribers,
    perS,
    payloadBytes: 256,
    events: 100,
    trials: 1,
    firstUs: knots,
    medianUs: knots,
    lastUs: knots,
    endToEndUs: knots,
    latencySpread: 0,
    serverIdleShare: 0,
    serverCpuShare: 1e-5 * subscribers * perS,
    serverCpuSpread: 0,
    loadCpuShare: 0,
    requestsPerS: 0,
    bytesOutPerS: 300 * subscribers * perS,
    bytesInPerS: 0,
    ...more,
  };
}

const points = [point(20, 5), point(20, 80), point(320, 5), point(320, 80)];

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual / expected - 1) < 1e-9, `${actual} is not ${expected}`);

test('a plane in logarithms is found again, between its points and beyond', () => {
  for (const [subscribers, perS] of [
    [80, 20],
    [5000, 1],
  ] as const) {
    const said = plane({ points, atRest }, { subscribers, perS });
    near(said.p50, 2 * subscribers ** 0.5 * perS ** -0.25);
    near(said.p99, 20 * subscribers ** 0.5 * perS ** -0.25);
    near(said.serverCpu, 1e-5 * subscribers * perS);
    near(said.bytes, 300 * subscribers * perS);
    // It has no logarithm, and no point has any.
    assert.equal(said.requests, 0);
  }
});

test('the nearest run is so by both logarithms, and gives its own figures', () => {
  const { p50, deliveries, descriptors } = nearestRun({ points, atRest }, { subscribers: 100, perS: 30 });
  // 100 is nearer to 320 than to 20, 30 to 80 than to 5.
  near(p50, 2 * 320 ** 0.5 * 80 ** -0.25);
  assert.deepEqual([deliveries, descriptors], [320 * 80, 320]);
});

test('points on one line make no plane: the nearest run stands for it', () => {
  const line = { points: [point(20, 5), point(320, 5)], atRest };
  const place = { subscribers: 100, perS: 30 };
  assert.deepEqual(plane(line, place), nearestRun(line, place));
});

test('least squares by hand: of 0, 1 and 5 at 0, 1 and 2 the line is -0.5 + 2.5 x', () => {
  const fit = leastSquares(
    [
      [1, 0],
      [1, 1],
      [1, 2],
    ],
    [0, 1, 5],
  );
  assert.ok(fit);
  fit.forEach((value, i) => assert.ok(Math.abs(value - [-0.5, 2.5][i]!) < 1e-12));
  assert.equal(leastSquares([[1, 2]], [3]), undefined);
});
