// Delivery over Redis, with BullMQ: every server on the same Redis takes publications and works on the same queue, on
// one machine or several. Redis keeps endpoints, events and deliveries (a delivery is a job); how long a kept one
// survives Redis itself, its own persistence says. A server that dies leaves its jobs locked for some seconds, then
// another makes those attempts again.
//
// Lanes need one process that sees all of an endpoint's deliveries, so what the dispatcher offers (order, rates, the
// breaker) is not to be had here, and the cap of concurrency holds for each server. core/patterns.ts refuses them together.

import { DelayedError, Queue, RedisConnection, UnrecoverableError, Worker, type Job } from 'bullmq';
import type { ServerBacklog } from '../../core/control.ts';
import { exitCodes, messageOf, UserError } from '../../core/errors.ts';
import type { PatternOptions } from '../../core/patterns.ts';
import { schemes } from '../../core/signature.ts';
import type { HubEvent } from '../hub.ts';
import type { PatternContext } from '../pattern.ts';
import type { StreamMessage } from './api.ts';
import { createAttempts, failureOf, isSuccess } from './attempt.ts';
import { endpointOf, type WebhookEndpoint } from './endpoints.ts';
import { createGuard } from './guard.ts';
import { disableRules } from './health.ts';
import { createSender } from './sender.ts';
import type { Service } from './service.ts';
import type { AttemptRow, DeliveryRow, EventRow, ListFilter, Message, StoredEndpoint } from './store.ts';
import type { Timers } from './timers.ts';
import { attemptView, deliveryView } from './views.ts';

type Data = { endpoint: string; key: number; event: string; topic: string; createdMs: number; attempts: AttemptRow[]; nextMs?: number };
type Delivery = Job<Data, string>;

const queueName = 'deliveries';
const prefix = 'pushbench';
const keys = { endpoints: `${prefix}:endpoints`, version: `${prefix}:endpoints-version`, endpointKey: `${prefix}:endpoint-key`, events: `${prefix}:events`, event: (id: string) => `${prefix}:event:${id}` };
const connectWithinMs = 3000;
/** A dead server's attempts are made again after at most the two together. */
const lockMs = 5000;
const stalledEveryMs = 2500;
/** How long a delivery stays away whose endpoint has as many attempts under way as it may. */
const standBackMs = 50;
/** How often the backlog is read, and what other servers changed. */
const lookEveryMs = 500;
/** Deliveries that one page of a list looks at. */
const looksAt = 2000;
const eventsRemembered = 1000;
const closeGraceMs = 500;

/** @throws UserError when no Redis answers */
export async function createRedisService(context: PatternContext, options: PatternOptions<'webhook'>, timers: Timers): Promise<Service> {
  const { hub, counters, countConnection, random } = context;
  const scheme = schemes[options.scheme];
  const guard = createGuard(options);
  const settings = { url: options.redis, maxRetriesPerRequest: null };
  const connection = new RedisConnection(settings);
  connection.on('error', () => {}); // it reconnects by itself; what cannot wait says so
  const client = await within(connectWithinMs, connection.client).catch(() => undefined);
  if (!client) {
    void connection.close(true).catch(() => {});
    throw new UserError('redis', `no Redis answers at ${new URL(options.redis).host}; start redis-server, or name another address with the option redis`, exitCodes.failed);
  }
  const queue = new Queue<Data, string>(queueName, { connection: settings, prefix });
  const endpoints = new Map<string, WebhookEndpoint>();
  const configs = new Map<string, string>();
  const watchers = new Set<(message: StreamMessage) => void>();
  const underWay = new Map<string, number>();
  const sender = createSender({
    counters, countConnection, random, guard, maxIdle: options.concurrency,
    timeoutMs: options.timeout, connectMs: options.connectTimeout === 'timeout' ? options.timeout : options.connectTimeout, headersMs: options.headersTimeout === 'timeout' ? options.timeout : options.headersTimeout,
  });
  const tries = createAttempts(options, { sender, counters, timers, random });
  const perEndpoint = options.endpointConcurrency === 'auto' ? Math.max(1, Math.floor(options.concurrency / 8)) : options.endpointConcurrency;
  const messages = new Map<string, Message>();
  let fresh: { name: string; data: Data }[] = [];
  let writes: Promise<unknown> = Promise.resolve();
  let bodies: Promise<unknown>[] = [];
  let adding = false;
  let backlog: ServerBacklog = { depth: 0, oldestAgeMs: 0 };
  let seenVersion: string | null = '';
  /** Changes of ours on their way: what Redis says of endpoints is older. */
  let unsaved = 0;
  let [delivered, exhausted, attempts] = [0, 0, 0];

  await reload();
  const worker = new Worker<Data, string>(queueName, work, {
    connection: settings, prefix, concurrency: options.concurrency, lockDuration: lockMs, stalledInterval: stalledEveryMs, maxStalledCount: 1_000_000,
    removeOnComplete: { count: options.keep, age: Math.ceil(options.retain / 1000) }, removeOnFail: { count: options.keep, age: Math.ceil(options.retain / 1000) },
  });
  worker.on('error', report);
  queue.on('error', report);
  const looking = setInterval(() => {
    void measure().catch(report);
    void reload().catch(report);
  }, lookEveryMs);

  /** A command that BullMQ's client has no name for. */
  const command = (name: string, ...values: string[]): Promise<unknown> => client.runCommand(name, values);

  function report(error: unknown): void {
    counters.errors++;
    console.error(`Redis: ${messageOf(error)}`);
  }

  /** What another server has changed, too. */
  async function reload(): Promise<void> {
    const version = await client!.get(keys.version);
    if (version === seenVersion || unsaved > 0) return;
    seenVersion = version;
    const stored = await client!.hgetall(keys.endpoints);
    for (const [id, text] of Object.entries(stored)) {
      if (configs.get(id) === text) continue;
      configs.set(id, text);
      const before = endpoints.get(id);
      const endpoint = endpointOf(JSON.parse(text) as StoredEndpoint, scheme, undefined); // written by `save` alone
      Object.assign(endpoint, before && { delivered: before.delivered, givenUp: before.givenUp, lastFailure: before.lastFailure, unsubscribe: before.unsubscribe });
      endpoints.set(id, endpoint);
      subscribe(endpoint);
    }
    for (const [id, endpoint] of endpoints) {
      if (id in stored || !configs.has(id)) continue;
      endpoint.unsubscribe();
      endpoints.delete(id);
      configs.delete(id);
    }
  }

  function subscribe(endpoint: WebhookEndpoint): void {
    const unsubscribe = hub.subscribe(endpoint.topics, (event) => accept(endpoint, event));
    endpoint.unsubscribe();
    endpoint.unsubscribe = unsubscribe;
  }

  function write(change: Promise<unknown>): void {
    const done = Promise.all([writes, change]);
    done.catch(() => {}); // whoever waits for it hears of it
    writes = done;
  }

  function save({ stored }: WebhookEndpoint): void {
    const text = JSON.stringify(stored);
    configs.set(stored.id, text);
    change(client!.hset(keys.endpoints, { [stored.id]: text }));
  }

  function change(made: Promise<unknown>): void {
    unsaved++;
    write(made.then(() => command('incr', keys.version)).finally(() => unsaved--));
  }

  function accept(endpoint: WebhookEndpoint, { id, topic, json }: HubEvent): void {
    keep(endpoint, { id, topic, body: json, bodyBytes: Buffer.byteLength(json) });
  }

  /** What comes in one turn of the event loop goes to Redis together. */
  function keep(endpoint: WebhookEndpoint, message: Message): void {
    const createdMs = Math.round(timers.nowMs());
    if (!messages.has(message.id)) {
      remember(message);
      const text = JSON.stringify({ ...message, createdMs });
      bodies.push(client!.set(keys.event(message.id), text, { PX: options.retain + 7 * 86_400_000 }));
      write(command('lpush', keys.events, JSON.stringify({ id: message.id, topic: message.topic, createdMs, bodyBytes: message.bodyBytes })).then(() => client!.ltrim(keys.events, 0, options.keep)));
    }
    fresh.push({ name: 'delivery', data: { endpoint: endpoint.id, key: endpoint.stored.key, event: message.id, topic: message.topic, createdMs, attempts: [] } });
    if (adding) return;
    adding = true;
    write(new Promise((resolve) => setImmediate(resolve)).then(() => {
      const [jobs, stored] = [fresh, bodies];
      [fresh, bodies, adding] = [[], [], false];
      return Promise.all(stored).then(() => queue.addBulk(jobs)); // a job is never there before its event
    }));
  }

  function remember(message: Message): void {
    messages.set(message.id, message);
    if (messages.size > eventsRemembered) messages.delete(messages.keys().next().value!);
  }

  async function messageOfEvent(id: string): Promise<Message | undefined> {
    const known = messages.get(id);
    if (known) return known;
    const text = await client!.get(keys.event(id));
    if (text === null) return undefined;
    const message = JSON.parse(text) as Message; // written by `keep` alone
    remember(message);
    return message;
  }

  async function work(job: Delivery, token?: string): Promise<string> {
    const { data } = job;
    const endpoint = endpoints.get(data.endpoint);
    const message = await messageOfEvent(data.event);
    if (!endpoint || endpoint.disabled !== undefined || !message) return 'cancelled';
    const busy = underWay.get(endpoint.id) ?? 0;
    if (busy >= perEndpoint) {
      await job.moveToDelayed(Date.now() + standBackMs * (1 + random()), token);
      throw new DelayedError();
    }
    underWay.set(endpoint.id, busy + 1);
    const attempt = data.attempts.length + 1;
    const { answer, row } = await tries.post(endpoint, message, attempt);
    underWay.set(endpoint.id, underWay.get(endpoint.id)! - 1);
    attempts++;
    const ok = isSuccess(answer);
    judge(endpoint, ok, failureOf(answer), answer.kind === 'answered' && answer.status === 410);
    const waitMs = ok || endpoint.disabled !== undefined ? undefined : tries.waitMs(attempt, answer);
    if (waitMs !== undefined) row.nextMs = Math.ceil(timers.nowMs() + waitMs);
    await job.updateData({ ...data, attempts: [...data.attempts, row], ...(row.nextMs !== undefined && { nextMs: row.nextMs }) });
    const state = ok ? 'delivered' : endpoint.disabled !== undefined ? 'cancelled' : waitMs === undefined ? 'exhausted' : 'pending';
    for (const watcher of watchers) watcher({ kind: 'attempt', delivery: deliveryView(rowOf(job, data.endpoint, state)), attempt: attemptView(row) });
    if (waitMs !== undefined) {
      await job.moveToDelayed(Date.now() + waitMs / options.timeScale, token);
      throw new DelayedError();
    }
    if (state === 'delivered') delivered++;
    if (state !== 'exhausted') return state;
    exhausted++;
    endpoint.givenUp++;
    throw new UnrecoverableError(failureOf(answer));
  }

  function judge(endpoint: WebhookEndpoint, ok: boolean, failure: string, gone: boolean): void {
    const { stored } = endpoint;
    if (ok) {
      endpoint.delivered++;
      stored.failures = 0;
      stored.failingSinceMs = undefined;
      return;
    }
    counters.errors++;
    endpoint.lastFailure = failure;
    stored.failures++;
    stored.failingSinceMs ??= timers.nowMs();
    const reason = gone ? 'answered 410 Gone' : disableRules[options.disable](stored, timers.nowMs());
    if (reason !== undefined) disable(endpoint, reason);
  }

  function disable(endpoint: WebhookEndpoint, reason: string): void {
    if (endpoint.disabled !== undefined) return;
    endpoint.disabled = endpoint.stored.disabled = reason;
    save(endpoint);
    for (const watcher of watchers) watcher({ kind: 'endpoint', endpoint: endpoint.id, change: 'disabled', reason });
  }

  function rowOf({ id, data, finishedOn, failedReason, returnvalue }: Delivery, endpointId: string, known?: DeliveryRow['state']): DeliveryRow {
    const state = known ?? (finishedOn === undefined ? 'pending' : failedReason ? 'exhausted' : returnvalue === 'cancelled' ? 'cancelled' : 'delivered');
    const last = data.attempts.at(-1);
    return {
      id: Number(id), endpointId, eventId: data.event, topic: data.topic, state, attempts: data.attempts.length, createdMs: data.createdMs,
      nextMs: state === 'pending' ? (data.nextMs ?? data.createdMs) : undefined, settledMs: state === 'pending' ? undefined : (finishedOn ?? data.createdMs),
      status: last?.status, failure: last?.failure,
    };
  }

  async function measure(): Promise<void> {
    const { waiting = 0, active = 0, delayed = 0 } = await queue.getJobCounts('waiting', 'active', 'delayed');
    const heads = (await queue.getJobs(['waiting', 'active', 'delayed'], 0, 0, true)).filter((job) => job !== undefined);
    const oldestMs = Math.min(...heads.map(({ data }) => data.createdMs));
    backlog = { depth: waiting + active + delayed, oldestAgeMs: heads.length === 0 ? 0 : Math.max(0, timers.nowMs() - oldestMs) };
  }

  async function list({ endpoint, state, event, cursor, limit }: ListFilter): Promise<DeliveryRow[]> {
    const newest = Number((await client!.get(queue.toKey('id'))) ?? 0);
    const rows: DeliveryRow[] = [];
    let looked = 0;
    for (let to = Math.min(cursor ?? Infinity, newest + 1) - 1; to > 0 && rows.length < limit && looked < looksAt; to -= 100) {
      const ids = Array.from({ length: Math.min(100, to) }, (_, i) => String(to - i));
      looked += ids.length;
      for (const job of await Promise.all(ids.map((id) => queue.getJob(id)))) {
        if (!job || (endpoint !== undefined && job.data.key !== endpoint) || (event !== undefined && job.data.event !== event)) continue;
        const row = rowOf(job, job.data.endpoint);
        if ((state === undefined || row.state === state) && rows.length < limit) rows.push(row);
      }
    }
    return rows;
  }

  async function retry(job: Delivery): Promise<boolean> {
    if (job.finishedOn === undefined) return false;
    const { nextMs: _, ...data } = job.data;
    await job.updateData(data);
    await job.retry(job.failedReason ? 'failed' : 'completed');
    return true;
  }

  return {
    endpoints, timers, rules: { scheme, guard }, disable,
    log: {
      list,
      async delivery(id) {
        const job = await queue.getJob(String(id));
        if (!job) return undefined;
        const message = await messageOfEvent(job.data.event);
        return { row: rowOf(job, job.data.endpoint), body: message?.body ?? '', attempts: job.data.attempts };
      },
      async events({ topic, cursor, limit }) {
        const texts = await client.lrange(keys.events, 0, looksAt);
        const total = await client.llen(keys.events);
        const all = texts.map((text, i): EventRow => {
          const { id, topic: name, createdMs, bodyBytes } = JSON.parse(text) as { id: string; topic: string; createdMs: number; bodyBytes: number }; // written by `keep` alone
          return { key: total - i, id, topic: name, acceptedMs: createdMs, bodyBytes, deliveries: 0 };
        });
        const page = all.filter((row) => (topic === undefined || row.topic === topic) && row.key < (cursor ?? Infinity)).slice(0, limit);
        const counts = await Promise.all(page.map((row) => list({ event: row.id, limit: looksAt })));
        return page.map((row, i) => ({ ...row, deliveries: counts[i]!.length }));
      },
      committed: async () => void (await writes),
      saveEndpoint: (stored) => save(endpoints.get(stored.id)!),
    },
    newBreaker: () => undefined,
    enabled: () => [...endpoints.values()].filter(({ disabled }) => disabled === undefined).length,
    pending: (endpoint) => underWay.get(endpoint.id) ?? 0,
    async add(endpoint) {
      subscribe(endpoint);
      endpoint.stored.key = Number(await command('incr', keys.endpointKey));
      endpoints.set(endpoint.id, endpoint);
      save(endpoint);
    },
    remove(endpoint) {
      endpoint.unsubscribe();
      endpoints.delete(endpoint.id);
      configs.delete(endpoint.id);
      change(client.hdel(keys.endpoints, endpoint.id));
    },
    enable(endpoint) {
      const { stored } = endpoint;
      endpoint.disabled = stored.disabled = undefined;
      stored.failures = 0;
      stored.failingSinceMs = undefined;
      save(endpoint);
    },
    resubscribe: subscribe,
    async sendTest(endpoint) {
      const id = `test_${endpoint.stored.key}_${Math.round(timers.nowMs())}_${Math.floor(random() * 1e9)}`;
      const body = JSON.stringify({ id, topic: 'webhook.test', body: { message: 'a test event', at: new Date(timers.nowMs()).toISOString() } });
      keep(endpoint, { id, topic: 'webhook.test', body, bodyBytes: Buffer.byteLength(body) });
      await writes;
      const [row] = await list({ event: id, limit: 1 });
      return row!.id; // added just now
    },
    async replay(id) {
      const job = await queue.getJob(String(id));
      return job !== undefined && retry(job);
    },
    async recover({ stored }, sinceMs, untilMs, limit) {
      const finished = (await queue.getJobs(['failed', 'completed'], 0, -1, true)).filter((job) => job !== undefined);
      const meant = finished.filter((job) => job.data.key === stored.key && job.data.createdMs >= sinceMs && job.data.createdMs < untilMs && rowOf(job, '').state !== 'delivered').slice(0, limit);
      await Promise.all(meant.map(retry));
      return meant.length;
    },
    backlog: () => backlog,
    async stats() {
      await measure();
      const enabled = [...endpoints.values()].filter(({ disabled }) => disabled === undefined).length;
      const settled = delivered + exhausted;
      return {
        ...backlog, underWay: [...underWay.values()].reduce((sum, n) => sum + n, 0), endpoints: { enabled, disabled: endpoints.size - enabled, open: 0 },
        delivered, exhausted, attempts, ...(settled > 0 && { attemptsPerDelivery: attempts / settled }),
      };
    },
    watch(listener) {
      watchers.add(listener);
      return () => void watchers.delete(listener);
    },
    accepted: async () => void (await writes),
    disconnect: sender.cut,
    async close() {
      clearInterval(looking);
      for (const endpoint of endpoints.values()) endpoint.unsubscribe();
      await writes.catch(() => {});
      const quiet = worker.close();
      await within(closeGraceMs, quiet).catch(() => {});
      await sender.close();
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
