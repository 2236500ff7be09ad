// Tests what brokers and HAProxy are said to cost between the points of a profile and outside of them, and
// how far off figures are expected to be with them.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { profileQuantiles, type Profile } from '../../../core/profile/profile.ts';
import { quantileUs } from '../../../core/result/histogram.ts';
import { brokerCostAt, frontCostAt } from '../../../simulation/costs/cluster-costs.ts';
import { drawUs } from '../../../simulation/costs/distribution.ts';
import { withCluster } from '../cluster-profile.ts';
import { profileOf, scenarioOf, simulated, steadyMachine } from '../fixture.ts';

const close = (a: number, b: number) => assert.ok(Math.abs(a / b - 1) < 1e-6, `${a} for ${b}`);

const profile = withCluster(profileOf(steadyMachine));
const [brokerPoint] = profile.cluster!.brokers.nats!.points;
const [frontPoint] = profile.cluster!.haproxy!.variants['sse']!.points;

test('a distribution has its knots at their quantiles, and straight lines between them', () => {
  const distribution = fc
    .array(fc.integer({ min: 0, max: 1000 }), {
      minLength: profileQuantiles.length,
      maxLength: profileQuantiles.length,
    })
    .map((steps) => steps.map((_, i) => steps.slice(0, i + 1).reduce((sum, step) => sum + step, 0)));
  const u = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
  fc.assert(
    fc.property(distribution, u, u, (knots, one, other) => {
      for (const [i, quantile] of profileQuantiles.entries())
        assert.ok(Math.abs(drawUs(knots, quantile) - knots[i]!) < 1e-6);
      const [low, high] = [Math.min(one, other), Math.max(one, other)];
      assert.ok(drawUs(knots, low) <= drawUs(knots, high) + 1e-6);
      const i = profileQuantiles.findLastIndex((quantile) => quantile <= one);
      const middle = (profileQuantiles[i]! + profileQuantiles[i + 1]!) / 2;
      assert.ok(Math.abs(drawUs(knots, middle) - (knots[i]! + knots[i + 1]!) / 2) < 1e-6);
    }),
  );
});

test('between two rates a broker costs what lies between, and beyond them what the nearest does', () => {
  const points = [
    { ...brokerPoint!, perS: 10, brokerCpuUs: 40, delayUs: profileQuantiles.map(() => 100) },
    { ...brokerPoint!, perS: 1000, brokerCpuUs: 20, delayUs: profileQuantiles.map(() => 300) },
  ];
  const middle = brokerCostAt(points, 100);
  close(middle.brokerCpuUs, 30);
  close(middle.delayUs[0]!, 200);
  close(middle.publishedCpuUs, brokerPoint!.publishedCpuUs);
  assert.equal(middle.extrapolated, 1);
  const [below, above] = [brokerCostAt(points, 2), brokerCostAt(points, 4000)];
  close(below.brokerCpuUs, 40);
  close(above.brokerCpuUs, 20);
  close(above.delayUs.at(-1)!, 300);
  close(below.extrapolated, 5);
  close(above.extrapolated, 4);
});

test('HAProxy too, by subscribers and by rate', () => {
  const points = [
    [10, 1, 4],
    [10, 100, 8],
    [1000, 1, 12],
    [1000, 100, 16],
  ].map(([subscribers, perS, cpuUs]) => ({
    ...frontPoint!,
    subscribers: subscribers!,
    perS: perS!,
    cpuUs: cpuUs!,
  }));
  close(frontCostAt(points, { subscribers: 100, perS: 10 }).cpuUs, 10);
  close(frontCostAt(points, { subscribers: 1000, perS: 1 }).cpuUs, 12);
  const beyond = frontCostAt(points, { subscribers: 3000, perS: 700 });
  close(beyond.cpuUs, 16);
  close(beyond.extrapolated, 7);
});

const errorsWith = (servers: string, of: Profile) => {
  const scenario = scenarioOf(
    `question: How far off?\nsubscribers: 100\nservers: ${servers}\ntopics:\n  news: { publish: 10/s }\n` +
      'phases: { measure: 10s }\nvariants: [sse]\n',
  );
  return simulated({ scenario, pattern: 'sse', profile: of });
};

test('figures are off by what they are without a broker and by what its repeated trials differ', () => {
  const alone = errorsWith('{ count: 1 }', profile);
  const joined = errorsWith('{ count: 1, broker: nats }', profile);
  const wholeUs = quantileUs(joined.latency.endToEnd, 0.5)!;
  const delayUs = drawUs(brokerPoint!.delayUs, 0.5);
  close(
    joined.expectedError['latency.p50']!,
    Math.hypot(alone.expectedError['latency.p50']!, (brokerPoint!.delaySpread! * delayUs) / wholeUs),
  );
  close(
    joined.expectedError['server-cpu']!,
    Math.hypot(alone.expectedError['server-cpu']!, brokerPoint!.cpuSpread!),
  );
  assert.equal(joined.expectedError.bytes, alone.expectedError.bytes);
});

test('nothing is said of a figure with a broker that was measured once, or that HAProxy changes', () => {
  const nats = profile.cluster!.brokers.nats!;
  const once = [{ ...brokerPoint!, delaySpread: null, cpuSpread: null }];
  const cluster = { ...profile.cluster!, brokers: { nats: { ...nats, points: once } } };
  const { expectedError } = errorsWith('{ count: 1, broker: nats }', { ...profile, cluster });
  assert.deepEqual(
    [expectedError['latency.p50'], expectedError['latency.p99'], expectedError['server-cpu']],
    [null, null, null],
  );
  const behind = errorsWith('{ count: 2, broker: nats, in-front: haproxy }', profile).expectedError;
  assert.ok(behind['latency.p50']! > 0);
  assert.deepEqual([behind['server-cpu'], behind.bytes, behind.descriptors], [null, null, null]);
});

test('more subscribers than were connected at once are outside, though an event has one of them', () => {
  const scenario = scenarioOf(
    'question: How far outside?\nsubscribers: 8000\ntopics:\n' +
      '  inbox: { publish: 10/s, count: per-subscriber }\nphases: { measure: 5s }\nvariants: [sse]\n',
  );
  const { extrapolated, expectedError } = simulated({ scenario, pattern: 'sse' });
  assert.equal(extrapolated, 8);
  assert.ok(expectedError['latency.p50']! > 0);
});
