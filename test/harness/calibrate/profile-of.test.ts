// Tests what a profile is made of: figures of trials of which every one is known.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { profileQuantiles, profileSchema } from '../../../core/profile/profile.ts';
import { newCounters } from '../../../core/result/counters.ts';
import type { Completed, Trial } from '../../../core/result/result.ts';
import { profileOf, type About, type Sample } from '../../../harness/calibrate/profile-of.ts';
import { completed, processUse, stored, thousandFrom, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../../reports/fixture.ts';

const about: About = {
  pushbench: '1.2.3',
  createdAt: '2026-01-02T03:04:05.000Z',
  name: 'a machine',
  environment: fixtureResult({ measureS: 1 }).environment,
  pinned: { server: '0', load: '1', publisher: '1' },
  kernel: { somaxconn: 4096, tcpSynRetries: 6, tcpSynLinearTimeouts: null },
};

/** A trial of 10 s with 100 subscribers. */
function outcome(more: Partial<Completed> = {}, serverCpuUs = 2e6): Completed {
  const base = completed();
  return completed({
    subscribers: 100,
    connections: 100,
    connectUs: 1e6,
    connecting: { serverCpuUs: 60_000, requests: 100, bytesIn: 15_000, bytesOut: 20_000 },
    descriptors: { ...base.descriptors!, baseline: 20, connected: 130 },
    kernelSocketBytes: 400_000,
    processes: [
      processUse('server', {
        cpuUs: serverCpuUs,
        idleShare: 0.01,
        rssBaselineBytes: 100e6,
        rssConnectedBytes: 101e6,
      }),
      processUse('load', { cpuUs: 1e6 }),
      processUse('load', { cpuUs: 3e6 }),
    ],
    ...more,
  });
}

const sample = (subscribers: number, perS: number, trial: Trial): Sample => ({
  point: { subscribers, perS },
  trial,
});

test('a point has the distributions, CPU, requests and bytes of its trials', () => {
  const profile = profileOf([sample(100, 5, trialOf('sse', outcome()))], about);
  assert.deepEqual(profileSchema.parse(profile), profile);
  const [point] = profile.variants['sse']!.points;
  assert.ok(point);
  const at = (distribution: readonly number[], quantile: number) =>
    distribution[profileQuantiles.indexOf(quantile as 0.5)];
  assert.deepEqual(
    [0, 0.5, 0.99, 1].map((quantile) => at(point.firstUs, quantile)),
    [401, 900, 1390, 1400],
  );
  assert.equal(at(point.medianUs, 0.5), 1000);
  assert.equal(at(point.lastUs, 0.5), 1100);
  assert.equal(at(point.endToEndUs, 0.5), 500);
  assert.deepEqual(
    { ...point, firstUs: [], medianUs: [], lastUs: [], endToEndUs: [] },
    {
      subscribers: 100,
      perS: 5,
      payloadBytes: 256,
      events: 11,
      trials: 1,
      firstUs: [],
      medianUs: [],
      lastUs: [],
      endToEndUs: [],
      latencySpread: 0,
      serverIdleShare: 0.01,
      serverCpuShare: 0.2,
      serverCpuSpread: 0,
      loadCpuShare: 0.4,
      // 1 handshake, 40 polls and 9 deliveries by request in 10 s.
      requestsPerS: 5,
      bytesOutPerS: 400,
      bytesInPerS: 100,
    },
  );
});

test('what a subscriber costs at rest is that of the most subscribers at the lowest rate', () => {
  const few = outcome({ subscribers: 10, connections: 20 });
  const busy = outcome({ kernelSocketBytes: 9e9 });
  const { variants } = profileOf(
    [
      sample(10, 5, trialOf('sse', few)),
      sample(100, 60, trialOf('sse', busy)),
      sample(100, 5, trialOf('sse', outcome())),
    ],
    about,
  );
  assert.deepEqual(variants['sse']!.atRest, {
    subscribers: 100,
    connections: 1,
    descriptors: 1.1,
    serverRssBytes: 10_000,
    kernelSocketBytes: 4000,
    // 60 ms less 1 % of the second that it took.
    connectCpuUs: 500,
    connectBytesIn: 150,
    connectBytesOut: 200,
  });
  assert.deepEqual(
    variants['sse']!.points.map(({ subscribers, perS }) => [subscribers, perS]),
    [
      [10, 5],
      [100, 5],
      [100, 60],
    ],
  );
});

test('of several trials of a point distributions are merged, and the spread is between them', () => {
  const one = outcome({ latency: { ...completed().latency, endToEnd: stored(100, 100, 100) } }, 1e6);
  const two = outcome({ latency: { ...completed().latency, endToEnd: stored(300, 300, 300) } }, 3e6);
  const { variants } = profileOf(
    [sample(100, 5, trialOf('sse', one)), sample(100, 5, trialOf('sse', two, 2))],
    about,
  );
  const [point] = variants['sse']!.points;
  assert.ok(point);
  assert.equal(point.trials, 2);
  assert.equal(point.events, 22);
  assert.deepEqual([point.endToEndUs[0], point.endToEndUs.at(-1)], [100, 300]);
  // Of 100 and 300: the deviation is 141.4, the mean 200. The CPU has 10 and 30 %.
  assert.ok(Math.abs(point.latencySpread - Math.SQRT1_2) < 1e-9);
  assert.ok(Math.abs(point.serverCpuSpread - Math.SQRT1_2) < 1e-9);
  assert.equal(point.serverCpuShare, 0.2);
});

test('who asks on a schedule has the time of its requests, and connects by one of them', () => {
  const { latency, counters } = completed();
  const polling = outcome({
    latency: { ...latency, request: thousandFrom(1) },
    // Until all were there each had asked twice.
    connecting: { serverCpuUs: 70_000, requests: 200, bytesIn: 20_000, bytesOut: 40_000 },
    counters: { ...counters, clientMeasured: { ...newCounters(), fullPolls: 300, emptyPolls: 700 } },
  });
  const { variants } = profileOf([sample(100, 5, trialOf('polling every=1s', polling))], about);
  const { points, atRest, pattern } = variants['polling every=1s']!;
  assert.equal(pattern, 'polling');
  for (const distribution of [points[0]!.firstUs, points[0]!.medianUs, points[0]!.lastUs])
    assert.equal(distribution[profileQuantiles.indexOf(0.5)], 500);
  assert.equal(points[0]!.requestsPerS, 100);
  assert.deepEqual([atRest.connectCpuUs, atRest.connectBytesIn, atRest.connectBytesOut], [300, 100, 200]);
});

test('failed trials are no part of a profile, and none is no profile', () => {
  const failed = trialOf('sse', { status: 'failed', valid: false, code: 'x', message: 'y' }, 2);
  const { variants } = profileOf([sample(100, 5, trialOf('sse', outcome())), sample(100, 5, failed)], about);
  assert.equal(variants['sse']!.points[0]!.trials, 1);
  assert.throws(() => profileOf([sample(100, 5, failed)], about), /one trial at least/);
});
