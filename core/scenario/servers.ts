// Describes the servers of a scenario: how many there are, what connects their hubs, and what subscribers go
// through to reach them.

import { z } from 'zod';
import { hasKafkaHost, kafkaHostError } from '../base/kafka-address.ts';
import { interval } from '../base/quantities.ts';
import { mostServers } from '../fault/fields.ts';

/**
 * What connects the hubs of several servers. `in-process` connects nothing: each server knows only what was
 * published to it.
 */
export const brokerNames = [
  'in-process',
  'redis-pubsub',
  'redis-streams',
  'nats',
  'jetstream',
  'kafka',
] as const;
export type BrokerName = (typeof brokerNames)[number];

/** Brokers that give all servers one log: a cursor means the same on each (docs/cluster/brokers.md). */
export const brokersWithOneLog: readonly BrokerName[] = [
  'redis-pubsub',
  'redis-streams',
  'jetstream',
  'kafka',
];

/**
 * `list`: subscribers know all servers and spread over them. Through HAProxy they know one address:
 * `haproxy` gives each connection to the server with the fewest, `haproxy-sticky` a subscriber to the server
 * that it had before.
 */
export const inFrontNames = ['list', 'haproxy', 'haproxy-sticky'] as const;
export type InFrontName = (typeof inFrontNames)[number];

const brokerName = z.enum(brokerNames);
/** What the address of each begins with. */
const schemes: Readonly<Record<BrokerName, string | undefined>> = {
  'in-process': undefined,
  'redis-pubsub': 'redis:',
  'redis-streams': 'redis:',
  nats: 'nats:',
  jetstream: 'nats:',
  kafka: 'kafka:',
};
const broker = z.union([
  brokerName.transform((kind) => ({ kind, url: undefined })),
  z
    .strictObject({
      kind: brokerName.describe('which broker'),
      url: z
        .url({ protocol: /^(redis|nats|kafka)$/, error: 'an address such as redis://127.0.0.1:6379' })
        .refine((text) => !URL.parse(text)?.username && !URL.parse(text)?.password, {
          error:
            'leave user and password out: scenarios are in every result. Of Redis set ' +
            'PUSHBENCH_REDIS_PASSWORD instead; NATS and Kafka have to take clients without',
        })
        .describe('address of a broker that is running already; with its name alone, each trial starts one'),
    })
    .superRefine(({ kind, url }, context) => {
      const scheme = schemes[kind];
      const refuse = (message: string) => context.addIssue({ code: 'custom', message, path: ['url'] });
      if (scheme === undefined) refuse('in-process connects nothing, so there is no address');
      else if (!url.startsWith(scheme)) refuse(`${kind} has an address that begins with ${scheme}//`);
      else if (kind === 'kafka' && !hasKafkaHost(url)) refuse(kafkaHostError);
    }),
]);

const mostCheckMs = 10_000;
/** How HAProxy finds out whether a server is up: it connects, or it asks (servers/http/intake.ts). */
export const checkNames = ['tcp', 'http'] as const;
const checkName = z.enum(checkNames);
const checkOptions = z.strictObject({
  kind: checkName.describe(
    'tcp: it connects; http: it makes a request, which is answered 503 by a server that takes no ' +
      'subscribers',
  ),
  interval: interval
    .refine((ms) => ms <= mostCheckMs, { error: 'at most 10s: the trial waits for the first check' })
    .prefault('500ms')
    .describe('between two checks of a server'),
  fall: z.int().min(1).max(100).default(2).describe('after this many failures in a row the server is down'),
  rise: z.int().min(1).max(100).default(1).describe('after this many successes in a row the server is up'),
});
const check = z.union([
  checkName.transform((kind) => checkOf(checkOptions.parse({ kind }))),
  checkOptions.transform(checkOf),
]);

/** How servers are checked. */
export type HealthCheck = z.output<typeof check>;

function checkOf({ interval: everyMs, ...rest }: z.output<typeof checkOptions>) {
  return { ...rest, everyMs };
}

const inFrontName = z.enum(inFrontNames);
const proxy = z.strictObject({
  kind: inFrontName.exclude(['list']).describe('HAProxy, without or with sticky sessions'),
  idle: interval
    .prefault('1h')
    .describe('a connection without a byte for this long is cut on both sides, whatever it is used for'),
  maxconn: z
    .int()
    .min(1)
    .max(1_000_000)
    .optional()
    .describe('the most sessions of a server at a time; others wait in a queue. No limit when left out'),
  slowstart: interval
    .optional()
    .describe(
      'a server that comes back gets its share of connections gradually, over this time; at once when ' +
        'left out',
    ),
  check: check
    .prefault('tcp')
    .describe('how HAProxy finds out whether a server is up: by connecting (tcp) or by a request (http)'),
});

export const inFront = z.union([
  inFrontName.transform((kind) => (kind === 'list' ? { kind } : frontOf(proxy.parse({ kind })))),
  proxy.transform(frontOf),
]);

/** What subscribers go through. */
export type InFront = z.output<typeof inFront>;
/** HAProxy, and how it is to be. */
export type ProxyInFront = Exclude<InFront, { kind: 'list' }>;

function frontOf({ kind, idle, maxconn, slowstart, check }: z.output<typeof proxy>) {
  return {
    kind,
    idleMs: idle,
    check,
    ...(maxconn !== undefined && { maxconn }),
    ...(slowstart !== undefined && { slowstartMs: slowstart }),
  };
}

export const servers = z
  .strictObject({
    count: z.int().min(1).max(mostServers).default(1).describe('how many server processes'),
    broker: broker
      .prefault('in-process')
      .describe(
        'the broker that connects them: in-process is none; redis-pubsub, redis-streams, nats and ' +
          'jetstream are real brokers, started for the trial or named by an address; kafka is a real one ' +
          'if it is named, and otherwise a stand-in whose times are not shown',
      ),
    'in-front': inFront
      .prefault('list')
      .describe('how subscribers find a server: by a list of all, or through HAProxy'),
  })
  .transform(({ count, broker, 'in-front': inFront }) => ({ count, broker, inFront }));

export type Servers = z.output<typeof servers>;

/** One server by itself. */
export const oneServer: Servers = servers.parse({});

/** Whether there are several servers and no broker: an event published to one does not reach the others. */
export function areApart({ count, broker }: Servers): boolean {
  return count > 1 && broker.kind === 'in-process';
}

/** Whether a trial has more than one server alone, or may come to have. */
export function isCluster({ count, broker, inFront }: Servers): boolean {
  return count > 1 || broker.kind !== 'in-process' || inFront.kind !== 'list';
}
