// The embedded store: one SQLite database in WAL mode, in a file or in memory, used by one process.
//
// Group commit: the first write opens a transaction and what follows joins it, whoever writes. It is committed when
// the event loop has gone round, but not more often than every `commitEveryMs`: under load the price of a commit is
// shared by some hundred writes, without load nobody waits. Everything that must not be told before it is durable
// waits for `committed`. With `synchronous = FULL` that holds for a loss of power as well as for a kill.
//
// A process that is killed leaves at most one transaction behind that was not committed, which SQLite rolls back: its
// events were not confirmed to their publisher, its attempts are made again.

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { deliveryStates, type DeliveryState } from './api.ts';
import { migrate, statements, stateNumbers, wholeReads } from './sqlite-schema.ts';
import type { AttemptRow, DeliveryRow, DeliveryStore, EventRow, ListFilter, StoredEndpoint, Task } from './store.ts';

const commitEveryMs = 2;

type TaskRecord = { id: number; endpoint: number; attempts: number; spent: number; createdMs: number; nextMs: number | null; eventId: string; topic: string; body: string; bodyBytes: number };
type RowRecord = { [K in keyof Omit<DeliveryRow, 'state'>]: DeliveryRow[K] extends number | string ? DeliveryRow[K] : Exclude<DeliveryRow[K], undefined> | null } & { state: number };

/**
 * Opens the database and makes it where there is none.
 * @param path of the file, `:memory:` for one that ends with the process
 * @throws the system's error when the file cannot be had; Error when another version wrote it, or another process uses it
 */
export function openSqliteStore(path: string): DeliveryStore & { db: DatabaseSync } {
  // Secrets are in it. SQLite gives its other files the permissions of this one.
  if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600));
  const db = new DatabaseSync(path);
  // Two servers on one file would deliver everything twice.
  db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; PRAGMA wal_autocheckpoint = 4000;');
  migrate(db);
  const run = prepareAll(db, statements);
  let commit: { done: PromiseWithResolvers<void> } | undefined;
  let lastCommitMs = 0;
  let pruneAfter = 0;
  let pending = (db.prepare(wholeReads.countPending).get() as { n: number }).n;

  /** Every write goes through here first. */
  function begin(): void {
    if (commit) return;
    commit = { done: Promise.withResolvers() };
    commit.done.promise.catch(() => {}); // whoever waits for it hears of it
    db.exec('BEGIN');
    const leftMs = commitEveryMs - (performance.now() - lastCommitMs);
    if (leftMs > 0) setTimeout(finish, leftMs);
    else setImmediate(finish);
  }

  function finish(): void {
    if (!commit) return;
    const { done } = commit;
    commit = undefined;
    try {
      db.exec('COMMIT');
      done.resolve();
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      done.reject(error);
    }
    lastCommitMs = performance.now();
  }

  function taskOf({ id, endpoint, attempts, spent, createdMs, nextMs, eventId, topic, body, bodyBytes }: TaskRecord): Task {
    return { id, endpoint, attempts, spent, createdMs, dueMs: nextMs ?? createdMs, message: { id: eventId, topic, body, bodyBytes } };
  }

  const all = <T>(statement: StatementSync, ...values: SQLInputValue[]) => statement.all(...values) as T[]; // its columns are named so

  return {
    db,
    endpoints: () => all<{ [K in keyof StoredEndpoint]: StoredEndpoint[K] | null }>(db.prepare(wholeReads.endpoints)).map((row) => ({
      ...(row as StoredEndpoint), disabled: row.disabled ?? undefined, failingSinceMs: row.failingSinceMs ?? undefined, // null is how SQLite says undefined
    })),
    saveEndpoint(endpoint) {
      begin();
      const { key, id, config, createdMs, disabled, failures, failingSinceMs } = endpoint;
      if (key === 0) endpoint.key = Number(run.addEndpoint.run(id, config, createdMs, disabled ?? null, failures, failingSinceMs ?? null).lastInsertRowid);
      else run.saveEndpoint.run(config, disabled ?? null, failures, failingSinceMs ?? null, key);
    },
    removeEndpoint(key) {
      begin();
      run.removeEndpoint.run(key);
      run.pruneEndpoint.run(key, key);
    },

    publish({ id, topic, body, bodyBytes }, endpoints, nowMs) {
      begin();
      const event = Number(run.addEvent.run(id, topic, nowMs, body, bodyBytes).lastInsertRowid);
      return endpoints.map(({ key, state }) => {
        const isPending = state === 'pending';
        if (isPending) pending++;
        return Number(run.addDelivery.run(event, key, isPending ? stateNumbers.fresh : stateNumbers.cancelled, nowMs, isPending ? null : nowMs).lastInsertRowid);
      });
    },
    committed: () => commit?.done.promise ?? Promise.resolve(),
    settle({ id }, attempt, state) {
      begin();
      const { attempt: number, atMs, latencyMs, status = null, failure = null, answer, truncated, nextMs = null } = attempt;
      run.addAttempt.run(id, number, atMs, latencyMs, status, failure, answer, truncated ? 1 : 0, nextMs);
      run.settle.run(stateOf(state), number, nextMs, state === 'pending' ? null : atMs + Math.round(latencyMs), status, failure, id);
      if (state !== 'pending') pending--;
    },

    backlog(endpoint) {
      const fresh = run.countFresh.get(endpoint) as { n: number; bytes: number };
      const waiting = run.countWaiting.get(endpoint) as { n: number; bytes: number };
      return { pending: fresh.n + waiting.n, waiting: waiting.n, bytes: fresh.bytes + waiting.bytes };
    },
    fresh: (endpoint, afterId, limit) => all<TaskRecord>(run.fresh, endpoint, afterId, limit).map(taskOf),
    waiting: (endpoint, limit) => all<TaskRecord>(run.waiting, endpoint, limit).map(taskOf),

    cancel(endpoint, nowMs, except, keepNewest) {
      const found = [...all<{ id: number; topic: string }>(run.freshIds, endpoint), ...all<{ id: number; topic: string }>(run.waitingIds, endpoint)];
      const newest = new Map<string, number>();
      if (keepNewest) for (const { id, topic } of found) newest.set(topic, Math.max(id, newest.get(topic) ?? 0));
      const ids = found.filter(({ id, topic }) => !except.has(id) && newest.get(topic) !== id).map(({ id }) => id);
      if (ids.length > 0) begin();
      for (const id of ids) run.cancel.run(nowMs, id);
      pending -= ids.length;
      return ids;
    },
    replay(id, nowMs) {
      begin();
      if (run.replay.run(nowMs, id).changes === 0) return undefined;
      pending++;
      return taskOf(run.task.get(id) as TaskRecord);
    },
    recover(endpoint, sinceMs, untilMs, nowMs, limit) {
      begin();
      const recovered = Number(run.recover.run({ endpoint, sinceMs, untilMs, nowMs, limit }).changes);
      pending += recovered;
      return recovered;
    },

    list: (filter) => listWith(run, filter).map((row) => rowOf(row)),
    delivery(id) {
      const row = run.row.get(id) as RowRecord | undefined;
      if (!row) return undefined;
      const { body } = run.body.get(id) as { body: string };
      const attempts = all<{ [K in keyof AttemptRow]: AttemptRow[K] | null }>(run.attempts, id).map((one) => ({
        ...(one as AttemptRow), status: one.status ?? undefined, failure: one.failure ?? undefined, truncated: Boolean(one.truncated), nextMs: one.nextMs ?? undefined,
      }));
      return { row: rowOf(row), body, attempts };
    },
    events: ({ topic, cursor = Number.MAX_SAFE_INTEGER, limit }) =>
      topic === undefined ? all<EventRow>(run.events, cursor, limit) : all<EventRow>(run.eventsOfTopic, topic, cursor, limit),
    depth: () => ({ pending, oldestMs: pending === 0 ? undefined : (run.oldest.get() as { createdMs: number } | undefined)?.createdMs }),

    prune(beforeMs, keep, limit) {
      const keptFrom = ((run.newestId.get() as { id: number | null }).id ?? 0) - keep;
      const found = all<{ id: number; event: number; endpoint: number; state: number; createdMs: number }>(run.prunable, pruneAfter, limit);
      const old = found.filter(({ id, createdMs }) => id <= keptFrom || createdMs < beforeMs);
      const gone = old.filter(({ state }) => state > stateNumbers.waiting);
      // Pending rows are passed over until the next round begins at the first row again.
      pruneAfter = old.length < found.length || found.length < limit ? 0 : found.at(-1)!.id;
      if (gone.length === 0) return 0;
      begin();
      for (const { id } of gone) {
        run.pruneAttempts.run(id);
        run.pruneDelivery.run(id);
      }
      for (const event of new Set(gone.map((one) => one.event))) run.pruneEvent.run(event, event);
      for (const endpoint of new Set(gone.map((one) => one.endpoint))) run.pruneEndpoint.run(endpoint, endpoint);
      return gone.length;
    },
    async close() {
      finish();
      db.close();
    },
  };
}

function prepareAll<K extends string>(db: DatabaseSync, texts: Readonly<Record<K, string>>): Record<K, StatementSync> {
  return Object.fromEntries(Object.entries<string>(texts).map(([name, text]) => [name, db.prepare(text)])) as Record<K, StatementSync>; // the same keys
}

function listWith(run: Record<keyof typeof statements, StatementSync>, { endpoint, state, event, cursor = Number.MAX_SAFE_INTEGER, limit }: ListFilter): RowRecord[] {
  const page = { cursor, limit };
  const all = (statement: StatementSync, given: Record<string, SQLInputValue>) => statement.all(given) as RowRecord[]; // its columns are named so
  if (event !== undefined) {
    const rows = all(run.listOfEvent, { ...page, event, limit: endpoint === undefined && state === undefined ? limit : -1 });
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
  return all(state === 'pending' ? run.listPendingOfEndpoint : run.listDeliveredOfEndpoint, { ...page, endpoint });
}

function rowOf({ state, nextMs, settledMs, status, failure, ...row }: RowRecord): DeliveryRow {
  return { ...row, state: stateName(state), nextMs: nextMs ?? undefined, settledMs: settledMs ?? undefined, status: status ?? undefined, failure: failure ?? undefined };
}

function stateName(state: number): DeliveryState {
  return state < stateNumbers.delivered ? 'pending' : deliveryStates[state - 1]!;
}

/** A delivery that stays pending after an attempt has a time of its own. */
function stateOf(state: DeliveryState): number {
  return state === 'pending' ? stateNumbers.waiting : stateNumbers[state];
}
