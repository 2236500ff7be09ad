// Describes webhooks: their options, what they lack, and why a target file cannot describe them.

import { z } from 'zod';
import { hasKafkaHost, kafkaHostError } from '../base/kafka-address.ts';
import { duration, interval, network, rate, share } from '../base/quantities.ts';
import { disableRuleNames } from '../policy/webhook/endpoint-health.ts';
import { retryPolicyNames } from '../policy/webhook/retry-policy.ts';
import { schemeNames } from '../signature/schemes.ts';
import { oneWay, type Pattern } from './pattern.ts';

/** A queue of SQS; '' for none. */
const queueUrl = z.union([
  z.literal(''),
  z
    .string()
    .regex(/^https?:\/\/[^/]+\/.+/, { error: 'the URL of a queue, as SQS gives it' })
    .refine((text) => !URL.parse(text)?.username, {
      error: 'leave the credentials out: options are in every result. They are taken from the environment',
    }),
]);

/** A topic of Kafka; '' for none. Topics beside it have names that begin with its own. */
const topicUrl = z.union([
  z.literal(''),
  z
    .string()
    .regex(/^kafka:\/\/[^/@?#]+\/[\w.-]{1,200}$/, {
      error: 'the address of a topic, kafka://HOST:9092/TOPIC, without user and password',
    })
    .refine((text) => URL.canParse(text), { error: 'an address such as kafka://127.0.0.1:9092/webhooks' })
    .refine(hasKafkaHost, { error: kafkaHostError }),
]);

/** Stores of several servers, which keep their endpoints in Redis. */
const sharedStores: readonly string[] = ['redis', 'sqs', 'kafka'];

/** Where a Redis answers that nobody has named. */
const usualRedis = 'redis://127.0.0.1:6379';

const options = z
  .strictObject({
    timeout: interval.prefault('10s').describe('how long the receiver may take to answer, to the last byte'),
    connectTimeout: z
      .union([z.literal('timeout'), interval])
      .prefault('timeout')
      .describe('a part of timeout: until the connection is there'),
    headersTimeout: z
      .union([z.literal('timeout'), interval])
      .prefault('timeout')
      .describe('a part of timeout: until the answer begins'),
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
      .describe('requests under way at once for one endpoint; auto is an eighth of all'),
    endpointRate: z
      .union([z.literal('unlimited'), rate])
      .prefault('unlimited')
      .describe('most attempts a second for one endpoint'),
    fifo: z
      .boolean()
      .default(false)
      .describe("each endpoint's deliveries one after the other, in the order they were published"),
    delivery: z
      .enum(['queue', 'sync'])
      .default('queue')
      .describe(
        'queue: from a queue; sync: by the handler of the publishing request, one endpoint after the ' +
          'other, without retries',
      ),
    store: z
      .enum(['memory', 'sqlite', 'redis', 'sqs', 'kafka'])
      .default('memory')
      .describe(
        'where deliveries are kept: memory (lost with the process), sqlite (a database file), redis ' +
          '(for several servers), sqs (a queue of Amazon SQS, with records in Redis), or kafka (topics of ' +
          'Kafka, with records in Redis)',
      ),
    redis: z
      .string()
      .regex(/^rediss?:\/\/./, { error: 'an address such as redis://127.0.0.1:6379' })
      .refine((text) => !URL.parse(text)?.password, {
        error: 'leave the password out: options are in every result. Set PUSHBENCH_REDIS_PASSWORD instead',
      })
      .default(usualRedis)
      .describe('address of that Redis; when left out, each trial starts its own'),
    sqs: queueUrl
      .default('')
      .describe(
        'the URL of a queue of SQS; its credentials are taken from the environment (AWS_ACCESS_KEY_ID ' +
          '...). Trials start an emulator when it is left out',
      ),
    sqsDeadLetters: queueUrl
      .default('')
      .describe('a queue on the same host that gets a copy of each delivery without attempts left'),
    kafka: topicUrl
      .default('')
      .describe(
        'the address of a topic of Kafka, for clients without TLS and login. Trials start an emulator ' +
          'when it is left out',
      ),
    file: z
      .string()
      .default('')
      .describe('the database file; when empty, a file that is removed when the process ends'),
    keep: z
      .int()
      .min(0)
      .max(100_000_000)
      .default(100_000)
      .describe('settled deliveries that are kept for the log and for replays'),
    retain: duration.prefault('7d').describe('how long settled deliveries are kept'),
    breaker: z
      .boolean()
      .default(false)
      .describe(
        'if most attempts to an endpoint fail, it gets none for 30s, and then one attempt that decides',
      ),
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
          'and signatures use real time',
      ),
    resequence: duration
      .prefault('0s')
      .describe(
        'how long a receiver waits for an earlier event of the topic before it takes a later one; 0s ' +
          'takes events in the order of arrival',
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
        'where deliveries may go: listed: only to the networks of `allow`; public: also to every public ' +
          'address',
      ),
    allow: z
      .union([z.literal('auto'), z.array(network).max(100)])
      .default('auto')
      .describe(
        'networks that deliveries may go to, including private ones; auto is loopback, and with ' +
          'receivers: public no network',
      ),
  })
  .superRefine((given, context) => {
    const { store, fifo, breaker, endpointRate, delivery, file, sqs, sqsDeadLetters, kafka } = given;
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    if (sharedStores.includes(store)) {
      const one =
        `needs one server that sees every delivery of an endpoint; with store: ${store} there may be ` +
        `several. Choose store: sqlite`;
      if (fifo && store !== 'sqs') refuse('fifo', `an order ${one}`);
      if (breaker) refuse('breaker', `the breaker ${one}`);
      if (endpointRate !== 'unlimited') refuse('endpointRate', `a rate ${one}`);
      if (delivery === 'sync')
        refuse('delivery', `delivering in the handler uses no store; leave out store: ${store}`);
    }
    if (file !== '' && store !== 'sqlite')
      refuse('file', `a file belongs to store: sqlite, not to store: ${store}`);
    if (kafka !== '' && store !== 'kafka')
      refuse('kafka', `a topic of Kafka belongs to store: kafka, not to store: ${store}`);
    if (store !== 'sqs') {
      if (sqs !== '') refuse('sqs', `a queue of SQS belongs to store: sqs, not to store: ${store}`);
      if (sqsDeadLetters !== '') refuse('sqsDeadLetters', `it belongs to store: sqs, not to store: ${store}`);
    } else if (sqs !== '' && fifo !== isFifoQueue(sqs))
      refuse(
        'fifo',
        fifo
          ? 'order needs a FIFO queue, whose name ends in .fifo'
          : `${sqs} is a FIFO queue, which keeps an order: set fifo: true, or name a standard queue`,
      );
  });

function isFifoQueue(url: string): boolean {
  return new URL(url).pathname.endsWith('.fifo');
}

/** Queues of an emulator of SQS: of deliveries and of dead letters, without and with an order. */
export const emulatedQueues = ['webhooks', 'webhooks-dead', 'webhooks.fifo', 'webhooks-dead.fifo'] as const;

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
    resume: 'the sender retries; a receiver has no cursor',
    order: 'deliveries run side by side and are retried, so they may overtake one another',
    upstream: oneWay,
    'behind-nat': 'the server must be able to reach the receiver',
  },
  holdsConnection: false,
  sharedStore: {
    isShared: ({ store }) => sharedStores.includes(store),
    isNamed: ({ redis }) => redis !== usualRedis,
    at: (given, redis) => ({ ...given, redis }),
    by: 'store: redis, sqs or kafka',
  },
  queue: {
    unnamed({ store, sqs, kafka }) {
      if (store === 'sqs' && sqs === '') return 'sqs';
      return store === 'kafka' && kafka === '' ? 'kafka' : undefined;
    },
    at(given, address) {
      if (given.store === 'kafka') return { ...given, kafka: `${address}/webhooks` };
      const [sqs, sqsDeadLetters] = given.fifo ? emulatedQueues.slice(2) : emulatedQueues;
      const urlOf = (name: string) => `${address}/000000000000/${name}`;
      return { ...given, sqs: urlOf(sqs!), sqsDeadLetters: urlOf(sqsDeadLetters!) };
    },
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
