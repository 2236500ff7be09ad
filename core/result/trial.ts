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
  message: z.string().describe('what was observed, with its figure, and what to do about it'),
});

const completed = z.strictObject({
  status: z.literal('completed'),
  valid: z.boolean().describe('nothing of the trial is void: no warning is of level `invalid`'),
  simulated: simulatedTrial
    .optional()
    .describe('this was computed, not measured; left out of measured trials'),
  voids: z
    .record(z.string(), z.array(z.enum(evidence)))
    .optional()
    .describe(
      'what is void, by the code of the warning that says why; in a trial that is not valid and has no ' +
        'such list, as in older results, everything is void',
    ),
  latency: latencies,
  precision: z
    .strictObject({
      mostReceivers: z.int().min(1).describe('the most receivers of an event'),
      endToEnd: precision,
      acceptToReceipt: precision,
    })
    .optional()
    .describe('how sure percentiles over deliveries are, whose samples are events; not in older results'),
  latencyAroundFaults: z
    .strictObject({
      before: histogram.describe('latency of events planned before the first fault began'),
      during: histogram.describe(
        'latency of events planned from then until the last fault was over and the last client that ' +
          'was cut off was back',
      ),
      toUs: z.number().describe('the time of that, from the start of the measured phase'),
    })
    .optional()
    .describe(
      'planned publish time to receipt, in whole slots of the series; left out without faults, and in ' +
        'older results',
    ),
  latencyByAttempt: z
    .array(z.strictObject({ attempt: z.int().min(1), histogram }))
    .optional()
    .describe('planned publish time to receipt, by the number of the attempt; for patterns with retries'),
  ledger,
  counters: z.strictObject({
    server: counters.describe('whole trial'),
    client: counters.describe('whole trial'),
    serverMeasured: counters.describe('between the two ends of the measured phase'),
    clientMeasured: counters,
  }),
  checks: z.array(
    z.strictObject({
      name: z.string().describe('the name of what both sides counted'),
      server: z.number(),
      client: z.number(),
      agree: z.boolean(),
      note: z.string().describe('what explains a difference; otherwise empty'),
    }),
  ),
  /** Of the measured phase, where subscribers are pages of browsers. */
  pageRequests: z.strictObject({ planned: count, answered: count }).optional(),
  connectUs: z
    .number()
    .optional()
    .describe('first connection to last subscriber ready; left out of simulations'),
  connecting: connecting
    .optional()
    .describe('the costs of connecting; left out of simulations and older results'),
  warmUp: z
    .strictObject({
      events: count,
      deliveries: count,
      tookUs: z.number(),
      whole: z.boolean().describe('all bursts were made; otherwise the time or the pattern ended them'),
    })
    .optional()
    .describe(
      'bursts before the warm-up phase, which otherwise count only in the counters of the whole trial; ' +
        'left out if there were none, and in older results',
    ),
  transports: z
    .record(z.string(), count)
    .optional()
    .describe('subscribers by the pattern whose transport they used, if the variant has a fallback'),
  compression: z
    .strictObject({
      asked: z.enum(['gzip', 'permessage-deflate']),
      came: count.describe('streams, answers with events and sockets that were compressed'),
    })
    .optional()
    .describe(
      'left out if subscribers did not ask for compression or got no event, in simulations and older results',
    ),
  subscribers: z.int().min(1).describe('subscribers that were connected when the measured phase began'),
  connections: count
    .optional()
    .describe(
      'connections of the subscribers at rest: all connected, no event yet. Several for each if a ' +
        'target has a connection for each topic; left out in older results',
    ),
  servers: z
    .strictObject({
      count: z.int().min(1).describe('number of servers, including those that a fault started'),
      broker: z.string().describe('the broker that connected them, as the scenario names it'),
      inFront: z.string().describe('how subscribers found a server'),
    })
    .optional()
    .describe('left out for a single server, and in older results'),
  wayIn: z
    .string()
    .optional()
    .describe('whether clients used TLS and tokens; left out if neither, and in older results'),
  measuredUs: z.number(),
  drainUs: z
    .number()
    .optional()
    .describe('last planned event to the last delivery, or to the drain limit; left out of simulations'),
  measuredDeliveries: count.describe(
    'deliveries received within the measured phase; the base of per-delivery costs',
  ),
  descriptors: descriptors.nullable().describe('null without /proc'),
  kernelSocketBytes: z
    .number()
    .nullable()
    .describe('kernel memory of all TCP sockets of the host, both ends, peak above baseline'),
  hostMemory: hostMemory
    .optional()
    .describe('of the whole host; left out if it could not be read, of simulations and in older results'),
  network: z
    .strictObject({
      segments: count.describe(
        'TCP segments that the host sent during the measured phase, publishing included',
      ),
      wireBytes: count.describe('bytes of these segments with the headers of TCP and IP'),
      idleBytesPerS: z
        .number()
        .min(0)
        .optional()
        .describe(
          'bytes a second that the host sent before the first subscriber connected; left out in older ' +
            'results',
        ),
      explained: z
        .strictObject({
          mostSegments: count.describe("an upper bound of the segments of the trial's connections"),
          mostBytes: count,
          leastBytes: count.describe('their contents, without any header'),
        })
        .optional()
        .describe('what the counts of both sides and the publisher explain; left out in older results'),
    })
    .optional()
    .describe(
      'of the whole host, so it is right only without other traffic (warning wire-others if there was ' +
        'some); left out if it could not be read, with a broker or a proxy, and if a server was killed',
    ),
  throttling: z
    .strictObject({
      periods: count.describe('periods of the quota, usually 100 ms each, in which the processes ran'),
      throttledPeriods: count.describe('periods in which they used up the quota and were stopped'),
      throttledUs: z.number().min(0).describe('how long they were stopped, summed over the cores'),
    })
    .optional()
    .describe(
      'effect of a CPU quota of the container (a cgroup) on all processes of the trial in the measured ' +
        'phase; left out without a quota, and in older results',
    ),
  noProc: z
    .literal(true)
    .optional()
    .describe('the system has no /proc, so figures from it were not measured'),
  processes: z.array(processUse),
  faults: z
    .array(fault)
    .optional()
    .describe('in the order of their planned time; left out if the scenario has none, and in older results'),
  recovery: recovery
    .optional()
    .describe(
      'about subscribers that were away in the measured phase or the drain; left out if none was, and ' +
        'in older results',
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
    as: z.string().optional().describe('its name in the scenario, for readers'),
    options: z.record(z.string(), z.unknown()),
    target: z.string().optional().describe('the target that it ran against; our own server when left out'),
  }),
  cell: z
    .strictObject({
      variant: z.string().describe('label of the variant without the parameters'),
      parameters: z.record(z.string(), z.string()).describe('path and value, as written in the scenario'),
      subscribers: count,
      events: count,
      deliveries: count,
    })
    .optional()
    .describe('for a matrix or a search: the values of this trial'),
  /** 1 for the first trial of the variant. */
  repetition: z.int().min(1),
  startedAt: z.iso.datetime(),
  injected: z
    .string()
    .optional()
    .describe('how the server was made worse on purpose, in the form of --inject'),
  pinned: pinned.optional().describe('left out where all processes shared all cores'),
  warnings: z.array(warning),
  outcome: z.discriminatedUnion('status', [completed, failed]),
});

export type Trial = z.infer<typeof trial>;
export type Completed = z.infer<typeof completed>;
export type ResultWarning = z.infer<typeof warning>;
