// Tests what trials measure brokers and HAProxy, and what becomes of them in a profile: figures of trials of
// which every one is known.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseProfile } from '../../../core/profile/parse.ts';
import { profileQuantiles, profileSchema } from '../../../core/profile/profile.ts';
import { newCounters } from '../../../core/result/counters.ts';
import type { Completed } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { lackingOf } from '../../../harness/calibrate/cluster-of.ts';
import { planAll, type Installed } from '../../../harness/calibrate/cluster-points.ts';
import {
  calibrated,
  full,
  planPoints,
  pointMs,
  quick,
  scenarioText,
  type ClusterPlace,
} from '../../../harness/calibrate/points.ts';
import { profileOf, type Sample } from '../../../harness/calibrate/profile-of.ts';
import { completed, processUse, thousandFrom, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../../reports/fixture.ts';

const names = calibrated(patterns);
const all: Installed = { brokers: ['redis-pubsub', 'redis-streams', 'nats', 'jetstream'], haproxy: true };

test('with all that stands beside servers each plan fits into its time', () => {
  for (const extent of [quick, full]) {
    const ms = planAll(names, patterns, extent, all).reduce((sum, one) => sum + pointMs(one), 0);
    assert.ok(ms < extent.budgetMs - 12_000, `${ms}`);
  }
});

test('what stands beside servers comes behind the corners, and the rest of the planes behind it', () => {
  const kinds = planAll(names, patterns, quick, all).map(({ cluster }) => cluster?.kind ?? 'plane');
  const first = kinds.findIndex((kind) => kind !== 'plane');
  assert.equal(first, names.length * 3);
  // One without a broker, four brokers with one server and with two, HAProxy for each pattern but webhooks.
  assert.equal(
    kinds.findLastIndex((kind) => kind !== 'plane'),
    first + 1 + 8 + names.length - 2,
  );
  const none = planAll(names, patterns, quick, { brokers: [], haproxy: false });
  assert.deepEqual(none, planPoints(names, patterns, quick));
});

test('no point has a second trial before all have had their first', () => {
  const points = planAll(names, patterns, full, all);
  const second = points.findIndex(({ repetition }) => repetition > 1);
  assert.ok(second > 0 && points.slice(second).every(({ repetition }) => repetition > 1));
  const placesOf = (repetition: number) =>
    points
      .filter((one) => one.repetition === repetition)
      .map((one) => JSON.stringify({ ...one, repetition: undefined }))
      .toSorted();
  assert.deepEqual(placesOf(1), placesOf(2));
});

test('every such trial is a scenario, and those of HAProxy have one without it to be held against', () => {
  for (const extent of [quick, full]) {
    const points = planAll(names, patterns, extent, all);
    for (const point of points.filter(({ cluster }) => cluster)) {
      const text = scenarioText(point);
      const { scenario } = parseScenario(text, { file: 'calibrate', registry: patterns, overrides: [] });
      const { count, broker, inFront } = scenario.servers;
      const { cluster } = point;
      assert.equal(count, cluster?.kind === 'broker' ? cluster.servers : 1);
      assert.equal(broker.kind, cluster?.kind === 'broker' ? cluster.broker : 'in-process');
      assert.equal(inFront.kind, cluster?.kind === 'front' ? 'haproxy' : 'list');
      if (cluster?.kind !== 'front') continue;
      assert.ok(
        points.some(
          (one) =>
            !one.cluster &&
            one.pattern === point.pattern &&
            one.subscribers === point.subscribers &&
            one.perS === point.perS,
        ),
      );
    }
  }
});

/** 11 events in 10 s; servers of 1 % idle. */
function outcome(serverUs: readonly number[], fromUs: number, more: Partial<Completed> = {}): Completed {
  const { latency } = completed();
  return completed({
    latency: { ...latency, firstReceiver: thousandFrom(fromUs) },
    processes: serverUs.map((us) => processUse('server', { cpuUs: us + 100_000, idleShare: 0.01 })),
    ...more,
  });
}

const sample = (cluster: ClusterPlace | undefined, of: Completed, pattern = 'sse', perS = 80): Sample => ({
  point: { subscribers: 2, perS, ...(cluster && { cluster }) },
  trial: trialOf(pattern, of),
});

const broker = (us: number) =>
  processUse('broker', { cpuUs: us, rssPeakBytes: 9e6, rssBaselineBytes: 8e6, rssConnectedBytes: 8e6 });

const about = {
  pushbench: '1.2.3',
  createdAt: '2026-01-02T03:04:05.000Z',
  name: 'a machine',
  environment: fixtureResult({ measureS: 1 }).environment,
  pinned: null,
  kernel: { somaxconn: null, tcpSynRetries: null, tcpSynLinearTimeouts: null },
};

test('a broker is what it adds to the same server without it, and to two of them', () => {
  const base = outcome([1100], 400);
  const one = outcome([3300], 700);
  const two = outcome([2200, 2750], 700);
  const profile = profileOf(
    [
      sample(undefined, outcome([1100], 400)),
      sample({ kind: 'direct' }, base),
      sample(
        { kind: 'broker', broker: 'nats', servers: 1 },
        { ...one, processes: [...one.processes, broker(550)] },
      ),
      sample(
        { kind: 'broker', broker: 'nats', servers: 2 },
        { ...two, processes: [...two.processes, broker(770)] },
      ),
      // Of jetstream there is no trial with two.
      sample(
        { kind: 'broker', broker: 'jetstream', servers: 1 },
        { ...one, processes: [...one.processes, broker(550)] },
      ),
    ],
    about,
    { nats: 'nats-server 2.9' },
    { 'in-process': { startUs: 300, stopUs: 1 }, nats: { startUs: 400, stopUs: 2 } },
  );
  assert.deepEqual(profileSchema.parse(profile), profile);
  assert.deepEqual(parseProfile(JSON.stringify(profile), 'a.json'), profile);
  const { nats, ...others } = profile.cluster!.brokers;
  assert.deepEqual([Object.keys(others), nats!.version, nats!.rssBytes], [[], 'nats-server 2.9', 9e6]);
  assert.deepEqual(profile.serverLife, { startUs: 300, stopUs: 1 });
  assert.deepEqual(nats!.serverLife, { startUs: 400, stopUs: 2 });
  const { delayUs, ...rest } = nats!.points[0]!;
  const events = base.ledger.published;
  const near = (us: number, eventUs: number) => assert.ok(Math.abs(us - eventUs / events) < 1e-6);
  near(rest.directCpuUs, 1100);
  near(rest.publishedCpuUs, 3300);
  near(rest.receivedCpuUs, 1650);
  near(rest.brokerCpuUs, 550);
  near(rest.brokerCpuEachUs, 220);
  assert.deepEqual([rest.perS, rest.trials, rest.delaySpread, rest.cpuSpread], [80, 1, null, null]);
  assert.ok(Math.abs(delayUs[profileQuantiles.indexOf(0.5)]! - 300) <= 2);
  assert.ok(delayUs.every((us, i) => us >= 0 && us >= (delayUs[i - 1] ?? 0)));
  assert.deepEqual(lackingOf(profile, { brokers: ['nats', 'jetstream'], haproxy: true }), [
    'jetstream',
    'HAProxy',
  ]);
});

test('HAProxy is what it adds to a delivery, and what it holds for a subscriber', () => {
  const counters = { ...completed().counters, clientMeasured: { ...newCounters(), events: 500 } };
  const front = processUse('in-front', {
    cpuUs: 5000,
    rssBaselineBytes: 40e6,
    rssConnectedBytes: 41e6,
    descriptors: { baseline: 30, connected: 230 },
  });
  const through = outcome([1100], 500, { subscribers: 100, counters, measuredDeliveries: 500 });
  const profile = profileOf(
    [
      sample(undefined, outcome([1100], 400)),
      sample({ kind: 'front' }, { ...through, processes: [...through.processes, front] }),
      // Nothing of this was measured without it.
      sample({ kind: 'front' }, { ...through, processes: [...through.processes, front] }, 'websocket'),
    ],
    about,
  );
  const { variants, baseRssBytes, baseDescriptors } = profile.cluster!.haproxy!;
  assert.deepEqual([Object.keys(variants), baseRssBytes, baseDescriptors], [['sse'], 40e6, 30]);
  const { atRest, points } = variants['sse']!;
  assert.deepEqual([atRest.descriptors, atRest.rssBytes], [2, 10_000]);
  assert.equal(points[0]!.cpuUs, 10);
  assert.ok(Math.abs(points[0]!.addedUs[profileQuantiles.indexOf(0.5)]! - 100) <= 2);
});

test('a profile of before has nothing of them and is read, and one of later is refused', () => {
  const profile = profileOf([sample(undefined, outcome([1100], 400))], about);
  assert.equal(profile.cluster, undefined);
  assert.equal(parseProfile(JSON.stringify({ ...profile, version: 1 }), 'a.json').version, 1);
  assert.throws(() => parseProfile(JSON.stringify({ ...profile, version: 3 }), 'a.json'), /reads 1 and 2/);
});
