// Connects to the Redis of the webhook store and makes sure which store it is: two keys hold one identity,
// and a server goes on only while both have the one that it began with. A Redis that was emptied has neither.

import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { exitCodes, messageOf, UserError } from '../../../core/base/errors.ts';
import { keyStaysMs } from '../../http/idempotency.ts';
import { createBatches, markerField, type Batches } from './batch.ts';
import { within } from './complaints.ts';
import { openLink, openPatient, type PatientConnections, type RedisLink } from './link.ts';
import type { JobData } from './delivery-log.ts';

export const queueName = 'deliveries';
export const prefix = 'pushbench';
export const redisKeys = {
  marker: `${prefix}:store`,
  endpoints: `${prefix}:endpoints`,
  events: `${prefix}:events`,
  event: (id: string) => `${prefix}:event:${id}`,
  idempotency: (key: string) => `${prefix}:idempotency:${key}`,
};
const connectWithinMs = 3000;
const closeWithinMs = 200;
/** An event's body outlives its last delivery by this. */
const bodyStaysMs = 7 * 86_400_000;

export type OpenRedis = {
  /** For people. */
  host: string;
  /** For everything but batches. */
  link: RedisLink;
  publishing: RedisLink;
  queue: Queue<JobData, string>;
  batches: Batches;
  identity: string;
  /** The worker's, which waits for Redis: what it sends may be sent again. */
  patient: PatientConnections;
  close(): Promise<void>;
};

export type OpenRedisOptions = {
  url: string;
  retainMs: number;
  keep: number;
  /** Called when Redis answers again, and when it no longer does. */
  change: (ready: boolean, reason: string) => void;
  fail: (error: unknown) => void;
};

const identifyScript = `
local marker, field = redis.call('GET', KEYS[1]), redis.call('HGET', KEYS[2], '${markerField}')
if marker and marker == field then return marker end
redis.call('SET', KEYS[1], ARGV[1])
redis.call('HSET', KEYS[2], '${markerField}', ARGV[1])
return ARGV[1]
`;

/** @throws UserError when no Redis answers, or it takes nothing */
export async function openRedis({ url, retainMs, keep, change, fail }: OpenRedisOptions): Promise<OpenRedis> {
  const { host } = new URL(url);
  const password = process.env['PUSHBENCH_REDIS_PASSWORD'];
  let opened = false;
  const link = openLink(url, password);
  const publishing = openLink(url, password, (ready, reason) => opened && change(ready, reason));
  const closeLinks = () => [link, publishing].forEach((one) => one.close());
  if (!(await isReady([link, publishing]))) {
    closeLinks();
    const what =
      `no Redis answers at ${host}; start redis-server, or name ` + 'another address with the option redis';
    throw new UserError('redis', what, exitCodes.failed);
  }
  let identity: string;
  try {
    const { marker, endpoints } = redisKeys;
    identity = String(
      await link.ask((redis) => redis.eval(identifyScript, 2, marker, endpoints, randomUUID())),
    );
  } catch (error) {
    closeLinks();
    throw new UserError(
      'redis',
      `Redis at ${host} takes nothing: ${messageOf(error).slice(0, 200)}`,
      exitCodes.failed,
    );
  }
  opened = true;
  const addJobScript = hearScript(publishing.redis, 'addStandardJob');
  const queue = new Queue<JobData, string>(queueName, { connection: link.redis, prefix });
  const jobs = new Queue<JobData, string>(queueName, { connection: publishing.redis, prefix });
  for (const one of [queue, jobs]) one.on('error', fail);
  const batches = createBatches(
    publishing.redis,
    jobs,
    await addJobScript,
    identity,
    { ...redisKeys, batch: `${prefix}:batch:${randomUUID()}` },
    { tokenMs: bodyStaysMs, eventMs: retainMs + bodyStaysMs, keyMs: keyStaysMs, eventsKept: keep },
  );
  return {
    host,
    link,
    publishing,
    queue,
    batches,
    identity,
    patient: openPatient(url, password),
    async close() {
      // BullMQ waits for a Redis that may be away.
      await within(closeWithinMs, Promise.allSettled([queue.close(), jobs.close()])).catch(() => {});
      closeLinks();
    },
  };
}

/** The text of a script that BullMQ defines on the connection. */
function hearScript(redis: Redis, name: string): Promise<string> {
  const heard = Promise.withResolvers<string>();
  const define = redis.defineCommand.bind(redis);
  redis.defineCommand = (command, definition) => {
    if (command.split(':')[0] === name) heard.resolve(definition.lua);
    define(command, definition);
  };
  return heard.promise;
}

async function isReady(links: readonly RedisLink[]): Promise<boolean> {
  const limitMs = performance.now() + connectWithinMs;
  while (!links.every((link) => link.ready())) {
    if (performance.now() > limitMs) return false;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return true;
}
