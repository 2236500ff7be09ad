// Reads deliveries as Redis keeps them: lists, one with its log, events, what can be recovered, and how far
// behind it all is. A delivery is a job of BullMQ. Nothing here changes anything.

import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Message } from '../../../core/policy/webhook/delivery.ts';
import type { ServerBacklog } from '../../../core/protocol/control.ts';
import type { AttemptRow, DeliveryRow, EventRow, ListFilter } from '../records.ts';

export type JobData = {
  endpoint: string;
  key: number;
  event: string;
  topic: string;
  createdMs: number;
  attempts: AttemptRow[];
  nextMs?: number;
  spent?: number;
};
export type Delivery = Job<JobData, string>;
/** An event as the list of events has it. */
export type EventNote = { id: string; topic: string; createdMs: number; bodyBytes: number };

/** Deliveries that one page of a list looks at, and the newest events that are listed. */
const looksAt = 2000;
/** Jobs that are read at once. */
const readAtOnce = 100;
/** Waiting deliveries that the age of the oldest is looked for among. */
const waitingLookedAt = 10_000;

export type DeliveryLog = {
  list(filter: ListFilter): Promise<DeliveryRow[]>;
  delivery(id: number): Promise<{ row: DeliveryRow; body: string; attempts: AttemptRow[] } | undefined>;
  events(filter: {
    topic?: string | undefined;
    cursor?: number | undefined;
    limit: number;
  }): Promise<EventRow[]>;
  /**
   * At most `limit` of an endpoint's deliveries that were given up or cancelled and accepted within the time.
   */
  recoverable(endpoint: number, sinceMs: number, untilMs: number, limit: number): Promise<Delivery[]>;
  backlog(nowMs: number): Promise<ServerBacklog & { deadLetters: number }>;
};

export function createDeliveryLog(
  client: Redis,
  queue: Queue<JobData, string>,
  eventsKey: string,
  messageOf: (event: string) => Promise<Message | undefined>,
): DeliveryLog {
  async function list({ endpoint, state, event, cursor, limit }: ListFilter): Promise<DeliveryRow[]> {
    const newest = Number((await client.get(queue.toKey('id'))) ?? 0);
    const rows: DeliveryRow[] = [];
    let looked = 0;
    for (
      let to = Math.min(cursor ?? Infinity, newest + 1) - 1;
      to > 0 && rows.length < limit && looked < looksAt;
      to -= readAtOnce
    ) {
      const ids = Array.from({ length: Math.min(readAtOnce, to) }, (_, i) => String(to - i));
      looked += ids.length;
      for (const job of await Promise.all(ids.map((id) => queue.getJob(id)))) {
        if (
          !job ||
          (endpoint !== undefined && job.data.key !== endpoint) ||
          (event !== undefined && job.data.event !== event)
        )
          continue;
        const row = rowOf(job);
        if ((state === undefined || row.state === state) && rows.length < limit) rows.push(row);
      }
    }
    return rows;
  }

  return {
    list,
    async delivery(id) {
      const job = await queue.getJob(String(id));
      if (!job) return undefined;
      const message = await messageOf(job.data.event);
      return { row: rowOf(job), body: message?.body ?? '', attempts: job.data.attempts };
    },
    async events({ topic, cursor, limit }) {
      const [texts, total] = await Promise.all([
        client.lrange(eventsKey, 0, looksAt),
        client.llen(eventsKey),
      ]);
      const all = texts.map((text, i): EventRow => {
        // Written by the service alone.
        const { id, topic: name, createdMs, bodyBytes } = JSON.parse(text) as EventNote;
        return { key: total - i, id, topic: name, acceptedMs: createdMs, bodyBytes, deliveries: 0 };
      });
      const page = all
        .filter((row) => (topic === undefined || row.topic === topic) && row.key < (cursor ?? Infinity))
        .slice(0, limit);
      const counts = await Promise.all(page.map((row) => list({ event: row.id, limit: looksAt })));
      return page.map((row, i) => ({ ...row, deliveries: counts[i]!.length }));
    },
    async recoverable(endpoint, sinceMs, untilMs, limit) {
      const found: Delivery[] = [];
      for (const kind of ['failed', 'completed'] as const) {
        for (let from = 0; found.length < limit; from += readAtOnce) {
          const page = await queue.getJobs([kind], from, from + readAtOnce - 1, true);
          for (const job of page) {
            if (!job || found.length >= limit) continue; // one may have been pruned just now
            const { key, createdMs } = job.data;
            if (
              key === endpoint &&
              createdMs >= sinceMs &&
              createdMs < untilMs &&
              stateOf(job) !== 'delivered'
            )
              found.push(job);
          }
          if (page.length < readAtOnce) break;
        }
      }
      return found;
    },
    async backlog(nowMs) {
      const {
        waiting = 0,
        active = 0,
        delayed = 0,
        failed = 0,
      } = await queue.getJobCounts('waiting', 'active', 'delayed', 'failed');
      const heads = await queue.getJobs(['waiting', 'active'], 0, 0, true);
      // Those that wait for a retry are sorted by when it is due; the one with the lowest
      // number was accepted first.
      const numbers = (await client.zrange(queue.toKey('delayed'), 0, String(waitingLookedAt - 1))).map(
        Number,
      );
      if (numbers.length > 0)
        // Undefined is left out below.
        heads.push((await queue.getJob(String(numbers.reduce((a, b) => Math.min(a, b))))) as Delivery);
      const createdMs = heads.flatMap((job) => (job ? [job.data.createdMs] : []));
      return {
        depth: waiting + active + delayed,
        deadLetters: failed,
        oldestAgeMs: createdMs.length === 0 ? 0 : Math.max(0, nowMs - Math.min(...createdMs)),
      };
    },
  };
}

function stateOf({ finishedOn, failedReason, returnvalue }: Delivery): DeliveryRow['state'] {
  return finishedOn === undefined
    ? 'pending'
    : failedReason
      ? 'exhausted'
      : returnvalue === 'cancelled'
        ? 'cancelled'
        : 'delivered';
}

function rowOf(job: Delivery): DeliveryRow {
  const { id, data, finishedOn } = job;
  const state = stateOf(job);
  const last = data.attempts.at(-1);
  return {
    id: Number(id),
    endpointId: data.endpoint,
    eventId: data.event,
    topic: data.topic,
    state,
    attempts: data.attempts.length,
    createdMs: data.createdMs,
    nextMs: state === 'pending' ? (data.nextMs ?? data.createdMs) : undefined,
    settledMs: state === 'pending' ? undefined : (finishedOn ?? data.createdMs),
    status: last?.status,
    failure: last?.failure,
  };
}
