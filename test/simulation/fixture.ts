// Makes what the tests of the simulator share: a profile of a machine that does not exist, whose costs are
// known exactly, and the simulation of a scenario that stands in a test.

import type { Random } from '../../core/base/random.ts';
import { random } from '../../core/base/random.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { variantOf } from '../../core/pattern/variant.ts';
import { planPublishing } from '../../core/plan/schedule.ts';
import { profileQuantiles, type Profile, type ProfilePoint } from '../../core/profile/profile.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { quantileUs, type Histogram } from '../../core/result/histogram.ts';
import type { PlannedEvent, Simulated } from '../../simulation/model.ts';
import { models } from '../../simulation/registry.ts';

export type Machine = {
  subscribers: readonly number[];
  perS: readonly number[];
  /** Of an event at its first, and to each further receiver. */
  firstUs: number;
  eachUs: number;
  cpuUs: number;
  eachCpuUs: number;
  /** The quantiles of a latency as multiples of it. */
  shape(quantile: number): number;
  options?: Readonly<Record<string, unknown>>;
};

export const steadyMachine: Machine = {
  subscribers: [1, 10, 100, 1000],
  perS: [0.1, 1, 10, 100],
  firstUs: 400,
  eachUs: 8,
  cpuUs: 60,
  eachCpuUs: 9,
  shape: () => 1,
};

export const varyingMachine: Machine = { ...steadyMachine, shape: (q) => 0.7 + 0.5 * q + 3 * q ** 20 };

/** A profile with one variant of each pattern, measured on `machine`. */
export function profileOf(machine: Machine): Profile {
  const points = machine.subscribers.flatMap((subscribers) =>
    machine.perS.map((perS) => pointOf(machine, subscribers, perS)),
  );
  const variants = Object.keys(patterns).map((pattern) => {
    const { options } = variantOf(patterns, pattern);
    const atRest = {
      subscribers: 1000,
      connections: 1,
      descriptors: 1,
      serverRssBytes: 10_000,
      kernelSocketBytes: 4000,
      connectCpuUs: 200,
      connectBytesIn: 100,
      connectBytesOut: 200,
    };
    return [pattern, { pattern, options: { ...options, ...machine.options }, atRest, points }] as const;
  });
  return {
    format: 'pushbench-profile',
    version: 1,
    pushbench: '0.0.0',
    createdAt: '2026-11-30T00:00:00Z',
    name: 'no machine',
    environment: {
      cpu: 'none',
      cores: 1,
    } as unknown as Profile['environment'], // models do not read it
    pinned: null,
    kernel: { somaxconn: null, tcpSynRetries: null, tcpSynLinearTimeouts: null },
    serverBaseRssBytes: 50_000_000,
    variants: Object.fromEntries(variants),
  };
}

export function pointOf(machine: Machine, subscribers: number, perS: number): ProfilePoint {
  const { firstUs, eachUs, cpuUs, eachCpuUs, shape } = machine;
  const at = (us: number) => profileQuantiles.map((quantile) => us * shape(quantile));
  const lastUs = firstUs + eachUs * (subscribers - 1);
  return {
    subscribers,
    perS,
    payloadBytes: 256,
    events: 500,
    trials: 3,
    firstUs: at(firstUs),
    medianUs: at((firstUs + lastUs) / 2),
    lastUs: at(lastUs),
    endToEndUs: at((firstUs + lastUs) / 2),
    latencySpread: 0.05,
    serverIdleShare: 0.001,
    serverCpuShare: 0.001 + ((cpuUs + eachCpuUs * subscribers) * perS) / 1e6,
    serverCpuSpread: 0.02,
    loadCpuShare: 0.1,
    requestsPerS: subscribers,
    bytesOutPerS: subscribers * perS * 500,
    bytesInPerS: 0,
  };
}

/** For schedules of scenarios that name no file. */
export const noFiles = { corpusOf: () => [], traceOf: () => '' };

export function scenarioOf(source: string): Scenario {
  return parseScenario(source, { file: 'a.yaml', registry: patterns, overrides: [] }).scenario;
}

export type Asked = {
  scenario: Scenario;
  pattern: string;
  options?: Readonly<Record<string, unknown>>;
  clients?: 'groups' | 'one-by-one';
  oneCore?: true;
  profile?: Profile;
  seed?: number;
  events?: Iterable<PlannedEvent>;
  computed?: (share: number) => void;
  /** Random numbers by name; those of the seed when left out. */
  streams?: (name: string) => Random;
};

/** @param options as a scenario says them */
export function simulated({
  scenario,
  pattern,
  options = {},
  clients = 'groups',
  oneCore,
  profile = profileOf(steadyMachine),
  seed = 1,
  events = eventsOf(scenario),
  computed,
  streams = (name) => random(seed, name),
}: Asked): Simulated {
  const parsed = patterns[pattern as keyof typeof patterns].options.parse(options);
  const variant = variantOf(patterns, pattern, parsed);
  return models[pattern]!({
    scenario,
    variant,
    profile,
    events,
    random: streams,
    clients,
    ...(computed && { computed }),
    ...(oneCore && { oneCore }),
  });
}

export function eventsOf(scenario: Scenario): PlannedEvent[] {
  const none = () => {
    throw new Error('no files here');
  };
  const plan = planPublishing(scenario, { corpusOf: none, traceOf: none });
  const warmupUs = scenario.phases.warmup * 1000;
  return Array.from(plan.offsetUs, (us, i) => ({
    atUs: us - warmupUs,
    topic: plan.topic[i]!,
    bodyBytes: -plan.body[i]!,
  }));
}

export function quantiles(histogram: Histogram): (number | undefined)[] {
  return [0.01, 0.5, 0.9, 0.99, 1].map((share) => quantileUs(histogram, share));
}
