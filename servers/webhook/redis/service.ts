// Delivery over Redis, with BullMQ: every server on the same Redis takes publications and works on the same
// queue, on one machine or several. Redis keeps endpoints (redis/endpoints.ts), events and deliveries (a
// delivery is a job; redis/log.ts reads them); how long a kept one survives Redis itself, its own persistence
// says. A server that dies leaves its jobs locked for some seconds, then another makes those attempts again.
//
// Lanes need one process that sees all of an endpoint's deliveries, so what the dispatcher offers (order,
// rates, the breaker) is not to be had here, and the cap of concurrency holds for each server.
// core/pattern/webhook.ts refuses them together.

import type { ServerBacklog } from '../../../core/protocol/control.ts';
import { messageOf } from '../../../core/base/errors.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { schemes } from '../../../core/signature/schemes.ts';
import type { PatternContext } from '../../pattern.ts';
import { RequestError } from '../../http/request.ts';
import type { EndpointChange, StreamMessage } from '../api.ts';
import { createAttempts } from '../sending/attempt.ts';
import { changeTopics, rotateSecret, type WebhookEndpoint } from '../endpoints.ts';
import { createGuard } from '../sending/guard.ts';
import { createAnnouncer, testMessage } from '../operations.ts';
import { createComplaints, within } from './complaints.ts';
import { createRedisEndpoints } from './endpoints.ts';
import { refusalOf } from './link.ts';
import { createRedisLog, type Delivery } from './log.ts';
import { openRedis, prefix, redisKeys } from './open.ts';
import { createRedisPublisher } from './publisher.ts';
import { createRedisWorker } from './worker.ts';
import type { Service } from '../service.ts';
import type { Message } from '../store.ts';
import type { Timers } from '../sending/timers.ts';

/** How often the backlog is read, and what other servers changed. */
const lookEveryMs = 500;
const eventsRemembered = 1000;
const replayAtOnce = 100;
const closeGraceMs = 500;

/** @throws UserError when no Redis answers, or it takes nothing */
export async function createRedisService(
  context: PatternContext,
  options: PatternOptions<'webhook'>,
  timers: Timers,
): Promise<Service> {
  const { hub, counters, random } = context;
  const scheme = schemes[options.scheme];
  const guard = createGuard(options);
  const complaints = createComplaints(() => counters.errors++);
  const {
    host,
    link,
    publishing,
    queue,
    batches,
    identity,
    patient,
    close: closeRedis,
  } = await openRedis({
    url: options.redis,
    retainMs: options.retain,
    keep: options.keep,
    change,
    fail: (error) => report(error),
  });
  const watchers = new Set<(message: StreamMessage) => void>();
  const tries = createAttempts(context, options, timers, guard);
  const messages = new Map<string, Message>();
  let isEmptied = false;
  const shared = createRedisEndpoints({
    link,
    prefix,
    marker: redisKeys.marker,
    identity,
    scheme,
    subscribe,
    checkTopics,
    emptied,
  });
  const log = createRedisLog(link.redis, queue, redisKeys.events, messageOfEvent);
  const publisher = createRedisPublisher({
    hub,
    link: publishing,
    host,
    batches,
    eventKey: redisKeys.event,
    idempotencyKey: redisKeys.idempotency,
    nowMs: timers.nowMs,
    endpointsReady: shared.upToDate,
    isStored: shared.isStored,
    check,
    emptied,
    stored: remember,
  });
  const operations = createAnnouncer(context, publisher.publish);
  let backlog: ServerBacklog = { depth: 0, oldestAgeMs: 0 };

  try {
    await shared.reload();
  } catch (error) {
    patient.giveUp();
    await closeRedis();
    throw error;
  }
  const worker = createRedisWorker({
    context,
    options,
    timers,
    tries,
    patient,
    shared,
    messageOf: messageOfEvent,
    taken: publisher.taken,
    tell,
    tellDisabled,
    report,
    announce: operations.announce,
  });
  let isLooking = false;
  const looking = setInterval(() => void look(), lookEveryMs);

  async function look(): Promise<void> {
    if (isLooking || isEmptied || !link.ready()) return;
    isLooking = true;
    await Promise.all([measure(), shared.reload()]).catch(report);
    isLooking = false;
  }

  function change(ready: boolean, reason: string): void {
    if (ready) {
      complaints.say(`Redis at ${host} answers again`);
      publisher.resume();
    } else {
      complaints.say(
        `Redis at ${host} does not answer (${reason}); publishing and the API answer 503 until it does`,
      );
    }
  }

  /** Of what nobody waits for. That Redis is away, `change` says. */
  function report(error: unknown): void {
    if (!publishing.ready() || isEmptied) return; // that has been said
    complaints.sayOnce(`Redis at ${host}: ${messageOf(error)}`);
  }

  function emptied(): RequestError {
    const what = 'was emptied under this server, its endpoints and deliveries are gone';
    const sentence =
      `the store in Redis at ${host} ${what}: start the server ` + 'again and register the endpoints anew';
    if (!isEmptied) complaints.say(`${sentence}; until then it answers 503`);
    isEmptied = true;
    return new RequestError(503, 'store-emptied', sentence);
  }

  function check(): void {
    if (isEmptied) throw emptied();
  }

  /** Asks Redis something that a client waits for. @throws RequestError 503 */
  async function reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      check();
      return await link.during(work);
    } catch (error) {
      throw refusalOf(error, host);
    }
  }

  /** The same for what changes something: it may have been done when the answer is lost. */
  async function changing<T>(made: () => Promise<T>): Promise<T> {
    try {
      check();
      return await made();
    } catch (error) {
      throw refusalOf(error, host, true);
    }
  }

  function tell(message: StreamMessage): void {
    for (const watcher of watchers) watcher(message);
  }

  /** Who follows what is asked of the hub; the deliveries are made with the batch. */
  function subscribe(endpoint: WebhookEndpoint): void {
    const unsubscribe = hub.subscribe(endpoint.topics, () => {}, endpoint);
    endpoint.unsubscribe();
    endpoint.unsubscribe = unsubscribe;
  }

  function checkTopics(topics: readonly string[]): void {
    hub.subscribe(topics, () => {}, undefined)();
  }

  function remember(message: Message): void {
    messages.set(message.id, message);
    if (messages.size > eventsRemembered) messages.delete(messages.keys().next().value!);
  }

  async function messageOfEvent(id: string): Promise<Message | undefined> {
    const known = messages.get(id);
    if (known) return known;
    const text = await link.ask((redis) => redis.get(redisKeys.event(id)));
    if (text === null) return undefined;
    const message = JSON.parse(text) as Message; // written by the publisher alone
    remember(message);
    return message;
  }

  function tellDisabled(id: string, reason: string): void {
    tell({ kind: 'endpoint', endpoint: id, change: 'disabled', reason });
    operations.announce('disabled', { endpoint: id, reason });
  }

  async function measure(): Promise<void> {
    backlog = await log.backlog(timers.nowMs());
  }

  async function retry(job: Delivery): Promise<boolean> {
    if (job.finishedOn === undefined) return false;
    const { nextMs: _, ...data } = job.data;
    await job.updateData({ ...data, spent: data.attempts.length }); // the schedule begins anew
    await job.retry(job.failedReason ? 'failed' : 'completed');
    return true;
  }

  const enabled = () => [...shared.all.values()].filter(({ disabled }) => disabled === undefined).length;

  function edit(endpoint: WebhookEndpoint, { events, enabled: wanted }: EndpointChange): void {
    const { stored } = endpoint;
    if (events) changeTopics(endpoint, events);
    if (wanted === true && stored.disabled !== undefined) {
      Object.assign(stored, { disabled: undefined, failures: 0, failingSinceMs: undefined });
    }
    if (wanted === false) stored.disabled ??= 'disabled by request';
    endpoint.disabled = stored.disabled;
  }

  return {
    endpoints: shared.all,
    timers,
    rules: { scheme, guard },
    enabled,
    log: {
      list: (filter) => reading(() => log.list(filter)),
      delivery: (id) => reading(() => log.delivery(id)),
      events: (filter) => reading(() => log.events(filter)),
    },
    newBreaker: () => undefined,
    pending: ({ id }) => worker.underWay(id),
    refresh: () => reading(shared.reload),
    async add(endpoint) {
      await changing(() => shared.add(endpoint));
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'registered' });
    },
    async remove(endpoint) {
      await changing(() => shared.remove(endpoint));
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'deleted' });
    },
    async patch(endpoint, asked) {
      const { id } = endpoint;
      let before: string | undefined;
      await changing(() =>
        shared.change(endpoint, (copy) => {
          before = copy.disabled;
          edit(copy, asked);
        }),
      );
      const reason = shared.all.get(id)?.disabled;
      if (before === undefined && reason !== undefined) tellDisabled(id, reason);
      if (before === undefined || reason !== undefined) return;
      tell({ kind: 'endpoint', endpoint: id, change: 'enabled' });
      operations.announce('enabled', { endpoint: id });
    },
    async rotate(endpoint, asked) {
      let shown: { secret?: string } = {};
      await changing(() =>
        shared.change(endpoint, (copy) => {
          shown = rotateSecret(copy, asked, scheme, timers.nowMs());
        }),
      );
      return shown;
    },
    async sendTest(endpoint) {
      const message = testMessage(endpoint.stored.key, timers.nowMs(), random);
      await publisher.send(message, [endpoint]);
      const [row] = await reading(() => log.list({ event: message.id, limit: 1 }));
      return row!.id; // added just now
    },
    async replay(id) {
      const job = await reading(() => queue.getJob(String(id)));
      return job !== undefined && changing(() => link.during(() => retry(job)));
    },
    async recover({ stored }, sinceMs, untilMs, limit) {
      const meant = await reading(() => log.recoverable(stored.key, sinceMs, untilMs, limit));
      await changing(() =>
        link.during(async () => {
          for (let i = 0; i < meant.length; i += replayAtOnce)
            await Promise.all(meant.slice(i, i + replayAtOnce).map(retry));
        }),
      );
      return meant.length;
    },
    backlog: () => backlog,
    async stats() {
      await reading(measure);
      return {
        ...backlog,
        ...worker.figures(),
        endpoints: { enabled: enabled(), disabled: shared.all.size - enabled(), open: 0 },
      };
    },
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    publish: publisher.publish,
    disconnect: tries.cut,
    async close() {
      clearInterval(looking);
      complaints.close();
      operations.close();
      for (const endpoint of shared.all.values()) endpoint.unsubscribe();
      await publisher.close();
      await within(closeGraceMs, shared.upToDate()).catch(() => {});
      await worker.close(publishing.ready);
      await closeRedis();
    },
  };
}
