// Keeps deliveries in one SQLite database in WAL mode, in a file or in memory, used by one process. Writes go
// through sqlite/commit.ts, which says what becomes of them when the disk is full. With `synchronous = FULL`
// what is committed survives a loss of power as well as a kill.
//
// A process that is killed leaves at most one transaction behind that was not committed, which SQLite rolls
// back: its events were not confirmed to their publisher, its attempts are made again.

import { rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { deliveryStates, type DeliveryState } from '../api.ts';
import { createTransactions } from './commit.ts';
import { checkContent, filesOf, openingFault, prepareFile } from './file.ts';
import { migrate, statements, stateNumbers, wholeReads } from './schema.ts';
import { createRefusals } from '../store-errors.ts';
import type {
  AttemptRow,
  DeliveryRow,
  DeliveryStore,
  EventRow,
  KeyedEvent,
  ListFilter,
  StoredEndpoint,
  Task,
} from '../store.ts';

const prunedKeysAtOnce = 2;

type TaskRecord = {
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

/**
 * Opens the database and makes it where there is none.
 * @param path of the file, `:memory:` for one that ends with the process
 * @throws UserError when the file cannot be had, is damaged, of another program or version,
 *   or another process uses it
 */
export function openSqliteStore(path: string): DeliveryStore & { db: DatabaseSync } {
  const db = path === ':memory:' ? open(path) : openFile(path);
  const run = prepareAll(db, statements);
  let pruneAfter = 0;
  /** Of the newest delivery. A number is not given again when all deliveries are pruned. */
  let lastId = (run.newestId.get() as { id: number | null }).id ?? 0;
  let pending = (db.prepare(wholeReads.countPending).get() as { n: number }).n;
  const refusalOf = createRefusals(path);
  const transactions = createTransactions({
    db,
    refusalOf,
    mark() {
      const before = { pending, lastId };
      return () => void ({ pending, lastId } = before);
    },
  });
  const { submit, record, tidy, committed, unsaved, recovered } = transactions;

  function taskOf({
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

  // Its columns are named so.
  const all = <T>(statement: StatementSync, ...values: SQLInputValue[]) => statement.all(...values) as T[];

  function reading<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw refusalOf(error);
    }
  }

  /** What is pending for the endpoint and may be cancelled. Empty where it cannot be read. */
  function cancellable(endpoint: number, except: ReadonlySet<number>, keepNewest: boolean): number[] {
    const found = [run.freshIds, run.waitingIds].flatMap((statement) =>
      all<{ id: number; topic: string }>(statement, endpoint),
    );
    const newest = new Map<string, number>();
    if (keepNewest)
      for (const { id, topic } of found) newest.set(topic, Math.max(id, newest.get(topic) ?? 0));
    return found.filter(({ id, topic }) => !except.has(id) && newest.get(topic) !== id).map(({ id }) => id);
  }

  function prune(beforeMs: number, keep: number, limit: number): number {
    const keptFrom = lastId - keep;
    const found = all<{ id: number; event: number; endpoint: number; state: number; createdMs: number }>(
      run.prunable,
      pruneAfter,
      limit,
    );
    const old = found.filter(({ id, createdMs }) => id <= keptFrom || createdMs < beforeMs);
    const gone = old.filter(({ state }) => state > stateNumbers.waiting);
    // Pending rows are passed over until the next round begins at the first row again.
    pruneAfter = old.length < found.length || found.length < limit ? 0 : found.at(-1)!.id;
    if (gone.length === 0) return 0;
    tidy(() => {
      for (const { id } of gone) {
        run.pruneAttempts.run(id);
        run.pruneDelivery.run(id);
      }
      for (const event of new Set(gone.map((one) => one.event))) run.pruneEvent.run(event, event);
      for (const endpoint of new Set(gone.map((one) => one.endpoint)))
        run.pruneEndpoint.run(endpoint, endpoint);
    });
    return gone.length;
  }

  return {
    db,
    submit,
    committed,
    unsaved,
    recovered,
    endpoints: () =>
      all<{ [K in keyof StoredEndpoint]: StoredEndpoint[K] | null }>(db.prepare(wholeReads.endpoints)).map(
        (row) => ({
          ...(row as StoredEndpoint),
          disabled: row.disabled ?? undefined,
          failingSinceMs: row.failingSinceMs ?? undefined, // null is how SQLite says undefined
        }),
      ),
    saveEndpoint(endpoint) {
      // As it is now.
      const { key, id, config, createdMs, disabled = null, failures, failingSinceMs = null } = endpoint;
      record(() => {
        if (key === 0)
          endpoint.key = Number(
            run.addEndpoint.run(id, config, createdMs, disabled, failures, failingSinceMs).lastInsertRowid,
          );
        else run.saveEndpoint.run(config, disabled, failures, failingSinceMs, key);
      });
    },
    removeEndpoint(key) {
      record(() => {
        run.removeEndpoint.run(key);
        run.pruneEndpoint.run(key, key);
      });
    },

    publish({ id, topic, body, bodyBytes }, endpoints, nowMs) {
      let ids: number[] = [];
      record(() => {
        const event = Number(run.addEvent.run(id, topic, nowMs, body, bodyBytes).lastInsertRowid);
        ids = endpoints.map(({ key, state }) => {
          const isPending = state === 'pending';
          if (isPending) pending++;
          run.addDelivery.run(
            ++lastId,
            event,
            key,
            isPending ? stateNumbers.fresh : stateNumbers.cancelled,
            nowMs,
            isPending ? null : nowMs,
          );
          return lastId;
        });
      });
      return ids;
    },
    // Its columns are named so.
    keyed: (key, sinceMs) => reading(() => run.keyed.get(key, sinceMs) as KeyedEvent | undefined),
    keepKey(key, { fingerprint, id, seq }, nowMs, sinceMs) {
      record(() => {
        run.pruneKey.run(key, sinceMs);
        run.pruneKeys.run(sinceMs, prunedKeysAtOnce); // each makes room for more than itself
        run.addKey.run(key, fingerprint, id, seq, nowMs);
      });
    },
    settle({ id }, attempt, state) {
      const {
        attempt: number,
        atMs,
        latencyMs,
        status = null,
        failure = null,
        answer,
        truncated,
        nextMs = null,
      } = attempt;
      record(() => {
        run.addAttempt.run(id, number, atMs, latencyMs, status, failure, answer, truncated ? 1 : 0, nextMs);
        run.settle.run(
          stateOf(state),
          number,
          nextMs,
          state === 'pending' ? null : atMs + Math.round(latencyMs),
          status,
          failure,
          id,
        );
        if (state !== 'pending') pending--;
      });
    },

    backlog: (endpoint) =>
      reading(() => {
        const fresh = run.countFresh.get(endpoint) as { n: number; bytes: number };
        const waiting = run.countWaiting.get(endpoint) as { n: number; bytes: number };
        return { pending: fresh.n + waiting.n, waiting: waiting.n, bytes: fresh.bytes + waiting.bytes };
      }),
    fresh: (endpoint, afterId, limit) =>
      reading(() => all<TaskRecord>(run.fresh, endpoint, afterId, limit).map(taskOf)),
    waiting: (endpoint, limit) => reading(() => all<TaskRecord>(run.waiting, endpoint, limit).map(taskOf)),

    cancel(endpoint, nowMs, except, keepNewest) {
      let ids: number[] | undefined;
      record(() => {
        ids ??= cancellable(endpoint, except, keepNewest); // the same when it is written again
        for (const id of ids) pending -= Number(run.cancel.run(nowMs, id).changes);
      });
      return ids ?? [];
    },
    replay(id, nowMs) {
      let task: Task | undefined;
      record(() => {
        if (run.replay.run(nowMs, id).changes === 0) return;
        pending++;
        task = taskOf(run.task.get(id) as TaskRecord);
      });
      return task;
    },
    recover(endpoint, sinceMs, untilMs, nowMs, limit) {
      let recovered = 0;
      record(() => {
        recovered = Number(run.recover.run({ endpoint, sinceMs, untilMs, nowMs, limit }).changes);
        pending += recovered;
      });
      return recovered;
    },

    list: (filter) => reading(() => listWith(run, filter).map((row) => rowOf(row))),
    delivery: (id) =>
      reading(() => {
        const row = run.row.get(id) as RowRecord | undefined;
        if (!row) return undefined;
        const { body } = run.body.get(id) as { body: string };
        const attempts = all<{ [K in keyof AttemptRow]: AttemptRow[K] | null }>(run.attempts, id).map(
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
          ? all<EventRow>(run.events, cursor, limit)
          : all<EventRow>(run.eventsOfTopic, topic, cursor, limit),
      ),
    pending: () => pending,
    depth: () =>
      reading(() => ({
        pending,
        oldestMs:
          pending === 0 ? undefined : (run.oldest.get() as { createdMs: number } | undefined)?.createdMs,
      })),

    prune(beforeMs, keep, limit) {
      if (unsaved() > 0) return 0;
      try {
        return prune(beforeMs, keep, limit);
      } catch (error) {
        refusalOf(error);
        return 0;
      }
    },
    async close() {
      const lost = transactions.close();
      if (lost > 0)
        console.error(
          `The webhook store ${path}: ${lost} outcomes could not be stored; those attempts are made ` +
            'again at the next start.',
        );
      db.close();
    },
  };
}

function openFile(path: string): DatabaseSync {
  const { isNew, isChecked } = prepareFile(path);
  try {
    return open(path, isChecked ? undefined : (db) => checkContent(path, db));
  } catch (error) {
    // What was made just now and cannot be used is nothing to keep.
    if (isNew) for (const file of filesOf(path)) rmSync(file, { force: true });
    throw openingFault(path, error);
  }
}

function open(path: string, check?: (db: DatabaseSync) => void): DatabaseSync {
  const db = new DatabaseSync(path);
  try {
    // Two servers on one file would deliver everything twice.
    db.exec('PRAGMA locking_mode = EXCLUSIVE');
    check?.(db);
    // Nothing is written before a commit, so that only a commit can find the disk full.
    db.exec(
      'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA ' +
        'cache_spill = OFF; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000;',
    );
    migrate(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function prepareAll<K extends string>(
  db: DatabaseSync,
  texts: Readonly<Record<K, string>>,
): Record<K, StatementSync> {
  return Object.fromEntries(
    Object.entries<string>(texts).map(([name, text]) => [name, db.prepare(text)]),
  ) as Record<K, StatementSync>; // the same keys
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

/** A delivery that stays pending after an attempt has a time of its own. */
function stateOf(state: DeliveryState): number {
  return state === 'pending' ? stateNumbers.waiting : stateNumbers[state];
}
