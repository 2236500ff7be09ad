// The scenario: who subscribes to what, what is published when, what goes wrong, and what is expected.
// This file is its schema and resolved type. Reading YAML and pointing at mistakes is scenario-file.ts.

import { z } from 'zod';
import { topicPattern } from './envelope.ts';
import { type PatternRegistry, variantOf } from './patterns.ts';
import { largestBodyBytes } from './payload.ts';
import { duration, rate, share, size } from './quantities.ts';

const positive = z.int().min(1);

const stage = z
  .strictObject({
    rate: rate.describe('rate at the start of the stage'),
    to: rate.optional().describe('rate at its end, reached in a straight line; the same rate when left out'),
    for: duration,
  })
  .describe('one stage of a changing rate');

const arrivals = z
  .union([
    rate.transform((perS) => ({ kind: 'constant' as const, perS })),
    z.strictObject({ constant: rate }).transform((v) => ({ kind: 'constant' as const, perS: v.constant })),
    z.strictObject({ poisson: rate }).transform((v) => ({ kind: 'poisson' as const, perS: v.poisson })),
    z.strictObject({ stages: z.array(stage).min(1) }).transform((v) => ({ kind: 'stages' as const, stages: v.stages })),
    z
      .strictObject({ bursts: z.strictObject({ size: positive, every: duration }) })
      .transform((v) => ({ kind: 'bursts' as const, size: v.bursts.size, everyMs: v.bursts.every })),
    z
      .strictObject({ trace: z.string().min(1).describe('a CSV file beside the scenario: seconds since the start, bytes') })
      .transform((v) => ({ kind: 'trace' as const, file: v.trace })),
  ])
  .describe('when events are published: a rate, or one of constant, poisson, stages, bursts, trace');

const payload = z
  .union([
    size
      .refine((sizeBytes) => sizeBytes >= 1 && sizeBytes <= largestBodyBytes, { error: 'a body of 1B to 256MiB' })
      .transform((sizeBytes) => ({ kind: 'size' as const, sizeBytes })),
    z
      .strictObject({ from: z.string().min(1).describe('a JSON or NDJSON file beside the scenario, or an npm package of examples') })
      .transform((v) => ({ kind: 'corpus' as const, from: v.from })),
  ])
  .describe('what the events carry: generated JSON of a size, or real bodies from a file or package');

const topicGroup = z.strictObject({
  publish: arrivals,
  count: z.union([positive, z.literal('per-subscriber')]).default(1).describe('how many topics are in the group; the rate is that of all together'),
  follow: positive.default(1).describe('how many of them each subscriber follows'),
  payload: payload.optional(),
});

const fault = z
  .union([
    z
      .strictObject({ at: duration, disconnect: share.describe('the server cuts this share of its connections') })
      .transform((v) => ({ kind: 'disconnect' as const, atMs: v.at, share: v.disconnect })),
    z
      .strictObject({ at: duration, freeze: z.enum(['server', 'publisher', 'load']), for: duration })
      .transform((v) => ({ kind: 'freeze' as const, atMs: v.at, who: v.freeze, forMs: v.for })),
  ])
  .describe('what goes wrong, and when after the measured phase began');

const expectation = z
  .union([
    z.string().transform((check) => ({ check, for: undefined })),
    z.strictObject({ check: z.string(), for: z.array(z.string()).min(1) }),
  ])
  .describe('a metric, a comparison and a bound, such as "latency.p99 < 250ms", for all variants or those named');

const phases = z.strictObject({
  connect: duration.default(1000).describe('ramp: subscribers connect evenly over this time'),
  warmup: duration.default(1000).describe('events published but not counted'),
  measure: duration.default(8000),
  drain: duration.default(5000).describe('how long after the last event a delivery may still arrive before it counts as missed'),
});

const server = z.strictObject({
  history: z.int().min(0).max(1_000_000).default(1000).describe('events kept per topic for those who resume'),
  historySize: size.default(64 * 1024 ** 2).describe('bytes kept over all topics'),
  maxSubscribers: positive.max(1_000_000).default(100_000),
  maxTopics: positive.max(1_000_000).default(200_000),
  maxBody: size.default(1024 ** 2).describe('largest event body'),
  slowBuffer: size.default(1024 ** 2).describe('bytes a subscriber may lag behind before the policy applies'),
  slow: z.enum(['disconnect', 'drop', 'coalesce']).default('disconnect').describe('what happens to a subscriber that lags further'),
});

const reconnect = z.strictObject({
  base: duration.default(100).describe('mean wait before the first attempt is half of this (full jitter)'),
  cap: duration.default(5000).describe('no wait is longer'),
});

/** The schema of a scenario file over the patterns of `registry`. */
export function scenarioSchema(registry: PatternRegistry) {
  const names = Object.keys(registry) as [string, ...string[]];
  const variant = z
    .union([
      z.enum(names).transform((pattern) => variantOf(registry, pattern)),
      z
        .strictObject(Object.fromEntries(names.map((name) => [name, registry[name]!.options.optional()])))
        .refine((v) => Object.keys(v).length === 1, { error: 'one pattern with its options' })
        .transform((v) => {
          const [pattern, options] = Object.entries(v)[0]!;
          return variantOf(registry, pattern, options as Record<string, unknown>);
        }),
    ])
    .describe('a pattern, or a pattern with options');

  return z
    .strictObject({
      question: z.string().min(1).describe('the question that the scenario answers, in one sentence'),
      notice: z.array(z.string()).default([]).describe('what a reader should look at in the report'),
      seed: z.int().min(0).default(1).describe('same seed, same schedule, sizes and jitter'),
      subscribers: positive.max(1_000_000),
      topics: z.record(z.string().regex(topicPattern, { error: 'a topic name of letters, digits and . _ : ~ -' }), topicGroup),
      payload: payload.default({ kind: 'size', sizeBytes: 256 }),
      phases: phases.prefault({}),
      variants: z.array(variant).min(1).default(() => names.map((name) => variantOf(registry, name))),
      repeat: positive.max(1000).default(1).describe('trials per variant'),
      loadProcesses: positive.max(64).optional().describe('how many load processes; by default as many as descriptors and cores ask for'),
      server: server.prefault({}),
      reconnect: reconnect.prefault({}),
      faults: z.array(fault).default([]),
      expect: z.array(expectation).default([]),
    })
    .refine((v) => Object.keys(v.topics).length > 0, { error: 'at least one topic', path: ['topics'] });
}

export type Scenario = z.output<ReturnType<typeof scenarioSchema>> & {
  /** The file's name without its ending. */
  name: string;
};
export type TopicGroup = Scenario['topics'][string];
export type Arrivals = TopicGroup['publish'];
export type Payload = Scenario['payload'];
export type Fault = Scenario['faults'][number];
export type ServerLimits = Scenario['server'];

export type ReconnectPolicy = Scenario['reconnect'];
export type Phases = Scenario['phases'];

/** A server's limits where no scenario sets them. */
export const defaultLimits: ServerLimits = server.parse({});
