// Describes one trial in a result: what ran, what to beware of, and what was measured.

import { z } from 'zod';
import { counterNames } from './counters.ts';
import { evidence } from './evidence.ts';
import { hostMemory } from './host-memory.ts';
import { latencies, precision } from './latencies.ts';
import { ledgerCounts as ledger } from './ledger-counts.ts';
import { connecting, descriptors, pinned, processUse } from './process-use.ts';
import { fault } from './trial-fault.ts';
import { recovery } from './recovery.ts';
import { series } from './series.ts';
import { simulatedTrial } from './simulated.ts';
import { storedHistogram as histogram } from './stored-histogram.ts';

const count = z.int().min(0);

const counters = z.strictObject(
  Object.fromEntries(counterNames.map((name) => [name, z.int().default(0)])) as Record<
    (typeof counterNames)[number],
    z.ZodDefault<z.ZodInt>
  >,
);

const warning = z.strictObject({
  code: z.string(),
  /** `invalid`: some figures of the trial are void. `note`: read the numbers with this in mind. */
  level: z.enum(['invalid', 'note']),
  message: z.string().describe('what was seen, with its figure, and what to do about it'),
});

const completed = z.strictObject({
  status: z.literal('completed'),
  valid: z.boolean().describe('nothing of the trial is void: no warning is of level `invalid`'),
  simulated: simulatedTrial
    .optional()
    .describe('nothing of this was measured: it was computed; left out of what was measured'),
  voids: z
    .record(z.string(), z.array(z.enum(evidence)))
    .optional()
    .describe(
      'what is void, by the code of the warning that says why; of a trial that is not valid and has none, ' +
        'as in older results, everything is',
    ),
  latency: latencies,
  precision: z
    .strictObject({
      mostReceivers: z.int().min(1).describe('receivers that an event has at the most'),
      endToEnd: precision,
      acceptToReceipt: precision,
    })
    .optional()
    .describe('how sure percentiles over deliveries are, whose samples are events; not in older results'),
  latencyAroundFaults: z
    .strictObject({
      before: histogram.describe('of events planned before the first fault began'),
      during: histogram.describe(
        'of events planned from then until the last fault was over and the last client that it cut off back',
      ),
      toUs: z.number().describe('when that was, from the start of the measured phase'),
    })
    .optional()
    .describe(
      'planned publish time to receipt, in whole slots of the series; left out without faults, and in ' +
        'older results',
    ),
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
  connectUs: z
    .number()
    .optional()
    .describe('first connection to last subscriber ready; left out of simulations'),
  connecting: connecting.optional().describe('what that took; left out of simulations and in older results'),
  warmUp: z
    .strictObject({
      events: count,
      deliveries: count,
      tookUs: z.number(),
      whole: z
        .boolean()
        .describe('as many deliveries as make a server warm; else time or the pattern set an end'),
    })
    .optional()
    .describe(
      'bursts before the warm-up phase, counted nowhere else but in the counters of the whole trial; ' +
        'left out where there were none, and in older results',
    ),
  transports: z
    .record(z.string(), count)
    .optional()
    .describe('subscribers by the pattern whose transport they came to, where the variant falls back'),
  compression: z
    .strictObject({
      asked: z.enum(['gzip', 'permessage-deflate']),
      came: count.describe('streams, answers with events or sockets that came compressed'),
    })
    .optional()
    .describe(
      'left out where subscribers asked for none or got no event, of simulations, and in older results',
    ),
  subscribers: z.int().min(1).describe('connected when the measured phase began'),
  connections: count
    .optional()
    .describe(
      'that subscribers held at rest: all connected, no event yet; more than one each where a target ' +
        'carries one topic a connection; left out in older results',
    ),
  servers: z
    .strictObject({
      count: z.int().min(1).describe('servers, those included that a fault started'),
      broker: z.string().describe('what connected them, as the scenario names it'),
      inFront: z.string().describe('how subscribers found a server'),
    })
    .optional()
    .describe('left out of a server by itself, and in older results'),
  wayIn: z
    .string()
    .optional()
    .describe(
      'how clients got in: TLS, tokens; left out where freely and in clear text, and in older results',
    ),
  measuredUs: z.number(),
  drainUs: z
    .number()
    .optional()
    .describe('last planned event to the last delivery, or to the drain limit; left out of simulations'),
  measuredDeliveries: count.describe(
    'deliveries received within the measured phase; the base of per-delivery costs',
  ),
  descriptors: descriptors.nullable().describe('null where /proc is not to be had'),
  kernelSocketBytes: z
    .number()
    .nullable()
    .describe('kernel memory of all TCP sockets of the host, both ends, peak above baseline'),
  hostMemory: hostMemory
    .optional()
    .describe('host-wide; left out where it could not be read, of simulations and in older results'),
  network: z
    .strictObject({
      segments: count.describe(
        'TCP segments that the host sent during the measured phase, publishing included',
      ),
      wireBytes: count.describe('bytes of the same with the headers of TCP and IP'),
      idleBytesPerS: z
        .number()
        .min(0)
        .optional()
        .describe('what the host sent before the first subscriber connected; left out in older results'),
      explained: z
        .strictObject({
          mostSegments: count.describe('more than the connections of the trial can have taken'),
          mostBytes: count,
          leastBytes: count.describe('what they carried, without any header'),
        })
        .optional()
        .describe('by what both sides and the publisher counted; left out in older results'),
    })
    .optional()
    .describe(
      "host-wide, so it is the trial's where nothing else talks (warning wire-others where something did); " +
        'left out where it could not be read, where servers talk to a broker or are reached through a ' +
        'proxy, and where a server was killed',
    ),
  throttling: z
    .strictObject({
      periods: count.describe('of the quota, 100 ms each as a rule, in which the processes ran'),
      throttledPeriods: count.describe('in which they used the quota up and were stopped'),
      throttledUs: z.number().min(0).describe('how long they were stopped, added up over the cores'),
    })
    .optional()
    .describe(
      'what a CPU quota of the container (a cgroup) did to all processes of the trial in the measured ' +
        'phase; left out where there is no quota, and in older results',
    ),
  noProc: z
    .literal(true)
    .optional()
    .describe('the system has no /proc, so what is read from it was not measured'),
  processes: z.array(processUse),
  faults: z
    .array(fault)
    .optional()
    .describe(
      'in the order of their planned time; left out where the scenario has none, and in older results',
    ),
  recovery: recovery
    .optional()
    .describe(
      'of subscribers that were away in the measured phase or the drain; left out where none was, and in ' +
        'older results',
    ),
  series,
  problems: z.array(z.strictObject({ code: z.string(), message: z.string(), count })),
});

const failed = z.strictObject({
  status: z.literal('failed'),
  valid: z.literal(false),
  code: z.string(),
  message: z.string(),
});

export const trial = z.strictObject({
  variant: z.strictObject({
    pattern: z.string(),
    label: z.string(),
    as: z.string().optional().describe('what the scenario calls it for readers'),
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
  pinned: pinned.optional().describe('left out where all processes shared all cores'),
  warnings: z.array(warning),
  outcome: z.discriminatedUnion('status', [completed, failed]),
});

export type Trial = z.infer<typeof trial>;
export type Completed = z.infer<typeof completed>;
export type ResultWarning = z.infer<typeof warning>;
