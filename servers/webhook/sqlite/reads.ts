// Reads the embedded database: what is pending, for the dispatcher, and lists, for the API.

import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Backlog } from '../../../core/policy/webhook/dispatch-loading.ts';
import type { Task } from '../../../core/policy/webhook/delivery.ts';
import { deliveryStates, type DeliveryState } from '../api.ts';
import type {
  AttemptRow,
  DeliveryRow,
  EventRow,
  KeyedEvent,
  ListFilter,
  StoredEndpoint,
} from '../records.ts';
import { statements, stateNumbers, wholeReads } from './schema.ts';
import type { Transactions } from './unit.ts';

export type TaskRecord = {
  id: number;
  endpoint: number;
  attempts: number;
  spent: number;
  createdMs: number;
  nextMs: number | null;
  eventId: string;
  topic: string;
  body: string;
  bodyBytes: number;
};
type RowRecord = {
  [K in keyof Omit<DeliveryRow, 'state'>]: DeliveryRow[K] extends number | string
    ? DeliveryRow[K]
    : Exclude<DeliveryRow[K], undefined> | null;
} & { state: number };

export type DatabaseReads = {
  endpoints(): StoredEndpoint[];
  /** The event that a publisher's key has made since the time. */
  keyed(key: string, sinceMs: number): KeyedEvent | undefined;
  backlog(endpoint: number): Backlog;
  /** Deliveries never tried, by id, from above `afterId`. */
  fresh(endpoint: number, afterId: number, limit: number): Task[];
  /** Deliveries with a time of their own, earliest first, whether it has come or not. */
  waiting(endpoint: number, limit: number): Task[];

  list(filter: ListFilter): DeliveryRow[];
  delivery(id: number): { row: DeliveryRow; body: string; attempts: AttemptRow[] } | undefined;
  events(filter: { topic?: string | undefined; cursor?: number | undefined; limit: number }): EventRow[];
  /** Pending over all endpoints. */
  pending(): number;
  /** The same, and since when the oldest of them. */
  depth(): { pending: number; oldestMs: number | undefined };
  /** Exhausted deliveries of endpoints that are registered. */
  deadLetters(): number;
};

/** What reads and writes share. */
export type DatabaseParts = {
  db: DatabaseSync;
  run: Record<keyof typeof statements, StatementSync>;
  /** Pending deliveries, dead letters of registered endpoints, and the number of the newest delivery. */
  counts: { pending: number; dead: number; lastId: number };
  record: Transactions['record'];
  /** What an error of the database means for those who asked. */
  refusalOf: (error: unknown) => Error;
};

/** All rows of a statement, whose columns are named as the type says. */
export function allOf<T>(statement: StatementSync, ...values: SQLInputValue[]): T[] {
  return statement.all(...values) as T[];
}

/** The reading half of a `DeliveryDatabase`. Its functions throw a `RequestError` 503 when it fails. */
export function readsOf({ db, run, counts, refusalOf }: DatabaseParts): DatabaseReads {
  function reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw refusalOf(error);
    }
  }
  return {
    endpoints: () =>
      allOf<{ [K in keyof StoredEndpoint]: StoredEndpoint[K] | null }>(db.prepare(wholeReads.endpoints)).map(
        (row) => ({
          ...(row as StoredEndpoint),
          disabled: row.disabled ?? undefined,
          failingSinceMs: row.failingSinceMs ?? undefined, // null is how SQLite says undefined
        }),
      ),
    // Its columns are named so.
    keyed: (key, sinceMs) => reading(() => run.keyed.get(key, sinceMs) as KeyedEvent | undefined),
    backlog: (endpoint) =>
      reading(() => {
        const fresh = run.countFresh.get(endpoint) as { n: number; bytes: number };
        const waiting = run.countWaiting.get(endpoint) as { n: number; bytes: number };
        return { pending: fresh.n + waiting.n, waiting: waiting.n, bytes: fresh.bytes + waiting.bytes };
      }),
    fresh: (endpoint, afterId, limit) =>
      reading(() => allOf<TaskRecord>(run.fresh, endpoint, afterId, limit).map(taskOf)),
    waiting: (endpoint, limit) => reading(() => allOf<TaskRecord>(run.waiting, endpoint, limit).map(taskOf)),

    list: (filter) => reading(() => listWith(run, filter).map((row) => rowOf(row))),
    delivery: (id) =>
      reading(() => {
        const row = run.row.get(id) as RowRecord | undefined;
        if (!row) return undefined;
        const { body } = run.body.get(id) as { body: string };
        const attempts = allOf<{ [K in keyof AttemptRow]: AttemptRow[K] | null }>(run.attempts, id).map(
          (one) => ({
            ...(one as AttemptRow),
            status: one.status ?? undefined,
            failure: one.failure ?? undefined,
            truncated: Boolean(one.truncated),
            nextMs: one.nextMs ?? undefined,
          }),
        );
        return { row: rowOf(row), body, attempts };
      }),
    events: ({ topic, cursor = Number.MAX_SAFE_INTEGER, limit }) =>
      reading(() =>
        topic === undefined
          ? allOf<EventRow>(run.events, cursor, limit)
          : allOf<EventRow>(run.eventsOfTopic, topic, cursor, limit),
      ),
    pending: () => counts.pending,
    deadLetters: () => counts.dead,
    depth: () =>
      reading(() => ({
        pending: counts.pending,
        oldestMs:
          counts.pending === 0
            ? undefined
            : (run.oldest.get() as { createdMs: number } | undefined)?.createdMs,
      })),
  };
}

export function taskOf({
  id,
  endpoint,
  attempts,
  spent,
  createdMs,
  nextMs,
  eventId,
  topic,
  body,
  bodyBytes,
}: TaskRecord): Task {
  return {
    id,
    endpoint,
    attempts,
    spent,
    createdMs,
    dueMs: nextMs ?? createdMs,
    message: { id: eventId, topic, body, bodyBytes },
  };
}

function listWith(
  run: Record<keyof typeof statements, StatementSync>,
  { endpoint, state, event, cursor = Number.MAX_SAFE_INTEGER, limit }: ListFilter,
): RowRecord[] {
  const page = { cursor, limit };
  const all = (statement: StatementSync, given: Record<string, SQLInputValue>) =>
    statement.all(given) as RowRecord[]; // its columns are named so
  if (event !== undefined) {
    const rows = all(run.listOfEvent, {
      ...page,
      event,
      limit: endpoint === undefined && state === undefined ? limit : -1,
    });
    return rows.filter((row) => state === undefined || stateName(row.state) === state).slice(0, limit);
  }
  const dead = state === 'exhausted' || state === 'cancelled';
  if (endpoint === undefined) {
    if (state === undefined) return all(run.list, page);
    if (dead) return all(run.listDead, { ...page, state: stateNumbers[state] });
    return all(state === 'pending' ? run.listPending : run.listDelivered, page);
  }
  if (state === undefined) return all(run.listOfEndpoint, { ...page, endpoint });
  if (dead) return all(run.listDeadOfEndpoint, { ...page, endpoint, state: stateNumbers[state] });
  return all(state === 'pending' ? run.listPendingOfEndpoint : run.listDeliveredOfEndpoint, {
    ...page,
    endpoint,
  });
}

function rowOf({ state, nextMs, settledMs, status, failure, ...row }: RowRecord): DeliveryRow {
  return {
    ...row,
    state: stateName(state),
    nextMs: nextMs ?? undefined,
    settledMs: settledMs ?? undefined,
    status: status ?? undefined,
    failure: failure ?? undefined,
  };
}

function stateName(state: number): DeliveryState {
  return state < stateNumbers.delivered ? 'pending' : deliveryStates[state - 1]!;
}
