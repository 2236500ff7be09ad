// The registry of patterns: their names, options, what they cannot do, and how a variant is called.
// A new pattern adds one entry here, one file of the same name in servers/ and load/, and a line in the
// registries of those rooms.

import { z } from 'zod';
import { duration, interval, network, rate, share } from '../base/quantities.ts';
import { disableRuleNames, retryPolicyNames } from '../policy/retry-policy.ts';
import { schemeNames } from '../signature/schemes.ts';
import { writeDuration } from '../base/units.ts';

const connection = z
  .enum(['keep-alive', 'close'])
  .default('keep-alive')
  .describe('reuse the TCP connection, or open one per request');
const gzip = z
  .boolean()
  .default(false)
  .describe('the client asks for answers compressed with gzip, and the server sends them so');
const heartbeat = interval
  .prefault('15s')
  .describe('a sign of life on a quiet stream, below the idle timeout of proxies');

/** Each pattern's options as a scenario writes them; parsing fills in the defaults. */
export const patternOptions = {
  polling: z.strictObject({
    every: interval.prefault('1s').describe('time between two polls of one subscriber'),
    jitter: share
      .prefault('10%')
      .describe('each wait differs from `every` by up to this share, so that polls do not march in step'),
    conditional: z.boolean().default(true).describe('send If-None-Match and accept 304 for "nothing new"'),
    gzip,
    connection,
  }),
  'long-polling': z.strictObject({
    hold: interval.prefault('25s').describe('how long the server holds a request that has nothing to say'),
    batch: duration
      .prefault('0s')
      .describe('how long the server collects more events after the first before it answers'),
    gzip,
    connection,
  }),
  'http-stream': z.strictObject({ gzip, heartbeat }),
  sse: z.strictObject({
    over: z
      .enum(['h1', 'h2', 'h2c'])
      .default('h1')
      .describe('HTTP/1.1, HTTP/2 over TLS, or cleartext HTTP/2 with prior knowledge'),
    gzip,
    heartbeat,
    retry: duration.prefault('1s').describe('reconnection time the server tells its clients'),
  }),
  websocket: z.strictObject({
    deflate: z.boolean().default(false).describe('permessage-deflate'),
    ping: interval
      .prefault('25s')
      .describe('time between two pings; a client silent for two of them is cut off'),
  }),
  webhook: z
    .strictObject({
      timeout: interval
        .prefault('10s')
        .describe('how long the receiver may take to answer, to the last byte'),
      connectTimeout: z
        .union([z.literal('timeout'), interval])
        .default('timeout')
        .describe('a part of that: until the connection is there'),
      headersTimeout: z
        .union([z.literal('timeout'), interval])
        .default('timeout')
        .describe('a part of that: until the answer begins'),
      retries: z
        .union([z.enum(retryPolicyNames), z.array(duration).max(30)])
        .prefault(['1s', '5s', '30s'])
        .describe(
          `waits before each further attempt, or the policy of a service: ${retryPolicyNames.join(', ')}`,
        ),
      jitter: share
        .prefault('10%')
        .describe("each wait of a list differs by up to this share; a service's policy has its own"),
      concurrency: z
        .int()
        .min(1)
        .max(10_000)
        .default(64)
        .describe('requests under way at once, over all endpoints'),
      endpointConcurrency: z
        .union([z.literal('auto'), z.int().min(1).max(10_000)])
        .default('auto')
        .describe('the same for one endpoint; auto is an eighth of all'),
      endpointRate: z
        .union([z.literal('unlimited'), rate])
        .prefault('unlimited')
        .describe('attempts a second for one endpoint at the most'),
      fifo: z
        .boolean()
        .default(false)
        .describe("each endpoint's deliveries one after the other, in the order they were published"),
      delivery: z
        .enum(['queue', 'sync'])
        .default('queue')
        .describe(
          'from a queue; or in the handler that publishes, one endpoint after the other, without retries',
        ),
      store: z
        .enum(['memory', 'sqlite', 'redis'])
        .default('memory')
        .describe(
          'where deliveries are kept: with the process, in a database file ' +
            'that outlives it, or in Redis for several servers',
        ),
      redis: z
        .string()
        .regex(/^rediss?:\/\/./, { error: 'an address such as redis://127.0.0.1:6379' })
        .refine((text) => !URL.parse(text)?.password, {
          error:
            'leave the password out: options stand in every result. Set PUSHBENCH_REDIS_PASSWORD instead',
        })
        .default('redis://127.0.0.1:6379')
        .describe('where that Redis answers'),
      file: z.string().default('').describe('the database file; one that ends with the process when empty'),
      keep: z
        .int()
        .min(0)
        .max(100_000_000)
        .default(100_000)
        .describe('settled deliveries that are kept for the log and for replays'),
      retain: duration.prefault('7d').describe('and for how long'),
      breaker: z
        .boolean()
        .default(false)
        .describe('an endpoint most of whose attempts fail gets none for 30s, then one that decides'),
      disable: z
        .enum(disableRuleNames)
        .default('never')
        .describe(
          'when failures disable an endpoint: after five days without success ' +
            "(Svix's rule) or a hundred in a row (Outpost's)",
        ),
      timeScale: z
        .number()
        .min(1)
        .max(1_000_000)
        .default(1)
        .describe(
          'how fast the clock of retries, rates and rules runs, so that days pass in a trial; timeouts ' +
            "and signatures keep the real one's",
        ),
      resequence: duration
        .prefault('0s')
        .describe(
          'how long a receiver holds an event back that came before an earlier one of its topic; 0s ' +
            'takes events as they come',
        ),
      scheme: z
        .enum(schemeNames)
        .default('standard')
        .describe(
          'how deliveries are signed: Standard Webhooks (HMAC or ed25519), or as Stripe, GitHub or Slack do',
        ),
      receivers: z
        .enum(['listed', 'public'])
        .default('listed')
        .describe(
          'where deliveries may go: to the networks of `allow` alone, or to every public address too',
        ),
      allow: z
        .union([z.literal('auto'), z.array(network).max(100)])
        .default('auto')
        .describe(
          'networks that deliveries may go to, private ones among them; ' +
            'auto is loopback, and none with receivers: public',
        ),
    })
    .superRefine(({ store, fifo, breaker, endpointRate, delivery, file }, context) => {
      const refuse = (path: string, message: string) =>
        context.addIssue({ code: 'custom', path: [path], message });
      if (store === 'redis') {
        const one =
          'takes one server that sees every delivery of an endpoint; with store: redis there may be ' +
          'several. Choose store: sqlite';
        if (fifo) refuse('fifo', `an order ${one}`);
        if (breaker) refuse('breaker', `the breaker ${one}`);
        if (endpointRate !== 'unlimited') refuse('endpointRate', `a rate ${one}`);
        if (delivery === 'sync')
          refuse('delivery', 'delivering in the handler uses no store; leave out store: redis');
      }
      if (file !== '' && store !== 'sqlite')
        refuse('file', `a file is of store: sqlite, not of store: ${store}`);
    }),
} as const;

export type PatternName = keyof typeof patternOptions;
export type PatternOptions<P extends PatternName = PatternName> = z.infer<(typeof patternOptions)[P]>;

/** What the contract suite asks of a pattern. One that cannot do something says why. */
export type Ability =
  /** A subscriber that was away can ask for what it missed. */
  | 'resume'
  /** A subscriber gets each topic's events in sequence. */
  | 'order'
  /** A subscriber can send messages over the connection it receives on. */
  | 'upstream'
  /** A subscriber needs no address that the server can reach. */
  | 'behind-nat';

export type Pattern = {
  title: string;
  /** One sentence on how an event reaches the subscriber. */
  how: string;
  options: z.ZodObject;
  /** Abilities that it lacks, with the reason that reports show. */
  lacks: Partial<Record<Ability, string>>;
  /** Whether a subscriber holds a connection open while nothing happens. */
  holdsConnection: boolean;
  /**
   * Whether that is an HTTP/1.1 request under way, one of the six that a browser has to a host at once
   * (WebSockets are not among them).
   */
  holdsRequest?: (options: Variant['options']) => boolean;
  /**
   * How a page of a browser opens it, and where; left out where a page that waits cannot be
   * told from one that does not.
   */
  page?: { opens: 'EventSource' | 'WebSocket' | 'fetch'; path: string };
  /** Subscribers fetch events from the server's history, and nothing waits for them elsewhere. */
  fromHistory?: true;
  /**
   * How long an event may wait by design, in milliseconds; nought when left out. A drain must not be shorter.
   */
  waitMs?(options: Variant['options']): number;
};

/** Patterns by name, in the order reports show them. */
export type PatternRegistry = Readonly<Record<string, Pattern>>;

const oneWay = 'one way only: a client sends with a request of its own';

export const patterns = {
  polling: {
    title: 'Polling',
    how: 'the client asks on a schedule',
    options: patternOptions.polling,
    lacks: { upstream: oneWay },
    holdsConnection: true,
    fromHistory: true,
    waitMs: (options) => {
      const { every, jitter } = options as PatternOptions<'polling'>; // parsed by the schema above
      return every * (1 + jitter);
    },
  },
  'long-polling': {
    title: 'Long polling',
    how: 'the client asks, and the server holds the answer until there is one',
    options: patternOptions['long-polling'],
    lacks: { upstream: oneWay },
    holdsConnection: true,
    holdsRequest: () => true,
    fromHistory: true,
    waitMs: (options) => (options as PatternOptions<'long-polling'>).batch, // parsed by the schema above
  },
  'http-stream': {
    title: 'HTTP streaming',
    how: 'one response that does not end, a line of JSON for each event',
    options: patternOptions['http-stream'],
    lacks: { upstream: oneWay },
    holdsConnection: true,
    holdsRequest: () => true,
    page: { opens: 'fetch', path: '/stream' },
  },
  sse: {
    title: 'SSE',
    how: 'one text/event-stream response that browsers read and reopen by themselves',
    options: patternOptions.sse,
    lacks: { upstream: oneWay },
    holdsConnection: true,
    holdsRequest: ({ over }) => over === 'h1',
    page: { opens: 'EventSource', path: '/events' },
  },
  websocket: {
    title: 'WebSocket',
    how: 'one connection on which both sides send messages',
    options: patternOptions.websocket,
    lacks: {},
    holdsConnection: true,
    page: { opens: 'WebSocket', path: '/ws' },
  },
  webhook: {
    title: 'Webhook',
    how: 'the server calls an address that the client registered',
    options: patternOptions.webhook,
    lacks: {
      resume: 'the sender retries; a receiver has no cursor to ask with',
      order: 'deliveries run side by side and are retried, so they may overtake one another',
      upstream: oneWay,
      'behind-nat': 'the server must be able to reach the receiver',
    },
    holdsConnection: false,
  },
} as const satisfies Record<PatternName, Pattern>;

/** A pattern with its options: what one trial measures. */
export type Variant = {
  pattern: string;
  /** As parsed by the pattern's schema, defaults filled in. */
  options: Readonly<Record<string, unknown>>;
  /** Short and unique within a scenario: the pattern and the options that differ from their defaults. */
  label: string;
  /** The name of the target that it runs against; our own server when left out. */
  target?: string;
};

/** The variant of `pattern` with options as its schema parsed them, defaults filled in. */
export function variantOf(
  registry: PatternRegistry,
  pattern: string,
  options?: Record<string, unknown>,
): Variant {
  const schema = registry[pattern]!.options;
  const defaults: Record<string, unknown> = schema.parse({});
  const chosen = options ?? defaults;
  const notes = Object.entries(chosen)
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(defaults[key]))
    .map(([key, value]) => noteOf(key, value, writerOf(schema.shape[key]!)));
  return { pattern, options: chosen, label: [pattern, ...notes].join(' ') };
}

function noteOf(key: string, value: unknown, write: (value: unknown) => string): string {
  if (value === true) return key;
  if (value === false) return `no-${key}`;
  if (Array.isArray(value)) return `${key}=${value.map(write).join(',') || 'none'}`;
  return key === 'over' ? write(value) : `${key}=${write(value)}`;
}

/**
 * Writes an option's value as a scenario would: what its schema takes as input tells which unit a number has.
 */
function writerOf(schema: z.core.$ZodType): (value: unknown) => string {
  const takes = (text: string) => z.safeParse(schema, text).success || z.safeParse(schema, [text]).success;
  const isDuration = takes('1s');
  const isRate = takes('1/s');
  const isShare = takes('1%');
  return (value) => {
    if (typeof value === 'number' && isDuration) return writeDuration(value);
    if (typeof value === 'number' && isRate) return `${value}/s`;
    if (typeof value === 'number' && isShare) return `${Number((value * 100).toPrecision(6))}%`;
    return String(value);
  };
}
