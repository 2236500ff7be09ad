// Tests what is made of a model's figures: a trial that says how it came about and leaves out what is not
// known.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { figureOf } from '../../core/metrics/registry.ts';
import { offOf } from '../../core/metrics/simulated.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { scheduleOf } from '../../core/plan/schedule.ts';
import { newHistogram } from '../../core/result/histogram.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import { trial as trialSchema, type Completed, type Trial } from '../../core/result/trial.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { Model, Simulated } from '../../simulation/model.ts';
import { modelVersion } from '../../simulation/model.ts';
import { models as steadyModels } from '../../simulation/models/registry.ts';
import { models } from '../../simulation/registry.ts';
import { simulateTrial } from '../../simulation/simulate.ts';
import { noFiles } from './fixture.ts';
import { expectedError, steps } from './model.ts';
import { testProfile } from './profile.ts';

function simulated(
  more: Partial<Omit<Simulated, 'latency'>> = {},
  repetition = 1,
  extra = '',
  model: Model = (input) => steps(input, more),
): Trial {
  const { scenario } = parseScenario(
    `question: How late?
subscribers: 10
topics: { news: { publish: 20/s } }
payload: 100B
phases: { connect: 1s, warmup: 2s, measure: 5s, drain: 1s }
variants: [sse]
${extra}`,
    { file: 'small.yaml', registry: patterns, overrides: [] },
  );
  return simulateTrial(
    {
      scenario,
      variant: scenario.variants[0]!,
      repetition,
      schedule: scheduleOf(scenario, noFiles),
      profile: testProfile,
      clients: 'groups',
    },
    { sse: model },
    new Date('2026-02-03T04:05:06Z'),
  );
}

const completedIn = ({ outcome }: Trial): Completed => {
  assert.equal(outcome.status, 'completed');
  return outcome as Completed; // just looked at
};

test('a simulated trial is one that results hold, and says by what it was computed', () => {
  const made = simulated();
  assert.deepEqual(trialSchema.parse(made), made);
  const { simulated: mark, ...trial } = completedIn(made);
  assert.deepEqual(mark, {
    profile: 'test machine',
    model: modelVersion,
    how: 'exact',
    clients: 'groups',
    extrapolated: 1,
    expectedError,
    leavesOut: ['What the publisher costs.'],
  });
  assert.equal(made.startedAt, '2026-02-03T04:05:06.000Z');
  assert.equal(trial.valid, true);
  // 20 a second for 5 s; of the warm-up nothing.
  assert.deepEqual([trial.ledger.published, trial.ledger.delivered], [100, 1000]);
  assert.equal(histogramOf(trial.latency.endToEnd).count, 1000);
});

test('bodies of a file have the bytes that they have in UTF-8', () => {
  const { scenario } = parseScenario(
    `question: How large?
subscribers: 3
topics: { news: { publish: 2/s } }
payload: { from: bodies }
phases: { connect: 1s, warmup: 0s, measure: 10s, drain: 1s }
variants: [sse]`,
    { file: 'small.yaml', registry: patterns, overrides: [] },
  );
  const files = { ...noFiles, corpusOf: () => ['"a"', '"\u00e4\u20ac"'] };
  const made = simulateTrial(
    {
      scenario,
      variant: scenario.variants[0]!,
      repetition: 1,
      schedule: scheduleOf(scenario, files),
      profile: testProfile,
      clients: 'groups',
    },
    { sse: (input) => steps(input) },
    new Date('2026-02-03T04:05:06Z'),
  );
  // Twenty events, each body as often: of 3 bytes, and of 2 + 2 + 3.
  assert.equal(completedIn(made).counters.clientMeasured.bytesIn, 3 * (10 * 3 + 10 * 7));
});

test('what no model knows is left out, and is no figure of 0', () => {
  const trial = completedIn(simulated());
  assert.deepEqual(Object.keys(trial.latency).sort(), [
    'endToEnd',
    'firstReceiver',
    'lastReceiver',
    'medianReceiver',
  ]);
  for (const name of [
    'publisher-lag.p50',
    'accept-to-receipt.p50',
    'publish-round-trip.p50',
    'packets-per-delivery',
    'errors',
    'reconnects',
    'client-cpu',
    'client-cpu-per-delivery',
    'descriptors.peak',
    'descriptors.added-peak',
    'server-loop-delay.p99',
  ])
    assert.deepEqual(figureOf(name, trial), { value: undefined, why: 'not simulated' }, name);
  assert.equal(figureOf('missed', trial).value, 0);
  assert.equal(figureOf('descriptors.added', trial).value, 10);
  assert.equal(figureOf('server-cpu', trial).value, 0.1);
});

test('each figure has the expected error of its kind, or says that there is none', () => {
  const trial = completedIn(simulated());
  const off = (name: string) => offOf(metrics[name]!, trial);
  assert.equal(off('latency.p50'), 0.12);
  assert.equal(off('latency.p99'), 0.3);
  assert.equal(off('requests-per-delivery'), 0.01);
  assert.equal(off('server-cpu-per-delivery'), 0.1);
  assert.equal(off('descriptors.added'), 0);
  assert.equal(off('bytes-per-delivery'), 'unchecked');
  assert.equal(off('latency.max'), 'unchecked');
  assert.equal(off('delivered'), 'exact');
  const { simulated: _, ...measured } = trial;
  assert.equal(offOf(metrics['latency.p50']!, measured), undefined);
});

test('repetitions have random numbers of their own, and the same seed gives the same trial', () => {
  const [first, again, second] = [simulated(), simulated(), simulated({}, 2)];
  assert.deepEqual(first, again);
  const otherSeed = simulated({}, 1, 'seed: 2');
  const values = [first, second, otherSeed].map((trial) => completedIn(trial).latency.endToEnd.sumUs);
  assert.equal(new Set(values).size, 3);
  assert.equal(completedIn(second).ledger.published, 100);
});

test('latencies and losses of a saturated server are no figures', () => {
  const saturatedServer = {
    cpuUs: 9e6,
    idleShare: 0.01,
    busiestShare: 2,
    askedShare: 2,
    leftUs: 5e6,
    rssBytes: 2e8,
    kernelSocketBytes: 1,
    descriptors: 10,
  };
  const made = simulated({ saturated: true, server: saturatedServer });
  const trial = completedIn(made);
  assert.deepEqual(
    made.warnings.map(({ code, level }) => [code, level]),
    [['saturated', 'invalid']],
  );
  assert.match(
    made.warnings[0]!.message,
    /^over the measured phase .* 2 times what a core does: its queue grows/,
  );
  const late = simulated({ saturated: true, server: { ...saturatedServer, askedShare: 0.5 } });
  assert.match(late.warnings[0]!.message, /^at the end of the measured phase .* work for 5 s left/);
  assert.equal(trial.valid, false);
  for (const name of ['latency.p50', 'missed', 'deliveries-per-s'])
    assert.equal(figureOf(name, trial).value, undefined, name);
  assert.equal(figureOf('server-cpu', trial).value, 1, 'not more than a core has');
  assert.equal(figureOf('descriptors.added', trial).value, 10);
  assert.equal(trial.series.columns['latencyP50Us'], undefined);
});

test('a warning names the process whose queue grows', () => {
  const calm = { cpuUs: 1e6, busiestShare: 0.2, askedShare: 0.2, leftUs: 0, grows: false, rssBytes: 1e8 };
  const full = { ...calm, busiestShare: 3, askedShare: 2, leftUs: 5e6, grows: true };
  const server = (of: typeof calm) => ({ ...of, idleShare: 0.01, subscribers: 5 });
  const beside = (role: 'broker' | 'in-front', of: typeof calm) => ({ ...of, role, baseRssBytes: 1e8 });
  const named = (cluster: NonNullable<Simulated['cluster']>) => {
    const { warnings } = simulated({ saturated: true, cluster });
    return /^over the measured phase (.*) would have to do 2 times what a core does/.exec(
      warnings[0]!.message,
    )?.[1];
  };
  assert.equal(named({ servers: [server(calm), server(full)], beside: [] }), 'a server');
  assert.equal(named({ servers: [server(full)], beside: [beside('broker', calm)] }), 'the server');
  assert.equal(named({ servers: [server(calm)], beside: [beside('broker', full)] }), 'the broker');
  assert.equal(named({ servers: [server(calm)], beside: [beside('in-front', full)] }), 'HAProxy');
});

test('what is told a second is told of a slot as wide as it is, and the last one may be narrower', () => {
  const slot = (seconds: number) => ({
    latency: newHistogram(),
    deliveries: 0,
    requests: 30 * seconds,
    bytesOut: 7000 * seconds,
    serverCpuUs: 250_000 * seconds,
    connected: 10,
  });
  // 5 s are measured.
  const { columns, startUs } = completedIn(
    simulated({ slotUs: 2e6, slots: [slot(2), slot(2), slot(1)] }),
  ).series;
  assert.deepEqual(startUs, [0, 2e6, 4e6]);
  assert.deepEqual(columns['requestsPerS'], [30, 30, 30]);
  assert.deepEqual(columns['bytesPerS'], [7000, 7000, 7000]);
  // What the server uses idle, 0.01, is in it too.
  assert.deepEqual(columns['serverCpuShare'], [0.26, 0.26, 0.26]);
});

test('the CPU of the slots is together that of the server, and no slot has more than a core', () => {
  const { series, processes, measuredUs } = completedIn(simulated({}, 1, '', models['sse']!));
  const shares = series.columns['serverCpuShare']!.flatMap((share) => share ?? []);
  assert.equal(shares.length, 5);
  const mean = shares.reduce((sum, share) => sum + share, 0) / 5;
  assert.ok(Math.abs(mean / (processes[0]!.cpuUs / measuredUs) - 1) < 1e-6, `${mean}`);
  const slot = { latency: newHistogram(), deliveries: 0, requests: 0, bytesOut: 0, connected: 10 };
  const full = completedIn(simulated({ slotUs: 5e6, slots: [{ ...slot, serverCpuUs: 12e6 }] }));
  assert.deepEqual(full.series.columns['serverCpuShare'], [1]);
});

test('a trial far outside of what was calibrated says so', () => {
  const codes = (extrapolated: number) => simulated({ extrapolated }).warnings.map(({ code }) => code);
  assert.deepEqual(codes(4), []);
  assert.deepEqual(codes(4.1), ['extrapolated']);
});

test('a model that can do faults too says all of itself that the one for steady traffic says', () => {
  assert.deepEqual(Object.keys(models), Object.keys(steadyModels));
  for (const [pattern, model] of Object.entries(models))
    assert.deepEqual({ ...model! }, { ...steadyModels[pattern]! }, pattern);
  assert.equal(models['webhook']!.eachDelivery, true);
});

test('the closed loop is left out, and the trial says so', () => {
  const { simulated: mark } = completedIn(simulated({}, 1, 'closedLoop: { for: 1s }'));
  assert.equal(mark!.leavesOut.length, 2);
  assert.match(mark!.leavesOut[1]!, /closed loop/);
});
