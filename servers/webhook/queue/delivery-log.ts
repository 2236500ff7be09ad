// Reads deliveries and events from their records in Redis: lists, one with its log, what can be recovered.
// Nothing here changes anything.

import type { AttemptRow, DeliveryRow, EventRow, ListFilter } from '../records.ts';
import type { DeliveryRecord, Records } from './records.ts';

/** Deliveries that one page of a list looks at, and the newest events that are listed. */
const looksAt = 2000;
/** Records that are read at once. */
const readAtOnce = 200;

export type QueueDeliveryLog = {
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
  recoverable(
    endpoint: number,
    sinceMs: number,
    untilMs: number,
    limit: number,
  ): Promise<{ id: number; record: DeliveryRecord }[]>;
};

export function createQueueDeliveryLog(records: Records): QueueDeliveryLog {
  return {
    async list({ endpoint, state, event, cursor, limit }) {
      const newest = await records.newestId();
      const rows: DeliveryRow[] = [];
      let left = looksAt;
      for (
        let to = Math.min(cursor ?? Infinity, newest + 1) - 1;
        to > 0 && rows.length < limit && left > 0;
        to -= readAtOnce
      ) {
        const ids = Array.from({ length: Math.min(readAtOnce, to) }, (_, i) => to - i);
        left -= ids.length;
        const read = await records.read(ids);
        for (const [i, record] of read.entries()) {
          if (!record || rows.length >= limit) continue;
          if (endpoint !== undefined && record.key !== endpoint) continue;
          if (state !== undefined && record.state !== state) continue;
          if (event !== undefined && record.event !== event) continue;
          rows.push(rowOf(ids[i]!, record)); // one for each
        }
      }
      return rows;
    },
    async delivery(id) {
      const [record] = await records.read([id]);
      if (!record) return undefined;
      const message = await records.message(record.event);
      return { row: rowOf(id, record), body: message?.body ?? '', attempts: [...record.attempts] };
    },
    async events({ topic, cursor, limit }) {
      const { notes, total } = await records.events(looksAt);
      return notes
        .map((note, i): EventRow => {
          const { id, topic: name, createdMs, bodyBytes, deliveries } = note;
          return { key: total - i, id, topic: name, acceptedMs: createdMs, bodyBytes, deliveries };
        })
        .filter((row) => (topic === undefined || row.topic === topic) && row.key < (cursor ?? Infinity))
        .slice(0, limit);
    },
    async recoverable(endpoint, sinceMs, untilMs, limit) {
      const found: { id: number; record: DeliveryRecord }[] = [];
      for (let from = 0; found.length < limit; from += readAtOnce) {
        const ids = await records.unsent(sinceMs, untilMs, from, readAtOnce);
        const read = await records.read(ids);
        for (const [i, record] of read.entries())
          if (record?.key === endpoint && found.length < limit) found.push({ id: ids[i]!, record });
        if (ids.length < readAtOnce) break;
      }
      return found;
    },
  };
}

function rowOf(id: number, record: DeliveryRecord): DeliveryRow {
  const { endpoint, event, topic, state, attempts, createdMs, nextMs, settledMs } = record;
  const last = attempts.at(-1);
  return {
    id,
    endpointId: endpoint,
    eventId: event,
    topic,
    state,
    attempts: attempts.length,
    createdMs,
    nextMs: state === 'pending' ? (nextMs ?? createdMs) : undefined,
    settledMs,
    status: last?.status,
    failure: last?.failure,
  };
}
