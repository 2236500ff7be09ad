// Delivery over Redis, with BullMQ: every server on the same Redis takes publications and works on the same queue, on
// one machine or several. Redis keeps endpoints (redis-endpoints.ts), events and deliveries (a delivery is a job;
// redis-log.ts reads them); how long a kept one survives Redis itself, its own persistence says. A server that dies
// leaves its jobs locked for some seconds, then another makes those attempts again.
//
// Lanes need one process that sees all of an endpoint's deliveries, so what the dispatcher offers (order, rates, the
// breaker) is not to be had here, and the cap of concurrency holds for each server. core/patterns.ts refuses them together.

import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import type { ServerBacklog } from '../../core/control.ts';
import { messageOf } from '../../core/errors.ts';
import type { PatternOptions } from '../../core/patterns.ts';
import { schemes } from '../../core/signature.ts';
import type { PatternContext } from '../pattern.ts';
import { RequestError } from '../request.ts';
import type { EndpointChange, StreamMessage } from './api.ts';
import { createAttempts, endpointConcurrency, failureOf, isGone, isSuccess } from './attempt.ts';
import { changeTopics, rotateSecret, type WebhookEndpoint } from './endpoints.ts';
import { createGuard } from './guard.ts';
import { disableRules } from './health.ts';
import { createAnnouncer, isOperational, testMessage } from './operations.ts';
import { createRedisEndpoints } from './redis-endpoints.ts';
import { isPassing, reconnectMostMs, refusalOf } from './redis-link.ts';
import { createRedisLog, rowOf, type Delivery, type JobData } from './redis-log.ts';
import { openRedis, prefix, queueName, redisKeys } from './redis-open.ts';
import { createRedisPublisher } from './redis-publisher.ts';
import type { Answer } from './sender.ts';
import type { Service } from './service.ts';
import type { Message } from './store.ts';
import type { Timers } from './timers.ts';
import { attemptView, deliveryView } from './views.ts';

/** A dead server's attempts are made again after at most the two together. */
const lockMs = 5000;
const stalledEveryMs = 2500;
/** How long a delivery stays away whose endpoint has as many attempts under way as it may. */
const standBackMs = 50;
/** How often the backlog is read, and what other servers changed. */
const lookEveryMs = 500;
/** When what Redis did not do for a delivery is tried again. */
const againMs = 500;
const eventsRemembered = 1000;
const replayAtOnce = 100;
const closeGraceMs = 500;
/** How long Redis may take to hear that this server goes. */
const farewellMs = 500;

/** @throws UserError when no Redis answers, or it takes nothing */
export async function createRedisService(context: PatternContext, options: PatternOptions<'webhook'>, timers: Timers): Promise<Service> {
  const { hub, counters, random } = context;
  const scheme = schemes[options.scheme];
  const guard = createGuard(options);
  const complaints = createComplaints(() => counters.errors++);
  const { host, link, publishing, queue, batches, identity, patient, close: closeRedis } = await openRedis({
    url: options.redis, retainMs: options.retain, keep: options.keep, change, fail: (error) => report(error),
  });
  const watchers = new Set<(message: StreamMessage) => void>();
  const underWay = new Map<string, number>();
  const tries = createAttempts(context, options, timers, guard);
  const perEndpoint = endpointConcurrency(options);
  const messages = new Map<string, Message>();
  let isEmptied = false;
  let isCut = false;
  const shared = createRedisEndpoints({ link, prefix, marker: redisKeys.marker, identity, scheme, subscribe, checkTopics, emptied });
  const log = createRedisLog(link.redis, queue, redisKeys.events, messageOfEvent);
  const publisher = createRedisPublisher({
    hub, link: publishing, host, batches, eventKey: redisKeys.event, idempotencyKey: redisKeys.idempotency, nowMs: timers.nowMs,
    endpointsReady: shared.upToDate, isStored: shared.isStored, check, emptied, stored: remember,
  });
  const operations = createAnnouncer(context, publisher.publish);
  let backlog: ServerBacklog = { depth: 0, oldestAgeMs: 0 };
  let [delivered, exhausted, attempts, attemptsOfSettled] = [0, 0, 0, 0];

  await shared.reload();
  const kept = { count: options.keep, age: Math.ceil(options.retain / 1000) };
  const worker = new Worker<JobData, string>(queueName, work, {
    connection: patient.redis, prefix, concurrency: options.concurrency, lockDuration: lockMs, stalledInterval: stalledEveryMs, maxStalledCount: 1_000_000,
    runRetryDelay: againMs, removeOnComplete: kept, removeOnFail: kept,
  });
  worker.on('error', report);
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
      complaints.say(`Redis at ${host} does not answer (${reason}); publishing and the API answer 503 until it does`);
    }
  }

  /** Of what nobody waits for. That Redis is away, `change` says. */
  function report(error: unknown): void {
    if (publishing.ready() && !(error instanceof RequestError && isEmptied)) complaints.sayOnce(`Redis at ${host}: ${messageOf(error)}`);
  }

  function emptied(): RequestError {
    const sentence = `the store in Redis at ${host} was emptied under this server, its endpoints and deliveries are gone: start the server again and register the endpoints anew`;
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

  /** For what a delivery depends on: nothing is decided because Redis is away or full for a while. */
  async function patiently<T>(ask: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await ask();
      } catch (error) {
        if (isCut || !isPassing(error)) throw error;
        report(error);
        await new Promise((resolve) => setTimeout(resolve, againMs));
      }
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

  async function work(job: Delivery, token?: string): Promise<string> {
    const { data } = job;
    await publisher.taken(data.event);
    const [endpoint, message] = await patiently(() => Promise.all([shared.current(data.endpoint), messageOfEvent(data.event)]));
    if (!endpoint || endpoint.disabled !== undefined || !message) return 'cancelled';
    const busy = underWay.get(endpoint.id) ?? 0;
    if (busy >= perEndpoint) {
      await patiently(() => job.moveToDelayed(Date.now() + standBackMs * (1 + random()), token));
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
    await patiently(() => job.updateData({ ...data, attempts: [...data.attempts, row], ...(row.nextMs !== undefined && { nextMs: row.nextMs }) }));
    const state = ok ? 'delivered' : current.disabled !== undefined ? 'cancelled' : waitMs === undefined ? 'exhausted' : 'pending';
    tell({ kind: 'attempt', delivery: deliveryView(rowOf(job, state)), attempt: attemptView(row) });
    if (waitMs !== undefined) {
      await patiently(() => job.moveToDelayed(Date.now() + waitMs / options.timeScale, token));
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
    tellDisabled(endpoint.id, reason);
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
    if (wanted === true && stored.disabled !== undefined) Object.assign(stored, { disabled: undefined, failures: 0, failingSinceMs: undefined });
    if (wanted === false) stored.disabled ??= 'disabled by request';
    endpoint.disabled = stored.disabled;
  }

  return {
    endpoints: shared.all, timers, rules: { scheme, guard }, enabled,
    log: {
      list: (filter) => reading(() => log.list(filter)),
      delivery: (id) => reading(() => log.delivery(id)),
      events: (filter) => reading(() => log.events(filter)),
    },
    newBreaker: () => undefined,
    pending: (endpoint) => underWay.get(endpoint.id) ?? 0,
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
      await changing(() => shared.change(endpoint, (copy) => {
        before = copy.disabled;
        edit(copy, asked);
      }));
      const reason = shared.all.get(id)?.disabled;
      if (before === undefined && reason !== undefined) tellDisabled(id, reason);
      if (before === undefined || reason !== undefined) return;
      tell({ kind: 'endpoint', endpoint: id, change: 'enabled' });
      operations.announce('enabled', { endpoint: id });
    },
    async rotate(endpoint, asked) {
      let shown: { secret?: string } = {};
      await changing(() => shared.change(endpoint, (copy) => {
        shown = rotateSecret(copy, asked, scheme, timers.nowMs());
      }));
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
      await changing(() => link.during(async () => {
        for (let i = 0; i < meant.length; i += replayAtOnce) await Promise.all(meant.slice(i, i + replayAtOnce).map(retry));
      }));
      return meant.length;
    },
    backlog: () => backlog,
    async stats() {
      await reading(measure);
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
    publish: publisher.publish,
    disconnect: tries.cut,
    async close() {
      clearInterval(looking);
      complaints.close();
      operations.close();
      for (const endpoint of shared.all.values()) endpoint.unsubscribe();
      await publisher.close();
      await within(closeGraceMs, shared.upToDate()).catch(() => {});
      const quiet = worker.close();
      if (publishing.ready()) await within(closeGraceMs, quiet).catch(() => {});
      await tries.close();
      if (publishing.ready()) await within(farewellMs, quiet).catch(() => {});
      isCut = true;
      patient.giveUp(); // a Redis that is away cannot be told: another server takes over what is under way
      await within(reconnectMostMs + closeGraceMs, quiet).catch(() => {});
      await closeRedis();
    },
  };
}

/** Says what is wrong: the same sentence once a minute at the most. */
function createComplaints(count: () => void) {
  const saidMs = new Map<string, number>();
  let closed = false;
  function say(sentence: string): void {
    if (closed) return;
    count();
    console.error(sentence);
  }
  return {
    say,
    sayOnce(sentence: string): void {
      const nowMs = performance.now();
      if (nowMs - (saidMs.get(sentence) ?? -Infinity) < 60_000) return;
      saidMs.delete(sentence);
      saidMs.set(sentence, nowMs);
      if (saidMs.size > 100) saidMs.delete(saidMs.keys().next().value!); // the oldest; there is one
      say(sentence);
    },
    close: () => void (closed = true),
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
