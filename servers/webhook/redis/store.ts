// Keeps endpoints, events and deliveries in Redis, and has BullMQ decide when each attempt is made: every
// server on the same Redis takes publications and works on the same queue, on one machine or several. Redis
// keeps endpoints (endpoints.ts), events and deliveries (a delivery is a job; delivery-log.ts reads them);
// how long a kept one survives Redis itself, its own persistence says.
//
// Order, rates and the breaker need one process that sees all of an endpoint's deliveries, so they cannot be
// had here, and the cap of concurrency holds for each server. core/pattern/webhook.ts refuses them together.

import { within } from '../../../core/base/within.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { goodbyeLimits } from '../../../core/policy/server/goodbye.ts';
import type { ServerBacklog } from '../../../core/protocol/control.ts';
import { schemes } from '../../../core/signature/schemes.ts';
import type { PatternContext } from '../../pattern.ts';
import type { Timers } from '../sending/timers.ts';
import type { Schedule, Store, StoreHandlers } from '../store.ts';
import { createDeliveryLog, type Delivery, type DeliveryLog } from './delivery-log.ts';
import { createRedisEndpoints, type RedisEndpoints } from './endpoints.ts';
import { everyMs } from './look.ts';
import { createMessages } from './messages.ts';
import { openRedis, prefix, redisKeys, type OpenRedis } from './open.ts';
import { createRedisPublisher, type RedisPublisher } from './publisher.ts';
import { createRedisSchedule, type RedisSchedule } from './schedule.ts';
import { createTrouble, type Trouble } from './trouble.ts';

/** How often the backlog is read, and what other servers changed. */
const lookEveryMs = 500;
const replayAtOnce = 100;

/** @throws UserError when no Redis answers, or it takes nothing */
export async function openRedisStore(
  { hub, counters, random }: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
): Promise<Store> {
  const trouble = createTrouble(new URL(options.redis).host, () => counters.errors++);
  const redis = await openRedis({
    url: options.redis,
    retainMs: options.retain,
    keep: options.keep,
    change(ready, reason) {
      trouble.turned(ready, reason);
      if (ready) publisher.resume();
    },
    fail: trouble.report,
  });
  const { link, queue, identity, patient } = redis;
  let handlers: StoreHandlers;
  const messages = createMessages(link, redisKeys.event);
  const endpoints = createRedisEndpoints({
    link,
    prefix,
    marker: redisKeys.marker,
    identity,
    rules: { scheme: schemes[options.scheme], breaker: options.breaker },
    follow: (endpoint, topics) => hub.subscribe(topics, () => {}, endpoint),
    emptied: trouble.emptied,
    report: trouble.report,
    changed: (...change) => handlers.changed(...change),
  });
  const log = createDeliveryLog(link.redis, queue, redisKeys.events, messages.of);
  const publisher = createRedisPublisher({
    hub,
    link: redis.publishing,
    host: redis.host,
    batches: redis.batches,
    eventKey: redisKeys.event,
    idempotencyKey: redisKeys.idempotency,
    nowMs: timers.nowMs,
    endpointsReady: endpoints.upToDate,
    isStored: endpoints.isStored,
    check: trouble.check,
    emptied: trouble.emptied,
    stored: messages.remember,
  });
  const { taken } = publisher;
  const { report } = trouble;
  const messageOf = messages.of;
  const schedule = createRedisSchedule({
    options,
    timers,
    random,
    patient,
    endpoints,
    messageOf,
    taken,
    report,
  });
  const start = (given: StoreHandlers) => {
    handlers = given;
    schedule.start(given);
  };

  try {
    await endpoints.reload();
    await endpoints.readHealth();
  } catch (error) {
    patient.giveUp();
    await redis.close();
    throw error;
  }
  return storeOver({ redis, trouble, endpoints, log, publisher, schedule, timers, start });
}

/** What the store is made of. */
type Parts = {
  redis: OpenRedis;
  trouble: Trouble;
  endpoints: RedisEndpoints;
  log: DeliveryLog;
  publisher: RedisPublisher;
  schedule: RedisSchedule;
  timers: Timers;
  start: Schedule['start'];
};

function storeOver({ redis, trouble, endpoints, log, publisher, schedule, timers, start }: Parts): Store {
  const { link, queue } = redis;
  let backlog: ServerBacklog = { depth: 0, oldestAgeMs: 0 };
  const readBacklog = async () => {
    const { deadLetters, ...read } = await log.backlog(timers.nowMs());
    backlog = { ...read, shared: true };
    return { ...read, deadLetters };
  };
  const stopLooking = everyMs(lookEveryMs, async () => {
    if (!trouble.isEmptied() && link.ready())
      await Promise.all([readBacklog(), endpoints.reload()]).catch(trouble.report);
  });

  const reading = <T>(read: () => Promise<T>) => trouble.reading(() => link.during(read));
  return {
    endpoints: endpoints.all,
    log: {
      list: (filter) => reading(() => log.list(filter)),
      delivery: (id) => reading(() => log.delivery(id)),
      events: (filter) => reading(() => log.events(filter)),
    },
    schedule: { ...schedule, start },
    refresh: () => reading(endpoints.reload),
    publish: publisher.publish,
    add: (endpoint) => trouble.changing(() => endpoints.add(endpoint)),
    remove: (endpoint) => trouble.changing(() => endpoints.remove(endpoint)),
    change: (endpoint, edit) => trouble.changing(() => endpoints.change(endpoint, edit)),
    disable: endpoints.disable,
    saveHealth: endpoints.saveHealth,
    send: (endpoint, message) => publisher.send(message, endpoint),
    async replay(_endpoint, id) {
      const job = await reading(() => queue.getJob(String(id)));
      return job !== undefined && trouble.changing(() => link.during(() => retry(job)));
    },
    async recover({ stored }, sinceMs, untilMs, limit) {
      const meant = await reading(() => log.recoverable(stored.key, sinceMs, untilMs, limit));
      await trouble.changing(() => link.during(() => retryAll(meant)));
      return meant.length;
    },
    backlog: () => backlog,
    readBacklog: () => reading(readBacklog),
    async close() {
      stopLooking();
      trouble.close();
      for (const endpoint of endpoints.all.values()) endpoint.unsubscribe();
      await publisher.close();
      await within(endpoints.upToDate(), goodbyeLimits.webhookStepMs).catch(() => {});
      await schedule.close(redis.publishing.ready);
      await redis.close();
    },
  };
}

/** Makes a settled delivery due now. @returns whether it was settled */
async function retry(job: Delivery): Promise<boolean> {
  if (job.finishedOn === undefined) return false;
  const { nextMs: _, ...data } = job.data;
  await job.updateData({ ...data, spent: data.attempts.length }); // the schedule begins again
  await job.retry(job.failedReason ? 'failed' : 'completed');
  return true;
}

async function retryAll(jobs: readonly Delivery[]): Promise<void> {
  for (let i = 0; i < jobs.length; i += replayAtOnce)
    await Promise.all(jobs.slice(i, i + replayAtOnce).map(retry));
}
