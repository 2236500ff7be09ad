// The scenario: who subscribes to what, what is published when, what goes wrong, and what is expected.
// This file is its schema and resolved type. Reading YAML and pointing at mistakes is scenario-file.ts; what
// several parts of a scenario make impossible together is contradictions.ts.
//
// Messages: a schema's own `error` ends the sentence "expected ...", that of a `refine`
// is a sentence of its own.

import { z } from 'zod';
import { conduct } from './endpoint-conduct.ts';
import { topicPattern } from '../event/envelope.ts';
import { slowPolicies } from '../policy/slow-subscriber.ts';
import { parseExpectation } from '../metrics/check.ts';
import { gateSchema } from '../comparison/gate.ts';
import { cellsOf, mostCells, outsideMatrix, type Parameters } from './matrix.ts';
import { metrics } from '../metrics/registry.ts';
import { type PatternRegistry, variantOf } from '../pattern/registry.ts';
import { largestBodyBytes } from '../event/body-size.ts';
import { searchSchema } from './search.ts';
import { duration, interval, rate, share, size } from '../base/quantities.ts';
import { formatBytes } from '../base/units.ts';

const positive = z.int().min(1);

const stage = z
  .strictObject({
    rate: rate.describe('rate at the start of the stage'),
    to: rate.optional().describe('rate at its end, reached in a straight line; the same rate when left out'),
    for: interval.describe('its length'),
  })
  .describe('one stage of a changing rate');

const arrivals = z
  .union([
    rate.transform((perS) => ({ kind: 'constant' as const, perS })),
    z.strictObject({ constant: rate }).transform((v) => ({ kind: 'constant' as const, perS: v.constant })),
    z.strictObject({ poisson: rate }).transform((v) => ({ kind: 'poisson' as const, perS: v.poisson })),
    z
      .strictObject({ stages: z.array(stage).min(1) })
      .transform((v) => ({ kind: 'stages' as const, stages: v.stages })),
    z
      .strictObject({
        bursts: z.strictObject({
          size: positive.max(1_000_000).describe('events at once'),
          every: interval.describe('time between two bursts'),
        }),
      })
      .transform((v) => ({ kind: 'bursts' as const, size: v.bursts.size, everyMs: v.bursts.every })),
    z
      .strictObject({
        trace: z.string().min(1).describe('a CSV file beside the scenario: seconds since the start, bytes'),
      })
      .transform((v) => ({ kind: 'trace' as const, file: v.trace })),
  ])
  .describe('a rate such as 200/s, or one of constant, poisson, stages, bursts, trace');

const payload = z
  .union([
    size
      .refine((sizeBytes) => sizeBytes >= 1 && sizeBytes <= largestBodyBytes, {
        error: `a body has 1 B to ${formatBytes(largestBodyBytes)}`,
      })
      .transform((sizeBytes) => ({ kind: 'size' as const, sizeBytes })),
    z
      .strictObject({
        from: z
          .string()
          .min(1)
          .describe('a JSON or NDJSON file beside the scenario, or an npm package of examples'),
      })
      .transform((v) => ({ kind: 'corpus' as const, from: v.from })),
  ])
  .describe(
    'a size such as 1KiB, for generated JSON, or "from" with the name of a file or package, for real bodies',
  );

const topicGroup = z.strictObject({
  publish: arrivals,
  by: z
    .enum(['publisher', 'subscribers'])
    .default('publisher')
    .describe(
      'who publishes: the publisher, or the subscribers themselves, ' +
        'each on the topics that it follows, as in a chat room',
    ),
  count: z
    .union([positive.max(10_000_000), z.literal('per-subscriber')])
    .default(1)
    .describe('how many topics are in the group; the rate is that of all together'),
  follow: positive.max(10_000).default(1).describe('how many of them each subscriber follows'),
  payload: payload.optional().describe("what its events carry, where that is not the scenario's payload"),
});

const fault = z
  .union([
    z
      .strictObject({
        at: duration.describe('when, counted from the start of the measured phase'),
        disconnect: share.describe('the server cuts this share of its connections'),
      })
      .transform((v) => ({ kind: 'disconnect' as const, atMs: v.at, share: v.disconnect })),
    z
      .strictObject({
        at: duration.describe('when, counted from the start of the measured phase'),
        freeze: z.enum(['server', 'publisher', 'load']).describe('which processes stand still'),
        for: interval.describe('for how long'),
      })
      .transform((v) => ({ kind: 'freeze' as const, atMs: v.at, who: v.freeze, forMs: v.for })),
    z
      .strictObject({
        at: duration.describe('when, counted from the start of the measured phase'),
        leave: share.describe('this share of the subscribers leaves of its own accord'),
        for: interval.describe('for how long; then they come back and ask for what they missed'),
      })
      .transform((v) => ({ kind: 'leave' as const, atMs: v.at, share: v.leave, forMs: v.for })),
  ])
  .describe('"at" with "disconnect", or with "freeze" or "leave" and "for"');

const check = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseExpectation(text);
    if ('problem' in parsed) context.addIssue({ code: 'custom', message: parsed.problem });
  })
  .describe(
    'a metric, a comparison and a bound, such as "latency.p99 < 250ms" or "latency.mean within 10% of 500ms"',
  );

const scalar = z.union([z.string().min(1), z.number()]);

const where = z
  .record(z.string(), z.union([scalar, z.array(scalar).min(1)]))
  .transform((given) =>
    Object.fromEntries(Object.entries(given).map(([path, values]) => [path, [values].flat().map(String)])),
  )
  .describe("values of the matrix' paths; the check is for the cells that have them");

const expectation = z
  .union([
    check.transform((text) => ({ check: text, for: undefined, where: undefined })),
    z.strictObject({
      check,
      for: z
        .array(z.string().min(1))
        .min(1)
        .optional()
        .describe('labels of variants, or patterns for all of their variants'),
      where: where.optional(),
    }),
  ])
  .describe(
    'a check such as "latency.p99 < 250ms", or "check" with "for" and the variants, or "where" and the ' +
      'cells of the matrix, that it is for',
  );

const matrix = z
  .record(z.string().min(1), z.array(scalar).min(1))
  .refine((given) => Object.keys(given).length <= 2, {
    error: 'a matrix has at most two paths: a report draws one as the axis and one as lines',
  })
  .refine((given) => cellsOf(given).length <= mostCells, { error: `a matrix has at most ${mostCells} cells` })
  .superRefine((given, context) => {
    for (const path of Object.keys(given)) {
      const outside = outsideMatrix.find(
        (key) => path === key || path.startsWith(`${key}.`) || path.startsWith(`${key}[`),
      );
      if (outside)
        context.addIssue({
          code: 'custom',
          path: [path],
          message:
            `"${outside}" is the same for all ` +
            `cells${outside === 'variants' ? '; list the variants instead' : ''}`,
        });
    }
  })
  .describe(
    'lists of values by their path, such as subscribers or topics.news.publish; every combination is ' +
      'measured with every variant',
  );

const closedLoop = z
  .strictObject({
    connections: positive
      .max(10_000)
      .default(50)
      .describe('each sends its next request when the last one was answered'),
    for: interval
      .refine((ms) => ms >= 1000 && ms % 1000 === 0, { error: 'whole seconds, at least 1s' })
      .prefault('4s')
      .describe('how long each endpoint is asked'),
  })
  .describe(
    'after the trials: how many requests a second a server process ' +
      'answers, polls and publishing, in closed loop',
  );

const metricName = z.string().superRefine((name, context) => {
  if (!Object.hasOwn(metrics, name))
    context.addIssue({ code: 'custom', message: `there is no metric "${name}"` });
});

/** A slot of the time series is never wider than this where the measured phase is short. */
const leastMeasureMs = 1000;

const axis = z
  .strictObject({
    says: z
      .string()
      .min(1)
      .describe('what the first path of the matrix means to a reader, such as "updates a minute and client"'),
    times: z
      .number()
      .positive()
      .describe(
        "what the path's value is multiplied with to be that; rates count a second, durations in " +
          'milliseconds, sizes in bytes',
      ),
    perSubscriber: z
      .boolean()
      .default(false)
      .describe('whether the value is divided by the number of subscribers first'),
  })
  .describe(
    "how the report's curves name and scale their horizontal axis, where the path's own value says little",
  );

const phases = z.strictObject({
  connect: duration.prefault('1s').describe('ramp: subscribers connect evenly over this time'),
  warmup: duration.prefault('1s').describe('events published but not counted'),
  measure: duration
    .refine((ms) => ms >= leastMeasureMs, {
      error: 'less than 1s is not possible: no slot of the time series would be full',
    })
    .prefault('8s')
    .describe('events published and counted'),
  drain: duration
    .prefault('5s')
    .describe('how long after the last event a delivery may still arrive before it counts as missed'),
});

const server = z.strictObject({
  history: z.int().min(0).max(1_000_000).default(1000).describe('events kept per topic for those who resume'),
  historySize: size.prefault('64MiB').describe('bytes kept over all topics'),
  maxSubscribers: positive.max(1_000_000).default(100_000).describe('more are refused'),
  maxTopics: positive.max(1_000_000).default(200_000).describe('topics with a history at the most'),
  maxBody: size.prefault('1MiB').describe('largest event body'),
  slowBuffer: size.prefault('1MiB').describe('bytes a subscriber may lag behind before the policy applies'),
  slow: z.enum(slowPolicies).default('disconnect').describe('what happens to a subscriber that lags further'),
});

const reconnect = z
  .strictObject({
    base: interval
      .prefault('100ms')
      .describe('the random wait before the first attempt is at most this long, half of it in the mean'),
    cap: interval
      .prefault('5s')
      .describe('no random wait is longer; what a server asks for comes on top of it'),
  })
  .refine(({ base, cap }) => cap >= base, {
    error: 'cap is shorter than base, so no wait could be as long as base asks',
    path: ['cap'],
  });

const browser = z.strictObject({
  tabs: positive.max(250).describe('pages of one browser, each a subscriber'),
  requests: rate.describe('other requests of one browser to the same host'),
  connections: positive
    .max(1000)
    .default(6)
    .describe('that a browser opens to one host over HTTP/1.1; over HTTP/2 it opens one'),
  chromium: z
    .array(positive.max(20))
    .max(6)
    .default([])
    .describe(
      'after the trials, as many pages in a real Chromium, with a stream and a request each; skipped ' +
        'with the reason where it is not installed',
    ),
});

/** The schema of a scenario file over the patterns of `registry`. */
export function scenarioSchema(registry: PatternRegistry) {
  const names = Object.keys(registry) as [string, ...string[]]; // zod wants to see that there is one
  const variant = z
    .union([
      z.enum(names).transform((pattern) => variantOf(registry, pattern)),
      z
        .strictObject(
          Object.fromEntries(
            names.map((name) => [name, registry[name]!.options.optional().describe(registry[name]!.how)]),
          ),
        )
        .refine((v) => Object.keys(v).length === 1, {
          error:
            'a variant is one pattern with its options, such as "sse: ' +
            '{ over: h2 }"; write one entry for each',
        })
        .transform((v) => {
          const [pattern, options] = Object.entries(v)[0]!;
          return variantOf(registry, pattern, options as Record<string, unknown>);
        }),
    ])
    .describe(`a pattern (${names.join(', ')}), or a pattern with options`);

  return z.strictObject({
    question: z.string().min(1).describe('the question that the scenario answers, in one sentence'),
    notice: z.array(z.string().min(1)).default([]).describe('what a reader should look at in the report'),
    answer: z
      .array(metricName)
      .max(6)
      .default([])
      .describe(
        'metrics that the question asks for: the first two stand in the first sentence of the report, ' +
          'all in a table; the delivery latency when left out',
      ),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1)
      .describe('same seed, same schedule, sizes and jitter'),
    subscribers: positive.max(1_000_000).describe('simulated clients'),
    topics: z
      .record(
        z
          .string()
          .regex(topicPattern, { error: 'a topic has a name of 1 to 128 letters, digits and . _ : ~ -' }),
        topicGroup,
      )
      .refine((groups) => Object.keys(groups).length > 0, { error: 'a scenario has at least one topic' })
      .describe('groups of topics by name: what is published on them, and who follows them'),
    payload: payload
      .prefault('256B')
      .describe(
        'what the events carry: a size such as 1KiB, for generated JSON, ' +
          'or "from" with the name of a file or package',
      ),
    phases: phases.prefault({}).describe('how long each phase of a trial lasts'),
    variants: z
      .array(variant)
      .min(1)
      .prefault(names)
      .describe('what is measured, one after another; all patterns when left out'),
    repeat: positive.max(1000).default(1).describe('trials per variant'),
    loadProcesses: positive
      .max(64)
      .optional()
      .describe('how many load processes; by default as many as descriptors and cores ask for'),
    server: server.prefault({}).describe("the reference server's limits"),
    reconnect: reconnect.prefault({}).describe('how subscribers wait before they reconnect'),
    faults: z.array(fault).max(1000).default([]).describe('what goes wrong during the measured phase'),
    matrix: matrix.default({}),
    search: z
      .array(searchSchema)
      .max(10)
      .default([])
      .describe('step searches, in place of one trial for each variant'),
    closedLoop: closedLoop.optional(),
    curves: z
      .array(metricName)
      .max(12)
      .default(['latency.p50', 'server-cpu-per-delivery', 'bytes-per-delivery', 'requests-per-delivery'])
      .describe("metrics that the report draws over the matrix' parameters"),
    axis: axis.optional(),
    browser: browser
      .optional()
      .describe('subscribers are pages of browsers, whose other requests need a connection too'),
    endpoints: z
      .array(conduct)
      .max(20)
      .default([])
      .describe('how webhook endpoints fall short; all answer well when left out'),
    expect: z.array(expectation).max(1000).default([]).describe('what must hold for exit code 0'),
    gate: gateSchema.optional(),
  });
}

export type Scenario = z.output<ReturnType<typeof scenarioSchema>> & {
  /** The file's name without its ending. */
  name: string;
  /** Of the matrix; none without one. */
  cells: ScenarioCell[];
};
/** A cell of a matrix: the scenario with the cell's values in it. */
export type ScenarioCell = { parameters: Parameters; scenario: Scenario };
export type TopicGroup = Scenario['topics'][string];
export type Arrivals = TopicGroup['publish'];
export type Payload = Scenario['payload'];
export type Fault = Scenario['faults'][number];
export type ServerLimits = Scenario['server'];

export type ClosedLoop = NonNullable<Scenario['closedLoop']>;
export type Browser = NonNullable<Scenario['browser']>;
export type ReconnectPolicy = Scenario['reconnect'];
export type Phases = Scenario['phases'];

/** A server's limits where no scenario sets them. */
export const defaultLimits: ServerLimits = server.parse({});
