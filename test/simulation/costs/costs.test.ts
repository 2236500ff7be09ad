// Tests what a profile says between its points and outside of them.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { profileQuantiles } from '../../../core/profile/profile.ts';
import { chooseVariant } from '../../../simulation/costs/chosen-variant.ts';
import { createCosts } from '../../../simulation/costs/costs.ts';
import { drawUs } from '../../../simulation/costs/distribution.ts';
import { expectedErrorAt } from '../../../simulation/costs/expected-error.ts';
import { weighted, weightsAt } from '../../../simulation/costs/local-plane.ts';
import { fitRequestCosts } from '../../../simulation/costs/request-costs.ts';
import { pointOf, profileOf, steadyMachine, varyingMachine } from '../fixture.ts';

const close = (a: number, b: number, share: number) =>
  assert.ok(Math.abs(a / b - 1) <= share, `${a} for ${b}`);

test('a plane comes back from points that lie anywhere on it', () => {
  const plane = ([x, y]: readonly number[]) => 3 + 2 * x! - 0.5 * y!;
  const points = [[0, 0], [5, 1], [1, 6], [4, 4], [2, 3.3]]; // prettier-ignore
  const values = points.map(plane);
  for (const place of [
    [1, 1],
    [3, 3],
    [4.5, 2],
    [0, 6],
  ])
    assert.ok(Math.abs(weighted(weightsAt(points, place), values) - plane(place)) < 0.1);
  for (const [i, point] of points.entries())
    assert.ok(Math.abs(weighted(weightsAt(points, point), values) - values[i]!) < 1e-6);
});

test('where points do not differ nothing has a slope', () => {
  const weights = weightsAt([[1, 2], [1, 5]], [7, 3]); // prettier-ignore
  assert.ok(Math.abs(weights[0]! + weights[1]! - 1) < 1e-9);
  assert.ok(Math.abs(weightsAt([[1, 2]], [7, 3])[0]! - 1) < 1e-9);
});

/** Costs in proportion to receivers and to a power of the rate lie on planes of logarithms. */
const scaled = [10, 40, 200, 1000].flatMap((subscribers) =>
  [1, 7, 60].map((perS) => {
    const point = pointOf(steadyMachine, subscribers, perS);
    const us = 10 * subscribers * perS ** -0.3;
    const at = profileQuantiles.map((quantile) => us * (1 + quantile));
    return {
      ...point,
      firstUs: at,
      medianUs: at,
      lastUs: at,
      serverIdleShare: 0,
      serverCpuShare: (us * perS) / 1e6,
    };
  }),
);

test('between points costs follow them', () => {
  const costs = createCosts({ points: scaled });
  for (const [receivers, perS] of [
    [20, 3],
    [500, 30],
    [77, 1],
    [1000, 60],
  ] as const) {
    const cost = costs.at({ receivers, perS, payloadBytes: 256 });
    close(cost.cpuUs, 10 * receivers * perS ** -0.3, 0.02);
    close(drawUs(cost.lastUs, 0.5), 15 * receivers * perS ** -0.3, 0.02);
    assert.equal(cost.extrapolated, 1);
  }
});

test('a rate is not mistaken for another one whose logarithm is as large', () => {
  const [asked, fresh] = [createCosts({ points: scaled }), () => createCosts({ points: scaled })];
  const at = (perS: number) => ({ receivers: 40, perS, payloadBytes: 256 });
  for (let whole = 1; whole <= 60; whole++) {
    // As far as half a percent goes, 200 times its logarithm is the whole number.
    const between = Math.exp(whole / 200);
    for (const perS of [between, whole]) {
      assert.deepEqual(asked.at(at(perS)), fresh().at(at(perS)), `${perS}`);
    }
  }
});

test('a point that is missing from the grid leaves no hole', () => {
  const costs = createCosts({ points: scaled.filter((_, i) => i !== 4 && i !== 7) });
  close(costs.at({ receivers: 40, perS: 7, payloadBytes: 256 }).cpuUs, 400 * 7 ** -0.3, 0.05);
});

test('beyond the points each further receiver costs what one does at the edge', () => {
  const costs = createCosts({ points: profileOf(steadyMachine).variants['sse']!.points });
  const edge = costs.at({ receivers: 1000, perS: 10, payloadBytes: 256 });
  const beyond = costs.at({ receivers: 8000, perS: 10, payloadBytes: 256 });
  assert.equal(beyond.extrapolated, 8);
  close(beyond.cpuUs, 8 * edge.cpuUs, 1e-9);
  close(drawUs(beyond.firstUs, 0.5), drawUs(edge.firstUs, 0.5), 1e-9);
  close(drawUs(beyond.lastUs, 0.5), steadyMachine.firstUs + 8 * steadyMachine.eachUs * 999, 0.01);
  const rare = costs.at({ receivers: 1000, perS: 0.01, payloadBytes: 256 });
  close(rare.extrapolated, 10, 1e-9);
  // The slope ends where a rate is half of the lowest one.
  close(rare.cpuUs, costs.at({ receivers: 1000, perS: 0.05, payloadBytes: 256 }).cpuUs, 1e-9);
});

test('fewer receivers than any point had cost less, but not less than in proportion', () => {
  const points = profileOf({ ...steadyMachine, subscribers: [100, 1000] }).variants['sse']!.points;
  const one = createCosts({ points }).at({ receivers: 1, perS: 10, payloadBytes: 256 });
  const hundred = createCosts({ points }).at({ receivers: 100, perS: 10, payloadBytes: 256 });
  assert.equal(one.extrapolated, 100);
  assert.ok(one.cpuUs < hundred.cpuUs && one.cpuUs >= hundred.cpuUs / 100 - 1e-9);
});

test('options that were not measured take the nearest variant of the pattern, and that is said', () => {
  const profile = profileOf(steadyMachine);
  const { options } = profile.variants['sse']!;
  const of = (more: Record<string, unknown>) =>
    chooseVariant(profile, { pattern: 'sse', options: { ...options, ...more }, label: 'sse' });
  assert.equal(of({})?.differs, undefined);
  assert.equal(of({ heartbeat: 1000 })?.differs, undefined, 'models compute what that makes of it');
  assert.match(of({ over: 'h2' })?.differs ?? '', /over=h2 \(measured with h1\)/);
  profile.variants['sse h2'] = { ...profile.variants['sse']!, options: { ...options, over: 'h2' } };
  assert.equal(of({ over: 'h2' })?.measured, profile.variants['sse h2']);
  assert.equal(chooseVariant(profile, { pattern: 'carrier-pigeon', options: {}, label: '' }), undefined);
});

test('the expected error grows with repeats that differ, with distance, and outside', () => {
  const { points } = profileOf(steadyMachine).variants['sse']!;
  const at = { receivers: 100, perS: 10, payloadBytes: 256 };
  const near = expectedErrorAt(points, at, 1);
  const between = expectedErrorAt(points, { ...at, receivers: 316 }, 1);
  const outside = expectedErrorAt(points, { ...at, receivers: 4000 }, 4);
  assert.ok(near['latency.p50']! >= 0.045 && near['latency.p50']! < 0.06);
  assert.ok(between['server-cpu']! > near['server-cpu']!);
  assert.ok(outside['server-cpu']! > between['server-cpu']! + 0.1);
  const apart = points.map((point) => ({ ...point, latencySpread: 0.3 }));
  assert.ok(expectedErrorAt(apart, at, 1)['latency.p50']! > 0.29);
  assert.equal(expectedErrorAt(points.slice(0, 2), at, 1)['latency.p50'], null);
});

test('few events say little of the slowest: the fewer they are, the larger the error of a p99', () => {
  const { points } = profileOf(varyingMachine).variants['sse']!;
  const at = { receivers: 100, perS: 10, payloadBytes: 256 };
  const [few, many] = [40, 40_000].map((events) =>
    expectedErrorAt(
      points.map((point) => ({ ...point, events })),
      at,
      1,
    ),
  );
  assert.ok(few!['latency.p99']! > many!['latency.p99']!);
  assert.equal(few!['server-cpu'], many!['server-cpu']);
  // A median of as many is known better.
  const grew = (kind: 'latency.p50' | 'latency.p99') => few![kind]! - many![kind]!;
  assert.ok(grew('latency.p99') > 2 * grew('latency.p50'));
});

test('a request among many costs less, and publishing has a part of its own', () => {
  const cpuUsOf = (requests: number, deliveries: number, perS: number) =>
    30 * requests + 2000 * Math.sqrt(requests) + 2 * deliveries + 3000 * Math.sqrt(perS);
  const places = [
    [20, 8],
    [20, 240],
    [100, 25],
    [450, 8],
    [450, 80],
    [2000, 8],
  ] as const;
  const points = places.map(([subscribers, perS]) => {
    const point = pointOf(steadyMachine, subscribers, perS);
    const serverCpuShare = cpuUsOf(subscribers, subscribers * perS, perS) / 1e6;
    return { ...point, requestsPerS: subscribers, serverIdleShare: 0, serverCpuShare };
  });
  const costs = fitRequestCosts(points);
  const asked = { requestsPerS: 1000, deliveriesPerS: 30_000, eventsPerS: 30 };
  const all = costs.requestsUs(asked) + costs.deliveriesUs(asked) + costs.eventsUs(asked);
  close(all, cpuUsOf(1000, 30_000, 30), 1e-6 * all);
  close(costs.eventsUs(asked), 3000 * Math.sqrt(30), 1);
});

test('where points are off the fit, so is what lies between them, and outside it is as at the edge', () => {
  const cpuUsOf = (requests: number, deliveries: number) => 40 * requests + 5 * deliveries;
  const points = [20, 100, 500, 2000].flatMap((subscribers) =>
    [5, 20, 80].map((perS) => {
      const point = pointOf(steadyMachine, subscribers, perS);
      // One more point in the middle costs a third more than the rest say.
      const off = subscribers === 500 && perS === 20 ? 4 / 3 : 1;
      const serverCpuShare = (off * cpuUsOf(subscribers, subscribers * perS)) / 1e6;
      return { ...point, requestsPerS: subscribers, serverIdleShare: 0, serverCpuShare };
    }),
  );
  const costs = fitRequestCosts(points);
  const shareAt = (requestsPerS: number, eventsPerS: number) => {
    const asked = { requestsPerS, deliveriesPerS: requestsPerS * eventsPerS, eventsPerS };
    const all = costs.requestsUs(asked) + costs.deliveriesUs(asked) + costs.eventsUs(asked);
    return all / cpuUsOf(requestsPerS, asked.deliveriesPerS);
  };
  close(shareAt(500, 20), 4 / 3, 1e-3);
  close(shareAt(100, 20), 1, 1e-3);
  assert.ok(shareAt(400, 20) > 1.1 && shareAt(400, 20) < 4 / 3);
  close(shareAt(50_000, 1000), 1, 0.05);
});

test('what a request and a delivery cost is told apart by points with more and fewer events', () => {
  const points = [[100, 1], [100, 20], [1000, 5], [1000, 40]].map(([subscribers, perS]) => {
    const cpuUs = 40 * subscribers! + 5 * subscribers! * perS!;
    const point = pointOf(steadyMachine, subscribers!, perS!);
    const serverCpuShare = 0.01 + cpuUs / 1e6;
    return { ...point, requestsPerS: subscribers!, serverIdleShare: 0.01, serverCpuShare };
  }); // prettier-ignore
  const asked = { requestsPerS: 300, deliveriesPerS: 700, eventsPerS: 9 };
  const costs = fitRequestCosts(points);
  close(costs.requestsUs(asked), 40 * 300, 1e-6);
  close(costs.deliveriesUs(asked), 5 * 700, 1e-6);
  assert.equal(costs.eventsUs(asked), 0);
  const one = fitRequestCosts(points.slice(0, 1));
  close(one.requestsUs({ ...asked, requestsPerS: 100 }), 4500, 1e-6);
  assert.equal(one.deliveriesUs(asked), 0);
  assert.equal(fitRequestCosts([]).requestsUs(asked), 0);
});
