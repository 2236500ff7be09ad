// Makes the deliveries that Redis keeps as jobs of BullMQ: takes a job, makes one attempt, and enters what it
// means. A server that dies leaves its jobs locked for some seconds, then another makes those attempts again.

import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import type { PatternContext } from '../../pattern.ts';
import type { Stats, StreamMessage } from '../api.ts';
import { endpointConcurrency, failureOf, isGone, isSuccess, type Attempts } from '../sending/attempt.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import { disableRules } from '../sending/health.ts';
import { isOperational, type Announcer } from '../operations.ts';
import { within } from './complaints.ts';
import type { RedisEndpoints } from './endpoints.ts';
import { isPassing, reconnectMostMs, type PatientConnections } from './link.ts';
import { rowOf, type Delivery, type JobData } from './log.ts';
import { prefix, queueName } from './open.ts';
import type { Answer } from '../sending/sender.ts';
import type { Message } from '../store.ts';
import type { Timers } from '../sending/timers.ts';
import { attemptView, deliveryView } from '../http/views.ts';

/** A dead server's attempts are made again after at most the two together. */
const lockMs = 5000;
const stalledEveryMs = 2500;
/** How long a delivery stays away whose endpoint has as many attempts under way as it may. */
const standBackMs = 50;
/** When what Redis did not do for a delivery is tried again. */
const againMs = 500;
/** How long attempts under way may take to finish when the server closes, and then Redis to hear of it. */
const closeGraceMs = 500;

export type RedisWorker = {
  /** Attempts under way for the endpoint. */
  underWay(endpoint: string): number;
  figures(): Pick<Stats, 'underWay' | 'delivered' | 'exhausted' | 'attempts' | 'attemptsPerDelivery'>;
  /** Makes no more attempts, cuts those that take too long, and ends its connections. */
  close(isRedisThere: () => boolean): Promise<void>;
};

export type RedisWorkerOptions = {
  context: PatternContext;
  options: PatternOptions<'webhook'>;
  timers: Timers;
  tries: Attempts;
  patient: PatientConnections;
  shared: Pick<RedisEndpoints, 'all' | 'current' | 'save'>;
  messageOf: (event: string) => Promise<Message | undefined>;
  /** Resolves when what was published here is an event. */
  taken: (event: string) => Promise<void>;
  tell: (message: StreamMessage) => void;
  tellDisabled: (endpoint: string, reason: string) => void;
  announce: Announcer['announce'];
  report: (error: unknown) => void;
};

export function createRedisWorker(given: RedisWorkerOptions): RedisWorker {
  const {
    context: { counters, random },
    options,
    timers,
    tries,
    patient,
    shared,
  } = given;
  const { messageOf, taken, tell, tellDisabled, announce, report } = given;
  const perEndpoint = endpointConcurrency(options);
  const underWay = new Map<string, number>();
  let [delivered, exhausted, attempts, attemptsOfSettled] = [0, 0, 0, 0];
  let isCut = false;
  const kept = { count: options.keep, age: Math.ceil(options.retain / 1000) };
  const worker = new Worker<JobData, string>(queueName, work, {
    connection: patient.redis,
    prefix,
    concurrency: options.concurrency,
    lockDuration: lockMs,
    stalledInterval: stalledEveryMs,
    maxStalledCount: 1_000_000,
    runRetryDelay: againMs,
    removeOnComplete: kept,
    removeOnFail: kept,
  });
  worker.on('error', report);

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

  async function counted<T>(endpoint: string, attempt: () => Promise<T>): Promise<T> {
    underWay.set(endpoint, (underWay.get(endpoint) ?? 0) + 1);
    const made = await attempt(); // never rejects
    const left = underWay.get(endpoint)! - 1;
    if (left > 0) underWay.set(endpoint, left);
    else underWay.delete(endpoint);
    attempts++;
    return made;
  }

  async function work(job: Delivery, token?: string): Promise<string> {
    const { data } = job;
    await taken(data.event);
    const [endpoint, message] = await patiently(() =>
      Promise.all([shared.current(data.endpoint), messageOf(data.event)]),
    );
    if (!endpoint || endpoint.disabled !== undefined || !message) return 'cancelled';
    const busy = underWay.get(endpoint.id) ?? 0;
    if (busy >= perEndpoint) {
      await patiently(() => job.moveToDelayed(Date.now() + standBackMs * (1 + random()), token));
      throw new DelayedError();
    }
    const attempt = data.attempts.length + 1;
    const { answer, row } = await counted(endpoint.id, () => tries.post(endpoint, message, attempt));
    const ok = isSuccess(answer);
    const current = shared.all.get(endpoint.id) ?? endpoint; // it may have been changed meanwhile
    judge(current, answer);
    const waitMs =
      ok || current.disabled !== undefined ? undefined : tries.waitMs(attempt - (data.spent ?? 0), answer);
    if (waitMs !== undefined) row.nextMs = Math.ceil(timers.nowMs() + waitMs);
    const entered: JobData = {
      ...data,
      attempts: [...data.attempts, row],
      ...(row.nextMs !== undefined && { nextMs: row.nextMs }),
    };
    await patiently(() => job.updateData(entered));
    const state = ok
      ? 'delivered'
      : current.disabled !== undefined
        ? 'cancelled'
        : waitMs === undefined
          ? 'exhausted'
          : 'pending';
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
    if (!isOperational(data.topic))
      announce('exhausted', { endpoint: endpoint.id, delivery: String(job.id), event: data.event });
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
    const reason = isGone(answer)
      ? 'answered 410 Gone'
      : disableRules[options.disable](stored, timers.nowMs());
    if (reason !== undefined) disable(endpoint, reason);
  }

  /** Takes effect at once; Redis has it as soon as it can. */
  function disable(endpoint: WebhookEndpoint, reason: string): void {
    if (endpoint.disabled !== undefined) return;
    endpoint.disabled = endpoint.stored.disabled = reason;
    shared.save(endpoint);
    tellDisabled(endpoint.id, reason);
  }

  return {
    underWay: (endpoint) => underWay.get(endpoint) ?? 0,
    figures() {
      const settled = delivered + exhausted;
      const now = [...underWay.values()].reduce((sum, n) => sum + n, 0);
      const perDelivery = settled > 0 && { attemptsPerDelivery: attemptsOfSettled / settled };
      return { underWay: now, delivered, exhausted, attempts, ...perDelivery };
    },
    async close(isRedisThere) {
      const quiet = worker.close();
      if (isRedisThere()) await within(closeGraceMs, quiet).catch(() => {});
      await tries.close();
      if (isRedisThere()) await within(closeGraceMs, quiet).catch(() => {});
      isCut = true;
      patient.giveUp(); // a Redis that is away cannot be told: another server takes over what is under way
      await within(reconnectMostMs + closeGraceMs, quiet).catch(() => {});
    },
  };
}
