// Describes webhooks: their options, what they lack, and why a target file cannot describe them.

import { z } from 'zod';
import { duration, interval, network, rate, share } from '../base/quantities.ts';
import { disableRuleNames } from '../policy/webhook/endpoint-health.ts';
import { retryPolicyNames } from '../policy/webhook/retry-policy.ts';
import { schemeNames } from '../signature/schemes.ts';
import { oneWay, type Pattern } from './pattern.ts';

/** Where a Redis answers that nobody has named. */
const usualRedis = 'redis://127.0.0.1:6379';

const options = z
  .strictObject({
    timeout: interval.prefault('10s').describe('how long the receiver may take to answer, to the last byte'),
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
        error: 'leave the password out: options stand in every result. Set PUSHBENCH_REDIS_PASSWORD instead',
      })
      .default(usualRedis)
      .describe('where that Redis answers; trials start one of their own when it is left out'),
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
      .describe('where deliveries may go: to the networks of `allow` alone, or to every public address too'),
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
  });

const behindTheSender = 'decides what the server does behind its requests, which look the same';

export const webhook = {
  title: 'Webhook',
  how: 'the server calls an address that the client registered',
  path: '/webhooks',
  options,
  quick: { retries: ['50ms', '100ms', '200ms', '500ms', '1s', '2s', '5s', '10s'] },
  offWire: {
    fifo: 'decides when a request is made, not what it says',
    delivery: behindTheSender,
    store: behindTheSender,
    breaker: 'decides when a request is made, not what it says',
    disable: behindTheSender,
    receivers: 'decides which addresses are refused',
  },
  lacks: {
    resume: 'the sender retries; a receiver has no cursor to ask with',
    order: 'deliveries run side by side and are retried, so they may overtake one another',
    upstream: oneWay,
    'behind-nat': 'the server must be able to reach the receiver',
  },
  holdsConnection: false,
  sharedStore: {
    isShared: ({ store }) => store === 'redis',
    isNamed: ({ redis }) => redis !== usualRedis,
    at: (given, redis) => ({ ...given, redis }),
    by: 'store: redis',
  },
  pacesDeliveries: ({ endpointRate }) => endpointRate !== 'unlimited',
  cannotRun({ receivers, allow }, label) {
    if (receivers !== 'public' || allow !== 'auto') return undefined;
    return (
      `the receivers of a run are on loopback, and "${label}" delivers to ` +
      'public addresses alone; add allow: [127.0.0.0/8]'
    );
  },
  target: {
    impossible: 'a target has its own way to register receivers, which a target file cannot describe',
  },
} as const satisfies Pattern<typeof options>;
