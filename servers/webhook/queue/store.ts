// Keeps pending deliveries in an outside queue (work-queue.ts), and everything that a queue cannot tell in
// Redis: endpoints, shared as the Redis store shares them, and records of events and deliveries (records.ts).
// Every server on the same queue and Redis takes publications and delivers.
//
// Rates and the breaker need one process that sees all of an endpoint's deliveries, so they cannot be had
// here, and the cap of concurrency holds for each server. core/pattern/webhook.ts refuses them together.

import { within } from '../../../core/base/within.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { goodbyeLimits } from '../../../core/policy/server/goodbye.ts';
import type { ServerBacklog } from '../../../core/protocol/control.ts';
import { schemes } from '../../../core/signature/schemes.ts';
import type { PatternContext } from '../../pattern.ts';
import { createRedisEndpoints } from '../redis/endpoints.ts';
import { identify } from '../redis/identify.ts';
import { openLink, type RedisLink } from '../redis/link.ts';
import { everyMs } from '../redis/look.ts';
import { createTrouble, type Trouble } from '../redis/trouble.ts';
import type { Timers } from '../sending/timers.ts';
import type { Store, StoreHandlers } from '../store.ts';
import { createQueueDeliveryLog, type QueueDeliveryLog } from './delivery-log.ts';
import { createQueuePublisher, type QueuePublisher } from './publisher.ts';
import { createRecords, reopened, textOf, type DeliveryRecord, type Records } from './records.ts';
import { createQueueSchedule } from './schedule.ts';
import type { Work, WorkQueue } from './work-queue.ts';

/** How often the backlog is read, and what other servers changed. */
const lookEveryMs = 500;

/** Opens the queue. @param report is told what goes wrong that nobody waits for. @throws UserError */
export type OpenQueue = (report: (error: unknown) => void) => Promise<WorkQueue>;

/** @throws UserError when the queue or Redis cannot be used */
export async function openQueueStore(
  { hub, counters }: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
  openQueue: OpenQueue,
): Promise<Store> {
  const { host } = new URL(options.redis);
  const trouble = createTrouble(host, () => counters.errors++);
  const queue = await openQueue(trouble.say);
  const prefix = `pushbench:${queue.path}`;
  let opened = false;
  const link = openLink(options.redis, (ready, reason) => {
    if (opened) trouble.turned(ready, reason);
  });
  const marker = `${prefix}:store`;
  const fail = (error: unknown) => {
    queue.close();
    link.close();
    throw error;
  };
  const identity = await identify(host, [link], { marker, endpoints: `${prefix}:endpoints` }).catch(fail);
  opened = true;
  let handlers: StoreHandlers;
  const endpoints = createRedisEndpoints({
    link,
    prefix,
    marker,
    identity,
    rules: { scheme: schemes[options.scheme], breaker: options.breaker },
    follow: (endpoint, topics) => hub.subscribe(topics, () => {}, endpoint),
    emptied: trouble.emptied,
    report: trouble.report,
    changed: (...change) => handlers.changed(...change),
  });
  const records = createRecords({
    link,
    prefix,
    keep: options.keep,
    retainMs: options.retain,
    leaseMs: queue.leaseMs,
    nowMs: timers.nowMs,
  });
  const { report, check } = trouble;
  const publisher = createQueuePublisher({
    hub,
    queue,
    records,
    host,
    nowMs: timers.nowMs,
    endpointsReady: endpoints.upToDate,
    isStored: endpoints.isStored,
    check,
    report,
  });
  const { taken } = publisher;
  const schedule = createQueueSchedule({
    options,
    timers,
    queue,
    records,
    endpoints,
    taken,
    report,
    complain: trouble.say,
  });
  await endpoints
    .reload()
    .then(() => endpoints.readHealth())
    .catch(fail);
  const log = createQueueDeliveryLog(records);
  return storeOver({
    emulator: queue.emulator,
    link,
    trouble,
    endpoints,
    records,
    log,
    publisher,
    timers,
    schedule: {
      ...schedule,
      start(given) {
        handlers = given;
        schedule.start(given);
      },
    },
  });
}

/** What the store is made of. */
type Parts = {
  emulator: string | undefined;
  link: RedisLink;
  trouble: Trouble;
  endpoints: ReturnType<typeof createRedisEndpoints>;
  records: Records;
  log: QueueDeliveryLog;
  publisher: QueuePublisher;
  schedule: ReturnType<typeof createQueueSchedule>;
  timers: Timers;
};

function storeOver(parts: Parts): Store {
  const { link, trouble, endpoints, records, log, publisher, schedule, timers } = parts;
  let backlog: ServerBacklog = { depth: 0, oldestAgeMs: 0 };
  const readBacklog = async () => {
    const { deadLetters, ...read } = await records.backlog(timers.nowMs());
    backlog = { ...read, shared: true };
    return { ...read, deadLetters };
  };
  const stopLooking = everyMs(lookEveryMs, async () => {
    if (!trouble.isEmptied() && link.ready())
      await Promise.all([readBacklog(), endpoints.reload()]).catch(trouble.report);
  });
  const reading = <T>(read: () => Promise<T>) => trouble.reading(() => link.during(read));

  /** Works are sent before their records say so: the taker of one finds by its round that it is meant. */
  async function sendAgain(all: readonly { id: number; record: DeliveryRecord }[]): Promise<number> {
    const works: (Work & { record: DeliveryRecord })[] = [];
    for (const { id, record } of all) {
      const message = await reading(() => records.message(record.event));
      if (!message) continue; // its body was pruned
      const receivers = [{ id: record.endpoint, key: record.key }];
      const { createdMs } = record;
      works.push({
        kind: 'delivery',
        message,
        firstId: id,
        receivers,
        createdMs,
        round: record.round + 1,
        record,
      });
    }
    await publisher.again(works);
    await trouble.changing(async () => {
      for (const { firstId, record } of works)
        await records.enter(firstId, reopened(record), textOf(record), '');
    });
    return works.length;
  }

  return {
    emulator: parts.emulator,
    endpoints: endpoints.all,
    log: {
      list: (filter) => reading(() => log.list(filter)),
      delivery: (id) => reading(() => log.delivery(id)),
      events: (filter) => reading(() => log.events(filter)),
    },
    schedule,
    refresh: () => reading(endpoints.reload),
    publish: publisher.publish,
    add: (endpoint) => trouble.changing(() => endpoints.add(endpoint)),
    remove: (endpoint) => trouble.changing(() => endpoints.remove(endpoint)),
    change: (endpoint, edit) => trouble.changing(() => endpoints.change(endpoint, edit)),
    disable: endpoints.disable,
    saveHealth: endpoints.saveHealth,
    send: (endpoint, message) => publisher.send(message, endpoint),
    async replay(_endpoint, id) {
      const [record] = await reading(() => records.read([id]));
      if (!record || record.state === 'pending') return false;
      return (await sendAgain([{ id, record }])) > 0;
    },
    recover: async ({ stored }, sinceMs, untilMs, limit) =>
      sendAgain(await reading(() => log.recoverable(stored.key, sinceMs, untilMs, limit))),
    backlog: () => backlog,
    readBacklog: () => reading(readBacklog),
    async close() {
      stopLooking();
      trouble.close();
      for (const endpoint of endpoints.all.values()) endpoint.unsubscribe();
      await publisher.close();
      await within(endpoints.upToDate(), goodbyeLimits.webhookStepMs).catch(() => {});
      await schedule.close();
      link.close();
    },
  };
}
