// Makes the deliveries that a queue hands out: takes a work, has one attempt made, enters what became of it
// (records.ts), and tells the queue how the work goes on. An event with several receivers is split first. A
// server that dies tells nothing: its works are handed out again when their leases have ended.

import { randomUUID } from 'node:crypto';
import { within } from '../../../core/base/within.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import { goodbyeLimits } from '../../../core/policy/server/goodbye.ts';
import type { Task } from '../../../core/policy/webhook/delivery.ts';
import { endpointConcurrency } from '../../../core/policy/webhook/endpoint-queue.ts';
import type { WebhookEndpoint } from '../endpoints.ts';
import type { RedisEndpoints } from '../redis/endpoints.ts';
import { againMs, patiently } from '../redis/patiently.ts';
import type { Timers } from '../sending/timers.ts';
import type { Outcome, Schedule, StoreHandlers } from '../store.ts';
import type { DeliveryRecord, Records } from './records.ts';
import { splitWork, type End, type Work, type WorkQueue } from './work-queue.ts';

export type QueueSchedule = Schedule & {
  /** Reports nothing any more: works under way come back when their lease has ended. */
  close(): Promise<void>;
};

export type QueueScheduleOptions = {
  options: PatternOptions<'webhook'>;
  timers: Timers;
  queue: WorkQueue;
  records: Records;
  endpoints: Pick<RedisEndpoints, 'current' | 'reload'>;
  /** Resolves when the event published here is stored. */
  taken: (event: string) => Promise<void>;
  /** Told of errors of Redis. */
  report: (error: unknown) => void;
  /** Told what the queue does not do. */
  complain: (error: unknown) => void;
};

type Working = QueueScheduleOptions & {
  readonly handlers: StoreHandlers;
  /** Attempts under way by endpoint. */
  readonly underWay: Map<string, number>;
  isCut: boolean;
};

export function createQueueSchedule(given: QueueScheduleOptions): QueueSchedule {
  const { queue, report } = given;
  const underWay = new Map<string, number>();
  let working: Working | undefined;
  let quiet = Promise.resolve();
  return {
    start(handlers) {
      const now: Working = { ...given, handlers, underWay, isCut: false };
      working = now;
      queue.start(async (work) => {
        try {
          return await handle(now, work);
        } catch (error) {
          if (!now.isCut) report(error);
          return { kind: 'left' };
        }
      });
    },
    pending: ({ id }) => underWay.get(id) ?? 0,
    underWay: () => [...underWay.values()].reduce((sum, n) => sum + n, 0),
    stop: () => (quiet = queue.stop()),
    async close() {
      await within(quiet, goodbyeLimits.webhookStepMs).catch(() => {});
      if (working) working.isCut = true;
      await within(quiet, againMs + goodbyeLimits.webhookStepMs).catch(() => {});
      queue.close();
    },
  };
}

async function handle(working: Working, work: Work): Promise<End> {
  const { taken, endpoints, underWay, options, queue, records, timers } = working;
  await taken(work.message.id);
  if (work.kind === 'event') return split(working, work);
  const id = work.firstId;
  const [receiver] = work.receivers;
  const endpoint = await patiently(working, () => endpoints.current(receiver!.id)); // a delivery has one
  if (endpoint && (underWay.get(endpoint.id) ?? 0) >= endpointConcurrency(options)) return { kind: 'soon' };
  // One that is unknown may be one of a store that was emptied; then this throws, and nothing is decided.
  if (!endpoint) await endpoints.reload();
  const free = endpoint && hold(underWay, endpoint.id);
  try {
    const claim = randomUUID();
    const found = await patiently(working, () => records.take(work, claim));
    if (found.kind === 'busy') return { kind: 'soon' };
    const { record, text } = found;
    const enter = (entered: DeliveryRecord) =>
      patiently(working, () => records.enter(id, entered, text, claim));
    if (record.state !== 'pending') {
      await records.release(id, claim);
      if (record.state === 'exhausted') await queue.bury(work); // the copy may be missing
      return { kind: 'done' };
    }
    const waitMs = ((record.nextMs ?? 0) - timers.nowMs()) / options.timeScale;
    if (waitMs > 0) {
      await records.release(id, claim);
      return { kind: 'later', ms: waitMs };
    }
    if (!endpoint || endpoint.disabled !== undefined) {
      await enter({ ...record, state: 'cancelled', settledMs: timers.nowMs() });
      return { kind: 'done' };
    }
    const task = taskOf(work, record);
    const outcome = await attempt(working, endpoint, task);
    const entered = recordAfter(record, outcome);
    if (!(await enter(entered))) return { kind: 'left' }; // the lease had ended, and another has it
    working.handlers.settled(endpoint, task, outcome);
    if (outcome.state === 'exhausted') await queue.bury(work);
    if (entered.nextMs === undefined) return { kind: 'done' };
    return { kind: 'later', ms: Math.max(0, entered.nextMs - timers.nowMs()) / options.timeScale };
  } finally {
    free?.();
  }
}

/** Puts a delivery for each receiver into the queue. Done again, it makes the same ones again. */
async function split(working: Working, work: Work): Promise<End> {
  const { queue, records, complain } = working;
  // Of an event whose publisher did not hear that it is in the queue nobody has written the records.
  await patiently(working, () => records.addMissing(work));
  const sent = await queue.send(splitWork(work));
  const failed = sent.find(({ state }) => state !== 'stored');
  if (!failed || failed.state === 'stored') return { kind: 'done' };
  complain(new Error(`the ${queue.name}: an event was not split, ${failed.why}`));
  return { kind: 'left' };
}

/** Counts an attempt for the endpoint. @returns the function that ends that */
function hold(underWay: Map<string, number>, id: string): () => void {
  underWay.set(id, (underWay.get(id) ?? 0) + 1);
  return () => {
    const left = underWay.get(id)! - 1; // counted above
    if (left > 0) underWay.set(id, left);
    else underWay.delete(id);
  };
}

function attempt({ handlers }: Working, endpoint: WebhookEndpoint, task: Task): Promise<Outcome> {
  return new Promise((resolve) => handlers.attempt(endpoint, task, resolve));
}

function recordAfter(record: DeliveryRecord, { state, attempt: row }: Outcome): DeliveryRecord {
  const { nextMs: _, ...kept } = record;
  const attempts = [...record.attempts, row];
  if (state === 'again') return { ...kept, attempts, nextMs: row.nextMs ?? 0 };
  return { ...kept, attempts, state, settledMs: row.atMs + Math.round(row.latencyMs) };
}

function taskOf(
  { firstId, message }: Work,
  { key, attempts, spent, createdMs, nextMs }: DeliveryRecord,
): Task {
  return {
    id: firstId,
    endpoint: key,
    message,
    attempts: attempts.length,
    spent,
    createdMs,
    dueMs: nextMs ?? createdMs,
  };
}
