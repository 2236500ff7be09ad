// How predictions of clusters and webhooks are judged beside what all points are; what is claimed and shown;
// and that every case is one that can be simulated, of a size that calibration has not seen.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { steadyCases } from '../../bench/validate/simulation/cluster-cases.ts';
import {
  steadyClaims,
  steadyMarkdown,
  type SteadyRow,
} from '../../bench/validate/simulation/cluster-report.ts';
import { requireSameMachine } from '../../bench/validate/simulation/bench.ts';
import type { Figures } from '../../bench/validate/simulation/figures.ts';
import { errorOf, isWithin } from '../../bench/validate/simulation/judge.ts';
import {
  parsed,
  predictedFigures,
  simulatedTrials,
  whyUnpredicted,
} from '../../bench/validate/simulation/predict.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { planAll } from '../../harness/calibrate/cluster-points.ts';
import { calibrated, full, quick } from '../../harness/calibrate/points.ts';
import { withCluster } from '../simulation/cluster-profile.ts';
import { profileOf, steadyMachine } from '../simulation/fixture.ts';

const figures: Figures = {
  requests: 0,
  deliveries: 1000,
  missed: 0.5,
  bytes: 300_000,
  descriptors: 100,
  serverCpu: 0.2,
  besideCpu: 0.05,
  p50: 1000,
  p99: 4000,
};

function row(more: Partial<Figures> = {}, rest: Partial<SteadyRow> = {}): SteadyRow {
  return {
    kind: 'cluster',
    pattern: 'sse',
    setUp: '2 servers, nats, list',
    subscribers: 100,
    perS: 40,
    events: 500,
    measured: figures,
    between: { p50: { lowUs: 950, highUs: 1050 }, p99: { lowUs: 3000, highUs: 6000 } },
    predicted: { simulated: { ...figures, ...more } },
    stated: { serverCpu: null, p50: null, p99: null },
    ...rest,
  };
}

test.each([
  // Missed deliveries count as a share of all, since of few there is no share to speak of.
  [{ missed: 0.509 }, 'missed', true],
  [{ missed: 0.511 }, 'missed', false],
  [{ besideCpu: 0.0549 }, 'besideCpu', true],
  [{ besideCpu: 0.0551 }, 'besideCpu', false],
] as const)('%j of %s is within its bar: %s', (more, figure, within) => {
  assert.equal(isWithin(row(more), figure), within);
});

test('missing nothing where nothing was predicted is right, and anything else is told', () => {
  const none = { ...figures, missed: 0 };
  assert.equal(errorOf(row({ missed: 0 }, { measured: none }), 'missed', 'simulated'), 0);
  assert.equal(errorOf(row({ missed: 0.02 }, { measured: none }), 'missed', 'simulated'), 0.02);
});

test('clusters and webhooks are claimed apart, with set-ups in order where they can be told apart', () => {
  const slow = row(
    { p50: 900 },
    {
      setUp: '2 servers, jetstream, list',
      measured: { ...figures, p50: 2000 },
      between: { p50: { lowUs: 1900, highUs: 2100 }, p99: undefined },
    },
  );
  const hook = row({ requests: 1100 }, { kind: 'webhook', measured: { ...figures, requests: 1000 } });
  const claims = steadyClaims([row(), slow, hook]);
  const find = (text: RegExp) => claims.find((claim) => text.test(claim.text));
  assert.equal(find(/^clusters, p50: 1 of 2 points within 15 %, or inside the repeats/)?.held, false);
  assert.equal(find(/^clusters, requests: 2 of 2 points/)?.held, true);
  assert.equal(find(/^webhooks, requests: 0 of 1 points within 1 %/)?.held, false);
  assert.equal(find(/^two clusters .* right order: 0 of 1$/)?.held, false);
  // The webhook's latency is that of neither.
  assert.equal(find(/^webhooks, p50: 1 of 1/)?.held, true);
});

test('a case without anything beside its servers says nothing of that', () => {
  const alone = { ...figures, besideCpu: 0 };
  const claims = steadyClaims([row({ besideCpu: 0 }, { measured: alone })]);
  assert.equal(
    claims.find(({ text }) => /HAProxy/.test(text)),
    undefined,
  );
});

test('the table has every case, and marks what is outside of its bar', () => {
  const text = steadyMarkdown([row({ serverCpu: 0.3, p50: Number.NaN })]);
  assert.match(text, /^\| clusters \| server CPU \| 50 % \| 50 % \| 0 of 1 \|$/m);
  assert.match(text, /^\| sse \| 2 servers, nats, list \| 100 \| 40 \| 500 \|/m);
  assert.match(text, /\| 20 % \| 30 % \(\+50 %\) ✗ \|/);
  assert.match(text, /\| 1 ms \(950 µs to 1.05 ms\) \| saturated \|/);
});

test('every case can be simulated from a profile that has all of it, and says so where it has not', () => {
  const profile = withCluster(profileOf(steadyMachine));
  const cases = steadyCases(false);
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  for (const one of cases) {
    assert.equal(whyUnpredicted(profile, one.text(7)), undefined, one.name);
    assert.equal(parsed(one.text(7)).scenario.seed, 7);
  }
  const bare = profileOf(steadyMachine);
  const refused = cases.filter((one) => whyUnpredicted(bare, one.text(1)) !== undefined);
  const needs = cases.filter(({ kind, setUp }) => kind === 'cluster' && !/in-process, list/.test(setUp));
  assert.deepEqual(refused, needs);
});

test('no case is of a size and rate of a calibration', () => {
  const installed = {
    brokers: ['redis-pubsub', 'redis-streams', 'nats', 'jetstream'] as const,
    haproxy: true,
  };
  const place = (one: { pattern: string; subscribers: number; perS: number }) =>
    `${one.pattern} ${one.subscribers} ${one.perS}`;
  const seen = new Set(
    [quick, full].flatMap((extent) => planAll(calibrated(patterns), patterns, extent, installed)).map(place),
  );
  assert.deepEqual(
    steadyCases(false).filter((one) => seen.has(place(one))),
    [],
  );
});

test('without a broker half of the deliveries are missed, with one none, and it has CPU of its own', () => {
  const profile = withCluster(profileOf(steadyMachine));
  const [apart, joined] = steadyCases(true);
  assert.ok(apart && joined);
  const of = (one: typeof apart) => predictedFigures(simulatedTrials(profile, one.text(1), [1]));
  const alone = of(apart);
  assert.equal(alone.missed, 0.5);
  assert.equal(alone.besideCpu, 0);
  const together = of(joined);
  assert.equal(together.missed, 0);
  assert.ok(together.besideCpu > 0);
  assert.ok(together.p50 > 0 && together.p99 >= together.p50);
});

test('latencies of a saturated simulation are no figures', () => {
  const busy = { ...steadyMachine, eachCpuUs: 9000, eachUs: 9000 };
  const [apart] = steadyCases(true);
  assert.ok(apart);
  const trials = simulatedTrials(withCluster(profileOf(busy)), apart.text(1), [1]);
  assert.deepEqual([predictedFigures(trials).p50, predictedFigures(trials).p99], [Number.NaN, Number.NaN]);
});

test('a profile of another machine is refused with what to do', () => {
  const here = { cpu: 'This', cores: 2 };
  const profile = { name: 'shipped', environment: here as never }; // nothing else is read
  requireSameMachine(profile, here);
  assert.throws(
    () => requireSameMachine(profile, { cpu: 'That', cores: 2 }),
    /"shipped" is of This .*this is That.*--profile FILE.*calibrate --full/,
  );
  assert.throws(() => requireSameMachine(profile, { cpu: 'This', cores: 4 }), /with 4/);
});
