// Delivery over Redis, with BullMQ: every server on the same Redis takes publications and works on the same queue, on
// one machine or several. Redis keeps endpoints (redis-endpoints.ts), events and deliveries (a delivery is a job;
// redis-log.ts reads them); how long a kept one survives Redis itself, its own persistence says. A server that dies
// leaves its jobs locked for some seconds, then another makes those attempts again.
//
// Lanes need one process that sees all of an endpoint's deliveries, so what the dispatcher offers (order, rates, the
// breaker) is not to be had here, and the cap of concurrency holds for each server. core/patterns.ts refuses them together.

import { DelayedError, Queue, RedisConnection, UnrecoverableError, Worker } from 'bullmq';
import type { ServerBacklog } from '../../core/control.ts';
import { exitCodes, messageOf, UserError } from '../../core/errors.ts';
import type { PatternOptions } from '../../core/patterns.ts';
import { schemes } from '../../core/signature.ts';
import type { Stamps } from '../hub.ts';
import type { PatternContext } from '../pattern.ts';
import type { StreamMessage } from './api.ts';
import { createAttempts, endpointConcurrency, failureOf, isGone, isSuccess } from './attempt.ts';
import { changeTopics, rotateSecret, type WebhookEndpoint } from './endpoints.ts';
import { createGuard } from './guard.ts';
import { disableRules } from './health.ts';
import { createAnnouncer, isOperational, testMessage } from './operations.ts';
import { createRedisEndpoints } from './redis-endpoints.ts';
import { createRedisLog, rowOf, type Delivery, type EventNote, type JobData } from './redis-log.ts';
import { createWrites } from './redis-writes.ts';
import type { Answer } from './sender.ts';
import type { Service } from './service.ts';
import type { Message } from './store.ts';
import type { Timers } from './timers.ts';
import { attemptView, deliveryView } from './views.ts';

const queueName = 'deliveries';
const prefix = 'pushbench';
const eventsKey = `${prefix}:events`;
const eventKey = (id: string) => `${prefix}:event:${id}`;
const connectWithinMs = 3000;
/** A dead server's attempts are made again after at most the two together. */
const lockMs = 5000;
const stalledEveryMs = 2500;
/** How long a delivery stays away whose endpoint has as many attempts under way as it may. */
const standBackMs = 50;
/** How often the backlog is read, and what other servers changed. */
const lookEveryMs = 500;
/** An event's body outlives its last delivery by this. */
const bodyStaysMs = 7 * 86_400_000;
const eventsRemembered = 1000;
const replayAtOnce = 100;
const closeGraceMs = 500;

/** @throws UserError when no Redis answers */
export async function createRedisService(context: PatternContext, options: PatternOptions<'webhook'>, timers: Timers): Promise<Service> {
  const { hub, counters, random } = context;
  const scheme = schemes[options.scheme];
  const guard = createGuard(options);
  const password = process.env['PUSHBENCH_REDIS_PASSWORD'];
  const settings = { url: options.redis, maxRetriesPerRequest: null, ...(password && { password }) };
  const connection = new RedisConnection(settings);
  connection.on('error', () => {}); // it reconnects by itself; what cannot wait says so
  const client = await within(connectWithinMs, connection.client).catch(() => undefined);
  if (!client) {
    void connection.close(true).catch(() => {});
    throw new UserError('redis', `no Redis answers at ${new URL(options.redis).host}; start redis-server, or name another address with the option redis`, exitCodes.failed);
  }
  const queue = new Queue<JobData, string>(queueName, { connection: settings, prefix });
  const watchers = new Set<(message: StreamMessage) => void>();
  const underWay = new Map<string, number>();
  const tries = createAttempts(context, options, timers, guard);
  const operations = createAnnouncer(context, publish);
  const perEndpoint = endpointConcurrency(options);
  const messages = new Map<string, Message>();
  const writes = createWrites();
  const shared = createRedisEndpoints({ client, prefix, scheme, subscribe, writes });
  const log = createRedisLog(client, queue, eventsKey, messageOfEvent);
  let fresh: { name: string; data: JobData }[] = [];
  let bodies: Promise<unknown>[] = [];
  let backlog: ServerBacklog = { depth: 0, oldestAgeMs: 0 };
  let [delivered, exhausted, attempts, attemptsOfSettled] = [0, 0, 0, 0];

  await shared.reload();
  const kept = { count: options.keep, age: Math.ceil(options.retain / 1000) };
  const worker = new Worker<JobData, string>(queueName, work, {
    connection: settings, prefix, concurrency: options.concurrency, lockDuration: lockMs, stalledInterval: stalledEveryMs, maxStalledCount: 1_000_000,
    removeOnComplete: kept, removeOnFail: kept,
  });
  worker.on('error', report);
  queue.on('error', report);
  const looking = setInterval(() => {
    void measure().catch(report);
    void shared.reload().catch(report);
  }, lookEveryMs);

  function report(error: unknown): void {
    counters.errors++;
    console.error(`Redis: ${messageOf(error)}`);
  }

  function tell(message: StreamMessage): void {
    for (const watcher of watchers) watcher(message);
  }

  function subscribe(endpoint: WebhookEndpoint): void {
    const unsubscribe = hub.subscribe(endpoint.topics, ({ id, topic, json }) => keep(endpoint, { id, topic, body: json, bodyBytes: Buffer.byteLength(json) }), undefined);
    endpoint.unsubscribe();
    endpoint.unsubscribe = unsubscribe;
  }

  async function publish(topic: string, body: string, stamps: Stamps): Promise<{ id: string; seq: number }> {
    const { id, seq } = hub.publish(topic, body, stamps);
    await writes.done();
    return { id, seq };
  }

  /** What comes in one turn of the event loop goes to Redis together. */
  function keep(endpoint: WebhookEndpoint, message: Message): void {
    const { id, topic, bodyBytes } = message;
    const createdMs = Math.round(timers.nowMs());
    if (!messages.has(id)) {
      remember(message);
      bodies.push(client!.set(eventKey(id), JSON.stringify(message), { PX: options.retain + bodyStaysMs }));
      const note = JSON.stringify({ id, topic, createdMs, bodyBytes } satisfies EventNote);
      writes.add(client!.runCommand('lpush', [eventsKey, note]).then(() => client!.ltrim(eventsKey, 0, options.keep)));
    }
    fresh.push({ name: 'delivery', data: { endpoint: endpoint.id, key: endpoint.stored.key, event: id, topic, createdMs, attempts: [] } });
    if (fresh.length > 1) return;
    // A job is never there before its event, nor before an endpoint that is on its way.
    const saved = shared.saved();
    writes.add(new Promise((resolve) => setImmediate(resolve)).then(async () => {
      const [jobs, stored] = [fresh, bodies];
      [fresh, bodies] = [[], []];
      await Promise.all([saved, ...stored]);
      await queue.addBulk(jobs);
    }));
  }

  function remember(message: Message): void {
    messages.set(message.id, message);
    if (messages.size > eventsRemembered) messages.delete(messages.keys().next().value!);
  }

  async function messageOfEvent(id: string): Promise<Message | undefined> {
    const known = messages.get(id);
    if (known) return known;
    const text = await client!.get(eventKey(id));
    if (text === null) return undefined;
    const message = JSON.parse(text) as Message; // written by `keep` alone
    remember(message);
    return message;
  }

  async function work(job: Delivery, token?: string): Promise<string> {
    const { data } = job;
    const [endpoint, message] = await Promise.all([shared.current(data.endpoint), messageOfEvent(data.event)]);
    if (!endpoint || endpoint.disabled !== undefined || !message) return 'cancelled';
    const busy = underWay.get(endpoint.id) ?? 0;
    if (busy >= perEndpoint) {
      await job.moveToDelayed(Date.now() + standBackMs * (1 + random()), token);
      throw new DelayedError();
    }
    underWay.set(endpoint.id, busy + 1);
    const attempt = data.attempts.length + 1;
    const { answer, row } = await tries.post(endpoint, message, attempt);
    const left = underWay.get(endpoint.id)! - 1;
    if (left > 0) underWay.set(endpoint.id, left);
    else underWay.delete(endpoint.id);
    attempts++;
    const ok = isSuccess(answer);
    const current = shared.all.get(endpoint.id) ?? endpoint; // it may have been changed meanwhile
    judge(current, answer);
    const waitMs = ok || current.disabled !== undefined ? undefined : tries.waitMs(attempt - (data.spent ?? 0), answer);
    if (waitMs !== undefined) row.nextMs = Math.ceil(timers.nowMs() + waitMs);
    await job.updateData({ ...data, attempts: [...data.attempts, row], ...(row.nextMs !== undefined && { nextMs: row.nextMs }) });
    const state = ok ? 'delivered' : current.disabled !== undefined ? 'cancelled' : waitMs === undefined ? 'exhausted' : 'pending';
    tell({ kind: 'attempt', delivery: deliveryView(rowOf(job, state)), attempt: attemptView(row) });
    if (waitMs !== undefined) {
      await job.moveToDelayed(Date.now() + waitMs / options.timeScale, token);
      throw new DelayedError();
    }
    if (state === 'delivered' || state === 'exhausted') attemptsOfSettled += attempt - (data.spent ?? 0);
    if (state === 'delivered') delivered++;
    if (state !== 'exhausted') return state;
    exhausted++;
    current.givenUp++;
    if (!isOperational(data.topic)) operations.announce('exhausted', { endpoint: endpoint.id, delivery: String(job.id), event: data.event });
    throw new UnrecoverableError(failureOf(answer));
  }

  /** The rules that disable count what this server has seen. */
  function judge(endpoint: WebhookEndpoint, answer: Answer): void {
    const { stored } = endpoint;
    if (isSuccess(answer)) {
      endpoint.delivered++;
      stored.failures = 0;
      stored.failingSinceMs = undefined;
      return;
    }
    counters.errors++;
    endpoint.lastFailure = failureOf(answer);
    stored.failures++;
    stored.failingSinceMs ??= timers.nowMs();
    const reason = isGone(answer) ? 'answered 410 Gone' : disableRules[options.disable](stored, timers.nowMs());
    if (reason !== undefined) disable(endpoint, reason);
  }

  function disable(endpoint: WebhookEndpoint, reason: string): void {
    if (endpoint.disabled !== undefined) return;
    endpoint.disabled = endpoint.stored.disabled = reason;
    shared.save(endpoint);
    tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'disabled', reason });
    operations.announce('disabled', { endpoint: endpoint.id, reason });
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

  function enable(endpoint: WebhookEndpoint): void {
    if (endpoint.disabled === undefined) return;
    const { stored } = endpoint;
    endpoint.disabled = stored.disabled = undefined;
    stored.failures = 0;
    stored.failingSinceMs = undefined;
    shared.save(endpoint);
    tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'enabled' });
    operations.announce('enabled', { endpoint: endpoint.id });
  }

  /** @throws TooManyTopics, with the topics as they were */
  function follow(endpoint: WebhookEndpoint, topics: readonly string[]): void {
    const before = endpoint.topics;
    changeTopics(endpoint, topics);
    try {
      subscribe(endpoint);
    } catch (error) {
      changeTopics(endpoint, before);
      throw error;
    }
    shared.save(endpoint);
  }

  return {
    endpoints: shared.all, timers, rules: { scheme, guard }, enabled,
    log: { list: log.list, delivery: log.delivery, events: log.events },
    newBreaker: () => undefined,
    pending: (endpoint) => underWay.get(endpoint.id) ?? 0,
    async add(endpoint) {
      await shared.add(endpoint);
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'registered' });
      await writes.done();
    },
    async remove(endpoint) {
      shared.remove(endpoint);
      tell({ kind: 'endpoint', endpoint: endpoint.id, change: 'deleted' });
      await writes.done();
    },
    async patch(endpoint, { events, enabled: wanted }) {
      if (events) follow(endpoint, events);
      if (wanted === true) enable(endpoint);
      if (wanted === false) disable(endpoint, 'disabled by request');
      await writes.done();
    },
    async rotate(endpoint, asked) {
      const shown = rotateSecret(endpoint, asked, scheme, timers.nowMs());
      shared.save(endpoint);
      await writes.done();
      return shown;
    },
    async sendTest(endpoint) {
      const message = testMessage(endpoint.stored.key, timers.nowMs(), random);
      keep(endpoint, message);
      await writes.done();
      const [row] = await log.list({ event: message.id, limit: 1 });
      return row!.id; // added just now
    },
    async replay(id) {
      const job = await queue.getJob(String(id));
      return job !== undefined && retry(job);
    },
    async recover({ stored }, sinceMs, untilMs, limit) {
      const meant = await log.recoverable(stored.key, sinceMs, untilMs, limit);
      for (let i = 0; i < meant.length; i += replayAtOnce) await Promise.all(meant.slice(i, i + replayAtOnce).map(retry));
      return meant.length;
    },
    backlog: () => backlog,
    async stats() {
      await measure();
      const settled = delivered + exhausted;
      return {
        ...backlog, underWay: [...underWay.values()].reduce((sum, n) => sum + n, 0), endpoints: { enabled: enabled(), disabled: shared.all.size - enabled(), open: 0 },
        delivered, exhausted, attempts, ...(settled > 0 && { attemptsPerDelivery: attemptsOfSettled / settled }),
      };
    },
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    publish,
    disconnect: tries.cut,
    async close() {
      clearInterval(looking);
      operations.close();
      for (const endpoint of shared.all.values()) endpoint.unsubscribe();
      await writes.done().catch(() => {});
      const quiet = worker.close();
      await within(closeGraceMs, quiet).catch(() => {});
      await tries.close();
      await quiet;
      await queue.close();
      await connection.close();
    },
  };
}

/** @throws Error when it takes longer */
async function within<T>(ms: number, done: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error('too late')), ms);
  try {
    return await Promise.race([done, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
