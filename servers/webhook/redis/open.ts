// Connects to the Redis of the webhook store: links, the queue of BullMQ, and what batches of events take.

import { randomUUID } from 'node:crypto';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { within } from '../../../core/base/within.ts';
import { keyStaysMs } from '../../http/idempotency.ts';
import { createBatches, type Batches } from './batch.ts';
import { identify } from './identify.ts';
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
  /** The worker's connections, which wait for Redis: their commands may be sent again. */
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

/** @throws UserError when no Redis answers, or it takes nothing */
export async function openRedis({ url, retainMs, keep, change, fail }: OpenRedisOptions): Promise<OpenRedis> {
  const { host } = new URL(url);
  let opened = false;
  const link = openLink(url);
  const publishing = openLink(url, (ready, reason) => opened && change(ready, reason));
  const identity = await identify(host, [link, publishing], redisKeys);
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
    patient: openPatient(url),
    async close() {
      // BullMQ waits for a Redis that may be away.
      await within(Promise.allSettled([queue.close(), jobs.close()]), closeWithinMs).catch(() => {});
      for (const one of [link, publishing]) one.close();
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
