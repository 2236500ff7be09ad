// The result of a run: the one value that reports, comparison and gates read. Versioned and
// self-describing, so that a file written today can be read, redrawn and compared years from now.
// Everything in it was measured or says what it was derived from; nothing here is for display only.

import { z } from 'zod';
import { counterNames } from './counters.ts';

export const resultFormat = 'pushbench-result';
/** Grows when a reader of the previous version could not read the file. */
export const resultVersion = 2;

const count = z.int().min(0);

const histogram = z.strictObject({
  v2: z.string().describe('HdrHistogram V2, compressed, base64; microseconds'),
  count,
  sumUs: z.number(),
  minUs: z.number(),
  maxUs: z.number(),
  overRange: count.describe('samples above the histogram, not in it'),
  negative: count.describe('samples below zero, not in it: a clock or a stamp was wrong'),
});

const counters = z.strictObject(
  Object.fromEntries(counterNames.map((name) => [name, z.int().default(0)])) as Record<
    (typeof counterNames)[number],
    z.ZodDefault<z.ZodInt>
  >,
);

const warning = z.strictObject({
  code: z.string(),
  /** `invalid`: the trial does not count. `note`: read the numbers with this in mind. */
  level: z.enum(['invalid', 'note']),
  message: z.string().describe('what was seen, with its figure, and what to do about it'),
});

const ledger = z.strictObject({
  published: count.describe('measured events that the server confirmed'),
  unconfirmed: count.describe('measured events sent without an answer; they are expected from nobody'),
  expected: count.describe('deliveries: each published event once for each follower of its topic'),
  delivered: count,
  missed: count,
  duplicated: count,
  reordered: count,
  resumed: count,
  corrupted: count,
  unexpected: count,
  missing: z
    .array(z.strictObject({ subscriber: count, topic: z.string(), from: count, to: count }))
    .describe('some of the missed'),
});

const series = z.strictObject({
  slotUs: z.number().describe('width of a slot; slot 0 starts with the measured phase'),
  startUs: z
    .array(z.number())
    .describe('start of each slot, microseconds from the start of the measured phase; negative before it'),
  /** One value per slot, null where nothing was sampled. Names and units: seriesColumns. */
  columns: z.record(z.string(), z.array(z.number().nullable())),
});

const processUse = z.strictObject({
  role: z.enum(['server', 'load', 'publisher']),
  pid: count,
  cpuUs: z.number().describe('user and system CPU time during the measured phase'),
  wallUs: z.number().describe('length of the stretch that cpuUs was taken over'),
  rssBaselineBytes: z
    .number()
    .describe('resident memory before the first subscriber, after a forced collection'),
  rssConnectedBytes: z
    .number()
    .describe(
      'resident memory with all subscribers connected, before the first event, after a forced collection',
    ),
  rssPeakBytes: z.number(),
  loopDelayP99Us: z
    .number()
    .describe(
      "worst slot; a server's: how long a turn of its event loop took, the load side's: how late a timer " +
        'of 10 ms came to its turn',
    ),
  loopDelayMaxUs: z.number(),
  gcPauseUs: z.number().describe('total during the measured phase'),
  outside: z
    .literal(true)
    .optional()
    .describe(
      'a process that is not ours, read from /proc: no collection was forced, event loop and garbage ' +
        'collection were not measured and stand at nought',
    ),
});

const descriptors = z.strictObject({
  limit: count.describe("the server process's own soft limit, read at run time"),
  baseline: count,
  connected: count.describe('all subscribers connected, no event yet'),
  peak: count,
  socketsBaseline: count,
  socketsConnected: count,
});

const completed = z.strictObject({
  status: z.literal('completed'),
  /** A trial is valid when no warning is of level `invalid`. */
  valid: z.boolean(),
  latency: z.strictObject({
    endToEnd: histogram.describe('planned publish time to receipt, per delivery'),
    acceptToReceipt: histogram.describe("server's acceptance to receipt, per delivery"),
    publisherLag: histogram.describe('planned to sent, per event'),
    publishRoundTrip: histogram.describe('sent to confirmed, per event'),
    firstReceiver: histogram.describe('planned to first receipt, per event with several receivers'),
    medianReceiver: histogram,
    lastReceiver: histogram,
    page: histogram
      .optional()
      .describe(
        "planned time of a browser's other request to its answer, where subscribers are pages of browsers",
      ),
    upstream: histogram
      .optional()
      .describe(
        "planned time of a subscriber's own message to the server's " +
          'acknowledgement, where subscribers publish',
      ),
  }),
  latencyByAttempt: z
    .array(z.strictObject({ attempt: z.int().min(1), histogram }))
    .optional()
    .describe('planned publish time to receipt, by the attempt that brought it; of patterns that try again'),
  ledger,
  counters: z.strictObject({
    server: counters.describe('whole trial'),
    client: counters.describe('whole trial'),
    serverMeasured: counters.describe('between the two ends of the measured phase'),
    clientMeasured: counters,
  }),
  checks: z.array(
    z.strictObject({
      name: z.string().describe('what both sides counted'),
      server: z.number(),
      client: z.number(),
      agree: z.boolean(),
      note: z.string().describe('why a difference is explained, or empty'),
    }),
  ),
  /** Of the measured phase, where subscribers are pages of browsers. */
  pageRequests: z.strictObject({ planned: count, answered: count }).optional(),
  connectUs: z.number().describe('first connection to last subscriber ready'),
  subscribers: z.int().min(1).describe('connected when the measured phase began'),
  measuredUs: z.number(),
  drainUs: z.number().describe('last planned event to the last delivery, or to the drain limit'),
  measuredDeliveries: count.describe(
    'deliveries received within the measured phase; the base of per-delivery costs',
  ),
  descriptors: descriptors.nullable().describe('null where /proc is not to be had'),
  kernelSocketBytes: z
    .number()
    .nullable()
    .describe('kernel memory of all TCP sockets of the host, both ends, peak above baseline'),
  network: z
    .strictObject({
      segments: count.describe(
        'TCP segments that the host sent during the measured phase, publishing included',
      ),
      wireBytes: count.describe('bytes of the same with the headers of TCP and IP'),
    })
    .optional()
    .describe(
      "host-wide, so it is the trial's where nothing else talks; left out where it could not be read",
    ),
  processes: z.array(processUse),
  series,
  problems: z.array(z.strictObject({ code: z.string(), message: z.string(), count })),
});

const failed = z.strictObject({
  status: z.literal('failed'),
  valid: z.literal(false),
  code: z.string(),
  message: z.string(),
});

const trial = z.strictObject({
  variant: z.strictObject({
    pattern: z.string(),
    label: z.string(),
    options: z.record(z.string(), z.unknown()),
    target: z.string().optional().describe('the target that it ran against; our own server when left out'),
  }),
  cell: z
    .strictObject({
      variant: z.string().describe('label of the variant without the parameters'),
      parameters: z
        .record(z.string(), z.string())
        .describe('path in the scenario and value, as written there'),
      subscribers: count,
      events: count,
      deliveries: count,
    })
    .optional()
    .describe('of a matrix or a search: what was different from the scenario in this trial'),
  /** 1 for the first trial of the variant. */
  repetition: z.int().min(1),
  startedAt: z.iso.datetime(),
  injected: z
    .string()
    .optional()
    .describe('what the server was made worse by on purpose, as --inject takes it'),
  warnings: z.array(warning),
  outcome: z.discriminatedUnion('status', [completed, failed]),
});

const expectation = z.strictObject({
  variant: z.string(),
  repetition: z.int().min(1),
  check: z.string().describe('as the scenario wrote it'),
  metric: z.string(),
  bound: z.number(),
  measured: z.number().nullable().describe('null when the trial had no such figure'),
  held: z.boolean(),
});

/**
 * How far a run came. A result is unfinished from before its first trial until
 * everything planned was measured.
 */
const state = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('finished') }),
  z.strictObject({
    kind: z
      .literal('unfinished')
      .describe('when this was written the run went on; where it does no longer, it was killed'),
  }),
  z.strictObject({ kind: z.literal('interrupted'), by: z.string().describe('the signal') }),
  z.strictObject({ kind: z.literal('failed'), why: z.string().describe('the problem that ended the run') }),
]);

const planned = z.strictObject({
  trials: z
    .array(z.strictObject({ variant: z.string(), repetition: z.int().min(1) }))
    .describe('in the order of the result; empty for a search, whose trials depend on one another'),
  searches: z.array(z.strictObject({ variant: z.string(), what: z.string() })),
  afterwards: z.array(z.enum(['closedLoop', 'chromium'])).describe('measured when the trials are over'),
});

export const resultSchema = z.strictObject({
  format: z.literal(resultFormat),
  version: z.literal(resultVersion),
  pushbench: z.string().describe('version of pushbench that measured'),
  createdAt: z.iso.datetime(),
  command: z.string().describe('repeats the run'),
  seed: count,
  scenario: z.strictObject({
    name: z.string(),
    question: z.string(),
    notice: z.array(z.string()),
    subscribers: count,
    topics: count,
    events: count.describe('measured events in the schedule, per trial'),
    deliveries: count.describe('measured deliveries that the schedule asks for, per trial'),
    answer: z.array(z.string()).optional().describe('metrics that the question asks for'),
    curves: z
      .array(z.string())
      .optional()
      .describe('of a matrix or a search: metrics to draw over its parameters'),
    axis: z
      .strictObject({ says: z.string(), times: z.number(), perSubscriber: z.boolean() })
      .optional()
      .describe(
        'what the first parameter means to a reader, and what its value is multiplied with to be that',
      ),
    phasesMs: z.strictObject({
      connect: z.number(),
      warmup: z.number(),
      measure: z.number(),
      drain: z.number(),
    }),
    source: z.string().describe('the YAML as run, overrides included'),
  }),
  environment: z.strictObject({
    os: z.string(),
    kernel: z.string(),
    cpu: z.string(),
    cores: count,
    memoryBytes: z.number(),
    node: z.string(),
    descriptorLimit: count.nullable(),
    commit: z.string().nullable().describe('of pushbench itself, when run from its repository'),
  }),
  patterns: z
    .record(
      z.string(),
      z.strictObject({
        title: z.string(),
        how: z.string(),
        lacks: z.record(z.string(), z.string()),
      }),
    )
    .describe('what the patterns in this result are and cannot do'),
  targets: z
    .array(
      z.strictObject({
        name: z.string(),
        url: z.string(),
        leftOut: z
          .array(z.strictObject({ variant: z.string(), reason: z.string() }))
          .describe('variants that did not run against it'),
      }),
    )
    .optional()
    .describe('systems that are not ours, beside which or in whose place our servers ran'),
  trials: z.array(trial),
  arm: z.string().optional().describe('of pushbench ab: what this side was called'),
  order: z
    .strictObject({
      design: z
        .literal('balanced-blocks')
        .describe(
          'trials were interleaved: every repetition runs each variant once, in an order that changes so ' +
            'that each comes as often before as after each other',
        ),
      seed: count.describe('of the order'),
    })
    .optional()
    .describe('in which the trials ran, where it is not that of the list: each says when it started'),
  searches: z
    .array(
      z.strictObject({
        variant: z.string(),
        what: z.string().describe('path in the scenario'),
        keep: z.string().describe('the check that had to hold'),
        like: z.string().describe('the first value, as the scenario writes it: the unit of all others'),
        resolution: z
          .number()
          .describe('share by which the first value that broke the check may lie above the last that held'),
        over: z
          .boolean()
          .default(true)
          .describe('it came to its end; a run that was cut short may have cut it off'),
        steps: z.array(
          z.strictObject({
            value: z.number(),
            verdict: z.enum(['held', 'broken', 'ended']),
            measured: z.number().nullable(),
            why: z.string().describe('why a trial ended the search, or what else was wrong'),
          }),
        ),
        limit: z.discriminatedUnion('kind', [
          z.strictObject({ kind: z.literal('found'), value: z.number(), brokenAt: z.number() }),
          z.strictObject({ kind: z.literal('at-least'), value: z.number() }),
          z.strictObject({ kind: z.literal('below'), value: z.number() }),
          z.strictObject({ kind: z.literal('none') }),
        ]),
      }),
    )
    .optional(),
  closedLoop: z
    .array(
      z.strictObject({
        endpoint: z.string(),
        connections: count,
        requestsPerS: z.number(),
        serverCpuShare: z.number().describe('1 is one core'),
        clientCpuShare: z.number(),
        errors: count,
      }),
    )
    .optional()
    .describe('requests that one server process answered when clients asked as fast as they were answered'),
  chromium: z
    .discriminatedUnion('status', [
      z.strictObject({
        status: z.literal('measured'),
        version: z.string(),
        patienceMs: z.number().describe('for a stream to stand, and for an answer'),
        opened: z.array(
          z.strictObject({
            variant: z.string(),
            pages: count,
            streams: count.describe('pages whose stream stood'),
            answered: count.describe(
              'pages that were then answered when each asked the same host for something else',
            ),
          }),
        ),
      }),
      z.strictObject({ status: z.literal('skipped'), reason: z.string() }),
    ])
    .optional()
    .describe('pages of a real Chromium on our server'),
  expectations: z.array(expectation),
  planned: planned.optional().describe('all that the run was to measure; left out in results of version 1'),
  state,
});

/** Version 1 said no more than whether a run was interrupted, and of a run that was killed not even that. */
const firstVersion = resultSchema
  .omit({ version: true, planned: true, state: true })
  .extend({
    version: z.literal(1),
    interrupted: z.boolean(),
  })
  .transform(({ interrupted, ...rest }): Result => ({
    ...rest,
    version: resultVersion,
    state: interrupted ? { kind: 'interrupted', by: 'a signal' } : { kind: 'finished' },
  }));

/** What reads a result of this version or an earlier one. */
export function resultSchemaOf(version: number): z.ZodType<Result> {
  return version === 1 ? firstVersion : resultSchema;
}

export type Result = z.infer<typeof resultSchema>;
export type Planned = z.infer<typeof planned>;
export type Trial = z.infer<typeof trial>;
export type Completed = z.infer<typeof completed>;
export type ResultWarning = z.infer<typeof warning>;
export type Expectation = z.infer<typeof expectation>;
export type Series = z.infer<typeof series>;
export type ProcessUse = z.infer<typeof processUse>;
export type Environment = Result['environment'];

/** The columns of a time series with their units. Rates are per second over the slot. */
export const seriesColumns = {
  latencyP50Us: 'median latency of the events planned in the slot',
  latencyP99Us: '99th percentile of the same',
  latencyMaxUs: 'largest of the same',
  deliveries: 'deliveries of the events planned in the slot',
  connected: 'subscribers connected at the end of the slot',
  requestsPerS: 'requests the subscribers made, by any kind',
  bytesPerS: 'bytes the subscribers received',
  serverDescriptors: 'descriptors the server held',
  serverCpuShare: 'CPU of the server, 1 is one core',
  loadCpuShare: 'CPU of all load processes together',
  publisherCpuShare: 'CPU of the publisher',
  serverRssBytes: 'resident memory of the server',
  loadRssBytes: 'resident memory of all load processes',
  kernelSocketBytes: 'kernel memory of all TCP sockets of the host',
  serverLoopDelayP99Us: "99th percentile of the server's event-loop delay",
  loadLoopDelayP99Us: 'the same of the worst load process',
  serverBacklog: 'deliveries that the server had accepted and not made',
  serverOldestMs: "age of the oldest of them, on the server's own clock",
  serverGcPauseUs: 'time the server spent collecting garbage',
} as const;
export type SeriesColumn = keyof typeof seriesColumns;
