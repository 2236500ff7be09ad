// Makes a result as a run would write it, by formula: the same on every machine, and each figure known from
// the few numbers of fixture-shapes.ts. For tests of what is read from results; nothing in it was measured.

import { metrics } from '../../core/metrics/registry.ts';
import { patterns } from '../../core/pattern/registry.ts';
import type { Expectation, Result, Trial } from '../../core/result/result.ts';
import { shapes } from './fixture-shapes.ts';
import { eventsPerS, subscribers, trialOf } from './fixture-trial.ts';

export type FixtureOptions = {
  /** Trials of each variant. */
  repeat?: number;
  measureS?: number;
  seed?: number;
  /** One variant fails, one does not count, one misses deliveries, and an expectation fails. */
  trouble?: boolean;
};

/** All six patterns, 100 subscribers, 10 events a second on a shared topic. */
export function fixtureResult({
  repeat = 1,
  measureS = 20,
  seed = 1,
  trouble = false,
}: FixtureOptions = {}): Result {
  const trials = Array.from({ length: repeat }, (_, i) =>
    shapes.map((shape) => trialOf(shape, i + 1, measureS, seed, trouble)),
  ).flat();
  return {
    format: 'pushbench-result',
    version: 2,
    pushbench: '0.1.0',
    createdAt: new Date(Date.UTC(2026, 0, 2, 10, 0, seed)).toISOString(),
    command: `npm start -- run compare --set phases.measure=${measureS}s`,
    seed,
    scenario: {
      name: 'compare',
      question:
        'When something changes on the server, how soon does each pattern ' +
        'tell 100 clients, and what does that cost?',
      notice: [
        "Polling's mean latency is half its interval and a round trip.",
        'Every pattern holds one descriptor a subscriber but webhooks.',
      ],
      subscribers,
      topics: 1,
      events: measureS * eventsPerS,
      deliveries: measureS * eventsPerS * subscribers,
      phasesMs: { connect: 1000, warmup: 500, measure: measureS * 1000, drain: 5000 },
      source:
        `question: How soon?\nsubscribers: ${subscribers}\ntopics:\n  news: { publish: ${eventsPerS}/s }\n` +
        `phases: { connect: 1s, warmup: 500ms, measure: ${measureS}s, drain: 5s }\n`,
    },
    environment: {
      os: 'Example Linux 12',
      kernel: '6.1.0',
      cpu: 'Example CPU',
      cores: 4,
      memoryBytes: 16 * 1024 ** 3,
      node: 'v26.0.0',
      descriptorLimit: 20_000,
      commit: 'abc1234',
    },
    patterns: Object.fromEntries(
      shapes.map(({ pattern }) => {
        const { title, how, lacks } = patterns[pattern];
        return [pattern, { title, how, lacks: { ...lacks } }];
      }),
    ),
    trials,
    expectations: expectationsOf(trials),
    state: { kind: 'finished' },
  };
}

function expectationsOf(trials: readonly Trial[]): Expectation[] {
  const check = (
    text: string,
    metric: string,
    bound: number,
    holds: (value: number) => boolean,
    skip: readonly string[] = [],
  ) =>
    trials
      .filter(({ variant }) => !skip.includes(variant.label))
      .map(({ variant, repetition, outcome }) => {
        const measured = outcome.status === 'completed' ? (metrics[metric]!.read(outcome) ?? null) : null;
        return {
          variant: variant.label,
          repetition,
          check: text,
          metric,
          bound,
          measured,
          held: outcome.valid && measured !== null && holds(measured),
        };
      });
  return [
    ...check('missed == 0', 'missed', 0, (value) => value === 0),
    ...check('latency.p99 < 250ms', 'latency.p99', 250_000, (value) => value < 250_000, ['polling']),
  ];
}
