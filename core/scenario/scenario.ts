// Describes a scenario: who subscribes to what, what is published when, what goes wrong, and what is
// expected. This is its schema and resolved type; its larger parts are files of their own beside it. Reading
// YAML and pointing at mistakes is scenario-file.ts; contradictions between several parts are found by
// contradictions.ts.
//
// Messages: a schema's own `error` ends the sentence "expected ..."; the `error` of a `refine` is a whole
// sentence.

import { z } from 'zod';
import { conduct } from './endpoint-conduct.ts';
import { topicPattern } from '../event/envelope.ts';
import { faultSchema } from '../fault/faults.ts';
import { gateSchema } from '../comparison/gate.ts';
import { browser, reconnect } from './clients.ts';
import { expectation } from './expectation-schema.ts';
import type { Parameters } from './matrix.ts';
import { axis, matrix } from './matrix-schema.ts';
import { steadyNetwork } from '../network/conditions.ts';
import { metrics } from '../metrics/registry.ts';
import type { PatternRegistry } from '../pattern/pattern.ts';
import { searchSchema } from './search.ts';
import { server } from './server-options.ts';
import { servers } from './servers.ts';
import { payload, topicGroup, type Spacing } from './topic-group.ts';
import { variantSchema } from './variant-schema.ts';
import { duration, interval } from '../base/quantities.ts';

export { defaultLimits, type ServerLimits } from './server-limits.ts';

const positive = z.int().min(1);

const closedLoop = z
  .strictObject({
    connections: positive
      .max(10_000)
      .default(50)
      .describe('connections, each of which sends its next request when the last one was answered'),
    for: interval
      .refine((ms) => ms >= 1000 && ms % 1000 === 0, { error: 'whole seconds, at least 1s' })
      .prefault('4s')
      .describe('how long each endpoint is asked, in whole seconds'),
  })
  .describe(
    'after the trials: how many requests a second a server process can answer, polls and publishing, ' +
      'in a closed loop',
  );

const metricName = z.string().superRefine((name, context) => {
  if (!Object.hasOwn(metrics, name))
    context.addIssue({ code: 'custom', message: `there is no metric "${name}"` });
});

/** A slot of the time series is never wider than this where the measured phase is short. */
const leastMeasureMs = 1000;

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

/** The schema of a scenario file over the patterns of `registry`. */
export function scenarioSchema(registry: PatternRegistry) {
  return z.strictObject({
    question: z.string().min(1).describe('the question that the scenario answers, in one sentence'),
    notice: z.array(z.string().min(1)).default([]).describe('what a reader should look at in the report'),
    answer: z
      .array(metricName)
      .max(8)
      .default([])
      .describe(
        'metrics that the question asks for: the first two are in the first sentence of the report, ' +
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
      .describe('groups of topics by name, with their events and their followers'),
    payload: payload
      .prefault('256B')
      .describe(
        'payload of the events: a size such as 1KiB, for generated JSON, or "from" with the name of a ' +
          'file or package',
      ),
    phases: phases.prefault({}).describe('how long each phase of a trial lasts'),
    variants: z
      .array(variantSchema(registry))
      .min(1)
      .prefault(Object.keys(registry))
      .describe('what is measured, one after another; all patterns when left out'),
    repeat: positive.max(1000).default(1).describe('trials per variant'),
    loadProcesses: positive
      .max(64)
      .optional()
      .describe('how many load processes; by default as many as descriptors and cores require'),
    servers: servers
      .prefault({})
      .describe('how many reference servers, which broker connects them, and what is in front of them'),
    network: steadyNetwork
      .optional()
      .describe('properties of the network between the processes of a trial; plain loopback when left out'),
    server: server.prefault({}).describe("the reference server's limits, TLS, and how it checks tokens"),
    reconnect: reconnect.prefault({}).describe('how subscribers wait before they reconnect'),
    faults: z.array(faultSchema).max(1000).default([]).describe('what goes wrong during the measured phase'),
    matrix: matrix.default({}),
    search: z
      .array(searchSchema)
      .max(10)
      .default([])
      .describe('step searches, instead of one trial for each variant'),
    closedLoop: closedLoop.optional(),
    curves: z
      .array(metricName)
      .max(12)
      .default(['latency.p50', 'server-cpu-per-delivery', 'bytes-per-delivery', 'requests-per-delivery'])
      .describe(
        "metrics that the report draws over the matrix' parameters; with an empty list it draws no " +
          'curves, but a table of "answer" for each setting, and charts over time',
      ),
    axis: axis.optional(),
    browser: browser
      .optional()
      .describe('subscribers are pages of browsers, whose other requests need a connection too'),
    endpoints: z
      .array(conduct)
      .max(20)
      .default([])
      .describe('how webhook endpoints misbehave; all answer well when left out'),
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
/** How events of all topics of a group together are spaced; `inAll` of arrivals.ts makes it. */
export type Arrivals = Spacing & { each?: never };
export type Payload = Scenario['payload'];

export type ClosedLoop = NonNullable<Scenario['closedLoop']>;
export type Browser = NonNullable<Scenario['browser']>;
export type { ReconnectPolicy } from '../policy/client/reconnect.ts';
export type Phases = Scenario['phases'];
