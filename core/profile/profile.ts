// Describes a profile: what one machine's servers and clients cost, as `pushbench calibrate` measured it.
// The simulator reads nothing else of a machine. Versioned, so that profiles can be shared.

import { z } from 'zod';
import { resultSchema } from '../result/result.ts';
import { pinned } from '../result/process-use.ts';
import { brokerNames } from '../scenario/servers.ts';

export const profileFormat = 'pushbench-profile';
/**
 * Grows when a reader of the previous version could not read the file. Version 1 knows no brokers and no
 * HAProxy; it is read as a profile that did not measure them.
 */
export const profileVersion = 2;
export const readableVersions = [1, profileVersion] as const;

const count = z.int().min(0);
const figure = z.number().min(0);
/** Costs are interpolated over its logarithm. */
const rate = z.number().positive();

/** The quantiles at which a profile keeps a distribution, ascending. */
export const profileQuantiles = [
  0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999, 1,
] as const;

const distributionUs = z
  .array(figure)
  .length(profileQuantiles.length)
  .describe(`microseconds at the quantiles ${profileQuantiles.join(', ')}`);

/** A share of the figure: the standard deviation between repeated trials, divided by their mean. */
const spread = figure.describe('between repeated trials, as a share of the figure; 0 if there was one');

/** One measured point: so many subscribers, so many events a second, nothing else asked of the server. */
const point = z.strictObject({
  subscribers: z.int().min(1).describe('all of them follow one topic'),
  perS: figure.describe('events a second, evenly spaced'),
  payloadBytes: count,
  events: z.int().min(1).describe('measured, over all repeated trials'),
  trials: z.int().min(1),
  /**
   * Of an event, from its planned time to its first, median and last receiver. Of patterns whose clients ask
   * on a schedule (polling) from the request to its answer, and all three are that.
   */
  firstUs: distributionUs,
  medianUs: distributionUs,
  lastUs: distributionUs,
  /** Over all deliveries; what a prediction of this point is compared with. */
  endToEndUs: distributionUs,
  latencySpread: spread,
  serverIdleShare: figure.describe('CPU before the first event, as a share of a core'),
  serverCpuShare: figure.describe('CPU in the measured phase, as a share of a core'),
  serverCpuSpread: spread,
  loadCpuShare: figure.describe('CPU of all load processes, as a share of a core'),
  requestsPerS: figure.describe('that subscribers made'),
  bytesOutPerS: figure.describe('from the server to subscribers'),
  bytesInPerS: figure.describe('from subscribers to the server'),
});

/** What a subscriber costs that is connected and gets nothing. */
const atRest = z.strictObject({
  subscribers: z.int().min(1).describe('number of subscribers in the measurement'),
  connections: figure.describe('a subscriber'),
  descriptors: figure.describe('of the server, a subscriber'),
  serverRssBytes: figure.describe('a subscriber'),
  kernelSocketBytes: figure.describe('both ends, a subscriber'),
  connectCpuUs: figure.describe("of the server's CPU for a subscriber to connect"),
  connectBytesIn: figure.describe('from a subscriber to the server as it connects'),
  connectBytesOut: figure,
});

const ofVariant = z.strictObject({
  pattern: z.string(),
  options: z.record(z.string(), z.unknown()).describe('resolved, as results have them'),
  atRest,
  points: z
    .array(point)
    .min(1)
    .refine((all) => all.some(({ perS }) => perS > 0), { error: 'no point has events, so none has a cost' }),
});

const betweenTrials = spread.nullable().describe('between repeated trials; null if there was one');

/** What a broker adds where so many events a second go through it. */
const brokerPoint = z.strictObject({
  perS: rate.describe('events a second, evenly spaced'),
  events: z.int().min(1).describe('measured with one server, over all repeated trials'),
  trials: z.int().min(1),
  delayUs: distributionUs.describe(
    'how much later a server delivers an event than without a broker, at the quantiles of both',
  ),
  delaySpread: betweenTrials,
  directCpuUs: figure.describe('CPU of a single server for an event to two receivers'),
  publishedCpuUs: figure.describe(
    'the same for a server that publishes the event to a broker and gets it back',
  ),
  receivedCpuUs: figure.describe('the same for a server that only gets the event from the broker'),
  cpuSpread: betweenTrials,
  brokerCpuUs: figure.describe("CPU of the broker's process for an event, with one server"),
  brokerCpuEachUs: figure.describe('and for each further server'),
});

const serverLife = z.strictObject({
  startUs: figure.describe('from the beginning of a process until it listens'),
  stopUs: figure.describe('from the goodbye to its clients until the process is gone'),
});

const ofBroker = z.strictObject({
  version: z.string().describe('as the program says it'),
  serverLife: serverLife
    .optional()
    .describe('of a server process that connects to this broker; not in older profiles'),
  rssBytes: figure.describe("resident memory of the broker's process, the highest sample"),
  points: z.array(brokerPoint).min(1),
});

/** What HAProxy adds where so many subscribers of one topic get so many events a second through it. */
const frontPoint = z.strictObject({
  subscribers: z.int().min(1),
  perS: rate.describe('events a second, evenly spaced'),
  events: z.int().min(1),
  trials: z.int().min(1),
  addedUs: distributionUs.describe(
    'how much later the first receiver gets an event, at the quantiles of both; for polling: how much ' +
      'later an answer arrives',
  ),
  addedSpread: betweenTrials,
  cpuUs: figure.describe(
    'CPU of HAProxy for a delivery; for patterns that ask: for a request with its answer',
  ),
});

const throughFront = z.strictObject({
  pattern: z.string(),
  options: z.record(z.string(), z.unknown()).describe('resolved, as results have them'),
  atRest: z.strictObject({
    subscribers: z.int().min(1).describe('number of subscribers in the measurement'),
    descriptors: figure.describe('of HAProxy, a subscriber'),
    rssBytes: figure.describe('of HAProxy, a subscriber'),
    serverDescriptors: figure.describe('of the server, a subscriber'),
    kernelSocketBytes: figure.describe('all ends, a subscriber'),
  }),
  points: z.array(frontPoint).min(1),
});

/** What stands beside servers, measured where it was installed. */
const cluster = z.strictObject({
  brokers: z.partialRecord(z.enum(brokerNames).exclude(['in-process']), ofBroker),
  haproxy: z
    .strictObject({
      version: z.string(),
      baseRssBytes: figure.describe('resident memory without subscribers'),
      baseDescriptors: figure,
      variants: z.record(z.string(), throughFront).describe('by label'),
    })
    .optional(),
});

export const profileSchema = z.strictObject({
  format: z.literal(profileFormat),
  version: z.literal(readableVersions),
  pushbench: z.string().describe('version of pushbench that measured'),
  createdAt: z.iso.datetime(),
  name: z.string().describe('what reports call it'),
  environment: resultSchema.shape.environment,
  pinned: pinned
    .nullable()
    .describe('the cores that each role was pinned to, as taskset writes them; null if they shared all'),
  /** What decides how a listener that is full treats clients: of the kernel, null where not readable. */
  kernel: z.strictObject({
    somaxconn: count.nullable(),
    tcpSynRetries: count.nullable(),
    tcpSynLinearTimeouts: count.nullable(),
  }),
  serverLife: serverLife.optional().describe('of a server process without a broker; not in older profiles'),
  serverBaseRssBytes: figure.describe('resident memory of a server without subscribers'),
  variants: z.record(z.string(), ofVariant).describe('by label'),
  cluster: cluster.optional().describe('brokers and HAProxy; left out if none was measured'),
});

export type Profile = z.infer<typeof profileSchema>;
export type ProfilePoint = z.infer<typeof point>;
export type ProfileVariant = z.infer<typeof ofVariant>;
export type ProfileCluster = z.infer<typeof cluster>;
export type BrokerPoint = z.infer<typeof brokerPoint>;
export type FrontPoint = z.infer<typeof frontPoint>;
export type ThroughFront = z.infer<typeof throughFront>;
