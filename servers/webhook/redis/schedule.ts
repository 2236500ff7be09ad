// Makes the deliveries that Redis keeps as jobs of BullMQ, which decides when each is due: takes a job, has
// one attempt made, and enters what became of it. A server that dies leaves its jobs locked for some seconds,
// then another makes those attempts again.

import { DelayedError, UnrecoverableError, Worker } from 'bullmq';
import { within } from '../../../core/base/within.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { goodbyeLimits } from '../../../core/policy/server/goodbye.ts';
import type { Message, Task } from '../../../core/policy/webhook/delivery.ts';
import { endpointConcurrency } from '../../../core/policy/webhook/endpoint-queue.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { Timers } from '../sending/timers.ts';
import type { Outcome, Schedule, StoreHandlers } from '../store.ts';
import type { Delivery, JobData } from './delivery-log.ts';
import type { RedisEndpoints } from './endpoints.ts';
import { reconnectMostMs, type PatientConnections } from './link.ts';
import { prefix, queueName } from './open.ts';
import { againMs, patiently } from './patiently.ts';

/** A dead server's attempts are made again after at most the two together. */
const lockMs = 5000;
const stalledEveryMs = 2500;
/** How long a delivery stays away whose endpoint has as many attempts under way as it may. */
const standBackMs = 50;

export type RedisSchedule = Schedule & {
  /** Ends its connections: jobs that Redis has not heard of by then are another server's. */
  close(isRedisThere: () => boolean): Promise<void>;
};

export type RedisScheduleOptions = {
  options: PatternOptions<'webhook'>;
  timers: Timers;
  random: () => number;
  patient: PatientConnections;
  endpoints: Pick<RedisEndpoints, 'current'>;
  messageOf: (event: string) => Promise<Message | undefined>;
  /** Resolves when the event published here is stored. */
  taken: (event: string) => Promise<void>;
  report: (error: unknown) => void;
};

type Working = RedisScheduleOptions & {
  readonly handlers: StoreHandlers;
  /** Attempts under way by endpoint. */
  readonly underWay: Map<string, number>;
  isCut: boolean;
};

export function createRedisSchedule(given: RedisScheduleOptions): RedisSchedule {
  const { options, patient, report } = given;
  const underWay = new Map<string, number>();
  let working: Working | undefined;
  let worker: Worker<JobData, string> | undefined;
  let quiet = Promise.resolve();
  return {
    start(handlers) {
      const now: Working = { ...given, handlers, underWay, isCut: false };
      const kept = { count: options.keep, age: Math.ceil(options.retain / 1000) };
      working = now;
      worker = new Worker<JobData, string>(queueName, (job, token) => work(now, job, token), {
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
    },
    pending: ({ id }) => underWay.get(id) ?? 0,
    underWay: () => [...underWay.values()].reduce((sum, n) => sum + n, 0),
    stop() {
      quiet = worker?.close().catch(report) ?? quiet;
      return quiet;
    },
    async close(isRedisThere) {
      if (isRedisThere()) await within(quiet, goodbyeLimits.webhookStepMs).catch(() => {});
      if (working) working.isCut = true;
      patient.giveUp(); // a Redis that is away cannot be told: another server takes over what is under way
      await within(quiet, reconnectMostMs + goodbyeLimits.webhookStepMs).catch(() => {});
    },
  };
}

/** @returns the job's result: the state of the delivery. @throws BullMQ's errors for the other outcomes */
async function work(working: Working, job: Delivery, token: string | undefined): Promise<string> {
  const { endpoints, messageOf, taken, options, underWay, random } = working;
  const { data } = job;
  await taken(data.event);
  const [endpoint, message] = await patiently(working, () =>
    Promise.all([endpoints.current(data.endpoint), messageOf(data.event)]),
  );
  if (!endpoint || endpoint.disabled !== undefined || !message) return 'cancelled';
  if ((underWay.get(endpoint.id) ?? 0) >= endpointConcurrency(options)) {
    const untilMs = Date.now() + standBackMs * (1 + random());
    await patiently(working, () => job.moveToDelayed(untilMs, token));
    throw new DelayedError();
  }
  const task = taskOf(job, message);
  return enter(working, job, token, endpoint, task, await attempt(working, endpoint, task));
}

/** BullMQ wants a promise of each job; the attempt itself has none. */
function attempt({ handlers, underWay }: Working, endpoint: WebhookEndpoint, task: Task): Promise<Outcome> {
  const { id } = endpoint;
  underWay.set(id, (underWay.get(id) ?? 0) + 1);
  return new Promise((resolve) =>
    handlers.attempt(endpoint, task, (outcome) => {
      const left = underWay.get(id)! - 1; // counted above
      if (left > 0) underWay.set(id, left);
      else underWay.delete(id);
      resolve(outcome);
    }),
  );
}

/** Keeps what became of the attempt, and says to BullMQ how the job goes on. */
async function enter(
  working: Working,
  job: Delivery,
  token: string | undefined,
  endpoint: WebhookEndpoint,
  task: Task,
  outcome: Outcome,
): Promise<string> {
  const { handlers, timers, options } = working;
  const { state, attempt: row } = outcome;
  const attempts = [...job.data.attempts, row];
  const next = row.nextMs === undefined ? {} : { nextMs: row.nextMs };
  await patiently(working, () => job.updateData({ ...job.data, attempts, ...next }));
  handlers.settled(endpoint, task, outcome);
  if (row.nextMs !== undefined) {
    const waitMs = (row.nextMs - timers.nowMs()) / options.timeScale;
    await patiently(working, () => job.moveToDelayed(Date.now() + waitMs, token));
    throw new DelayedError();
  }
  if (state === 'exhausted') throw new UnrecoverableError(row.failure ?? `answered ${row.status}`);
  return state;
}

function taskOf({ id, data }: Delivery, message: Message): Task {
  return {
    id: Number(id),
    endpoint: data.key,
    message,
    attempts: data.attempts.length,
    spent: data.spent ?? 0,
    createdMs: data.createdMs,
    dueMs: data.nextMs ?? data.createdMs,
  };
}
