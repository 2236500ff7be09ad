// Describes one trial in a result: what ran, its warnings, and what was measured.

import { z } from 'zod';
import { counterMeanings, counterNames, type CounterName } from './counters.ts';
import { evidence } from './evidence.ts';
import { hostMemory } from './host-memory.ts';
import { network, throttling } from './host-traffic.ts';
import { latencies, precision } from './latencies.ts';
import { ledgerCounts as ledger } from './ledger-counts.ts';
import { connecting, descriptors, pinned, processUse } from './process-use.ts';
import { fault } from './trial-fault.ts';
import { recovery } from './recovery.ts';
import { series } from './series.ts';
import { simulatedTrial } from './simulated.ts';
import { storedHistogram as histogram } from './stored-histogram.ts';
import { workerUse } from './worker-use.ts';

const count = z.int().min(0);

export const counters = z.strictObject(
  Object.fromEntries(
    counterNames.map((name) => [name, z.int().default(0).describe(counterMeanings[name])]),
  ) as Record<CounterName, z.ZodDefault<z.ZodInt>>,
);

const warning = z.strictObject({
  code: z.string().describe('what it is about, in a word for programs'),
  level: z
    .enum(['invalid', 'note'])
    .describe('invalid: some figures of the trial are void; note: something to know when reading them'),
  message: z.string().describe('what was seen, with its figure, and what to do about it'),
});

const completed = z.strictObject({
  status: z.literal('completed').describe('the trial ran to its end'),
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
  latency: latencies.describe('everything that was timed, as histograms'),
  precision: z
    .strictObject({
      mostReceivers: z.int().min(1).describe('most receivers of one event'),
      endToEnd: precision.describe('of latency.endToEnd'),
      acceptToReceipt: precision.describe('of latency.acceptToReceipt'),
    })
    .optional()
    .describe('how sure the percentiles over deliveries are (samples are events); not in older results'),
  latencyAroundFaults: z
    .strictObject({
      before: histogram.describe('latency of events planned before the first fault began'),
      during: histogram.describe(
        'latency of events planned from then until the last fault was over and the last client that ' +
          'was cut off was back',
      ),
      toUs: z.number().describe('end of that time, from the start of the measured phase'),
    })
    .optional()
    .describe(
      'planned publish time to receipt, in whole slots of the series; left out without faults, and in ' +
        'older results',
    ),
  latencyByAttempt: z
    .array(
      z.strictObject({
        attempt: z.int().min(1).describe('from 1; late attempts share the last number'),
        histogram: histogram.describe('of the deliveries that it brought'),
      }),
    )
    .optional()
    .describe('planned publish time to receipt, by the attempt that brought it; of patterns that try again'),
  ledger: ledger.describe('what became of every delivery of the measured phase'),
  counters: z
    .strictObject({
      server: counters.describe('of all servers, over the whole trial'),
      client: counters.describe('of all load processes, over the whole trial'),
      serverMeasured: counters.describe('of the servers, in the measured phase'),
      clientMeasured: counters.describe('of the load processes, in the measured phase'),
    })
    .describe('what both sides counted, under the same names'),
  checks: z
    .array(
      z.strictObject({
        name: z.string().describe('what both sides counted'),
        server: z.number().describe("the servers' count"),
        client: z.number().describe("the load processes' count"),
        agree: z.boolean().describe('whether the two are the same'),
        note: z.string().describe('why a difference is explained, or empty'),
      }),
    )
    .describe('the counts of both sides compared'),
  pageRequests: z
    .strictObject({
      planned: count.describe('how many were to be made'),
      answered: count.describe('how many were answered'),
    })
    .optional()
    .describe("the browsers' other requests in the measured phase, where subscribers are pages of browsers"),
  connectUs: z
    .number()
    .optional()
    .describe('first connection to last subscriber ready; left out of simulations'),
  connecting: connecting
    .optional()
    .describe('the costs of connecting; left out of simulations and older results'),
  warmUp: z
    .strictObject({
      events: count.describe('events that were published in the bursts'),
      deliveries: count.describe('deliveries of these events'),
      tookUs: z.number().describe('how long the bursts took'),
      whole: z
        .boolean()
        .describe('whether all planned deliveries were made; if not, the pattern was too slow for them'),
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
      asked: z.enum(['gzip', 'permessage-deflate']).describe('what subscribers asked for'),
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
    .describe('whether clients used TLS and tokens; left out if they used neither, and in older results'),
  measuredUs: z.number().describe('length of the measured phase'),
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
    .describe('of the whole host; left out if it could not be read, in simulations and older results'),
  network: network.optional(),
  throttling: throttling.optional(),
  noProc: z
    .literal(true)
    .optional()
    .describe('the system has no /proc, so what is read from it was not measured'),
  processes: z.array(processUse).describe('what each process took'),
  workers: z
    .array(workerUse)
    .optional()
    .describe('what ran the load processes; left out if they ran beside the servers, and in older results'),
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
  series: series.describe('figures over time'),
  problems: z
    .array(
      z.strictObject({
        code: z.string().describe('what happened, in a word for programs'),
        message: z.string().describe('the same in a sentence'),
        count: count.describe('how often'),
      }),
    )
    .describe('what went wrong on the load side, without ending the trial'),
});

const failed = z.strictObject({
  status: z.literal('failed').describe('the trial could not be completed'),
  valid: z.literal(false),
  code: z.string().describe('why, in a word for programs'),
  message: z.string().describe('why, in a sentence'),
});

export const trial = z.strictObject({
  variant: z
    .strictObject({
      pattern: z.string().describe('by its name in a scenario'),
      label: z.string().describe('the pattern with the options that differ from their defaults'),
      as: z.string().optional().describe('what the scenario calls it for readers'),
      options: z.record(z.string(), z.unknown()).describe('all options, with their defaults'),
      target: z.string().optional().describe('the target that it ran against; our own server when left out'),
    })
    .describe('what was measured'),
  cell: z
    .strictObject({
      variant: z.string().describe('label of the variant without the parameters'),
      parameters: z
        .record(z.string(), z.string())
        .describe('path in the scenario and value, as written there'),
      subscribers: count.describe('simulated clients'),
      events: count.describe('measured events in the schedule'),
      deliveries: count.describe('measured deliveries that the schedule asks for'),
    })
    .optional()
    .describe('of a matrix or a search: what was different from the scenario in this trial'),
  repetition: z.int().min(1).describe('1 for the first trial of the variant'),
  startedAt: z.iso.datetime().describe('when the trial began'),
  injected: z
    .string()
    .optional()
    .describe('how the server was made worse on purpose, in the form of --inject'),
  pinned: pinned.optional().describe('cores of each role; left out if all processes shared all cores'),
  warnings: z.array(warning).describe('what to know about the figures'),
  outcome: z.discriminatedUnion('status', [completed, failed]).describe('what was measured, or what failed'),
});

export type Trial = z.infer<typeof trial>;
export type Completed = z.infer<typeof completed>;
export type ResultWarning = z.infer<typeof warning>;
