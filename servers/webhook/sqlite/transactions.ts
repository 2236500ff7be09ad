// Groups writes into transactions, and says what becomes of each when the disk is full or fails.
//
// Group commit: the first write sets a timer, and what follows joins its transaction, from any writer. The
// transaction ends when the event loop has gone round, but not more often than every `commitEveryMs`: under
// load hundreds of writes share a commit, without load nobody waits.
//
// There are two kinds of writes:
// - A unit is what somebody asks for: a publication, a change of an endpoint. It is answered when its
//   transaction is committed. When the transaction fails, all its units are refused: each is undone in
//   memory, and its caller hears why.
// - A record tells what has already happened: the outcome of an attempt, or that an endpoint was disabled.
//   Refusing it would not undo it. It takes effect for reads at once. When the transaction fails it
//   is written again in the next one, every `retryEveryMs`, until it is stored. Meanwhile it is in an open
//   transaction, so that reads see it.
//
// So a publication that does not fit takes no record with it, and a full disk loses no outcome.
// While records wait, units are tried only after them. Only the process's end forgets what could not be
// stored; those attempts are made again at the next start.
//
// Units run when the transaction ends, without a pause in which anybody could see half of one: publications
// first, then changes, then the commit, then what each does in memory once it is stored.

import type { DatabaseSync } from 'node:sqlite';
import { RequestError } from '../../http/request.ts';
import { isSqliteError, troubleOf, unknownOutcome } from './database-errors.ts';
import type { Transactions, Unit } from './unit.ts';

const commitEveryMs = 2;
const retryEveryMs = 250;

export type TransactionsOptions = {
  db: DatabaseSync;
  /** What an error of the database means for those who asked. */
  refusalOf: (error: unknown) => RequestError;
  /** Remembers the counts that are kept outside of the database. @returns puts them back */
  mark: () => () => void;
};

/** A unit that waits for the end of the transaction. */
type Queued = {
  readonly unit: Unit<unknown>;
  readonly answer: PromiseWithResolvers<unknown>;
  result?: unknown;
  failed?: boolean;
};

/** The transactions of a database, one after the other. */
type State = TransactionsOptions & {
  readonly queued: Record<'publication' | 'change', Queued[]>;
  /** What is not stored yet, in its order. */
  records: (() => void)[];
  /** Reads see all of `records`. */
  isWhole: boolean;
  /** Why the records could not be stored. */
  stuck: { error: RequestError; over: PromiseWithResolvers<void> } | undefined;
  /** Who waits for the records so far to be durable. */
  waiting: PromiseWithResolvers<void> | undefined;
  inUnit: boolean;
  isClosed: boolean;
  /** Puts the counts outside of the database back to their values before the transaction. */
  putBack: () => void;
  cancelTimer: (() => void) | undefined;
  lastEndMs: number;
};

export function createTransactions(options: TransactionsOptions): Transactions {
  const s: State = {
    ...options,
    queued: { publication: [], change: [] },
    records: [],
    isWhole: true,
    stuck: undefined,
    waiting: undefined,
    inUnit: false,
    isClosed: false,
    putBack() {},
    cancelTimer: undefined,
    lastEndMs: 0,
  };
  return {
    submit: (kind, unit) => submit(s, kind, unit),
    record: (apply) => record(s, apply),
    tidy: (apply) => tidy(s, apply),
    committed() {
      if (s.stuck) return Promise.reject(s.stuck.error);
      if (!s.db.isTransaction) return Promise.resolve();
      if (!s.waiting) {
        s.waiting = Promise.withResolvers();
        s.waiting.promise.catch(() => {}); // those who wait for it hear of it
      }
      return s.waiting.promise;
    },
    unsaved: () => (!s.stuck ? 0 : s.isWhole ? s.records.length : Infinity),
    recovered: () => s.stuck?.over.promise ?? Promise.resolve(),
    close() {
      end(s);
      s.isClosed = true;
      s.cancelTimer?.();
      s.cancelTimer = undefined;
      if (s.db.isTransaction) s.db.exec('ROLLBACK');
      return s.records.length;
    },
  };
}

function submit<T>(s: State, kind: 'publication' | 'change', unit: Unit<T>): Promise<T> {
  if (s.isClosed) {
    unit.undo?.();
    return Promise.reject(new RequestError(503, 'closing', 'the server is closing; nothing was stored'));
  }
  const answer = Promise.withResolvers<T>();
  // Its own `work` made the result that it is given.
  s.queued[kind].push({ unit, answer } as unknown as Queued);
  if (s.stuck) {
    s.cancelTimer?.(); // it need not wait for the next try
    s.cancelTimer = undefined;
  }
  schedule(s);
  return answer.promise;
}

function record(s: State, apply: () => void): void {
  if (s.inUnit) return apply();
  s.records.push(apply);
  schedule(s);
  if (!s.isWhole) return;
  try {
    begin(s);
    apply();
  } catch {
    rollBack(s); // without it the others are seen again
    save(s);
  }
}

function tidy(s: State, apply: () => void): void {
  if (s.inUnit) return apply();
  if (s.stuck) return;
  try {
    begin(s);
    schedule(s);
    apply();
  } catch (error) {
    s.refusalOf(error);
    rollBack(s);
    save(s);
  }
}

function begin(s: State): void {
  if (s.db.isTransaction) return;
  s.putBack = s.mark();
  s.db.exec('BEGIN');
}

function rollBack(s: State): void {
  if (s.db.isTransaction) s.db.exec('ROLLBACK');
  s.putBack();
  s.putBack = () => {};
}

function schedule(s: State, leastMs = commitEveryMs - (performance.now() - s.lastEndMs)): void {
  if (s.cancelTimer) return;
  if (leastMs > 0) {
    const timer = setTimeout(end, leastMs, s);
    s.cancelTimer = () => clearTimeout(timer);
  } else {
    const immediate = setImmediate(end, s);
    s.cancelTimer = () => clearImmediate(immediate);
  }
}

/** Ends the transaction: stores what waits, or refuses the units and keeps the records. */
function end(s: State): void {
  s.cancelTimer?.();
  s.cancelTimer = undefined;
  const { publication, change } = s.queued;
  s.queued.publication = [];
  s.queued.change = [];
  // Who begins to wait from here on waits for the next transaction.
  const told = s.waiting;
  s.waiting = undefined;
  const isAsked = publication.length + change.length > 0;
  if (s.stuck || !isAsked) save(s);
  if (isAsked && s.stuck) refuse([...publication, ...change], s.stuck.error);
  else if (isAsked) commitWith(s, publication, change);
  s.lastEndMs = performance.now();
  if (s.stuck) told?.reject(s.stuck.error);
  else told?.resolve();
  if (s.stuck) schedule(s, retryEveryMs);
}

/** Stores the records, with the units in the same transaction, or sets `stuck`. */
function save(s: State): void {
  const { db, records } = s;
  if (!db.isTransaction && records.length === 0) return;
  try {
    if (!db.isTransaction) show(s);
    db.exec('COMMIT');
    saved(s);
  } catch (error) {
    rollBack(s);
    const refusal = s.refusalOf(error);
    if (records.length === 0) return; // it was tidying alone
    s.stuck = { error: refusal, over: s.stuck?.over ?? Promise.withResolvers() };
    try {
      show(s);
      s.isWhole = true;
    } catch {
      rollBack(s);
      s.isWhole = false;
    }
  }
}

/** Opens a transaction with all records in it. */
function show(s: State): void {
  begin(s);
  for (const apply of s.records) apply();
}

function saved(s: State): void {
  s.records = [];
  s.isWhole = true;
  s.putBack = () => {};
  s.stuck?.over.resolve();
  s.stuck = undefined;
}

function commitWith(s: State, publications: readonly Queued[], changes: readonly Queued[]): void {
  const open = () => [...publications, ...changes].filter(({ failed }) => !failed);
  let isWritten = false;
  try {
    begin(s);
    run(s, publications, changes);
    isWritten = true;
    s.db.exec('COMMIT');
  } catch (error) {
    rollBack(s);
    const refusal = isSqliteError(error) ? s.refusalOf(error) : error;
    refuse(open(), isWritten && troubleOf(error) !== 'full' && !emptyLog(s) ? unknownOutcome() : refusal);
    save(s);
    return;
  }
  saved(s);
  for (const { unit, result } of open()) unit.done?.(result);
  for (const { answer, result } of open()) answer.resolve(result);
}

/** Runs the units in the open transaction. @throws what makes the whole transaction fail */
function run(s: State, publications: readonly Queued[], changes: readonly Queued[]): void {
  s.inUnit = true;
  try {
    for (const one of publications) one.result = one.unit.work();
    for (const one of changes) runAlone(s, one);
  } finally {
    s.inUnit = false;
  }
}

/** A change that is refused for a reason of its own takes no other with it. */
function runAlone({ db, mark }: State, one: Queued): void {
  const back = mark();
  db.exec('SAVEPOINT change');
  try {
    one.result = one.unit.work();
  } catch (error) {
    if (isSqliteError(error) || !db.isTransaction) throw error;
    db.exec('ROLLBACK TO change');
    back();
    one.failed = true;
    refuse([one], error);
  }
  db.exec('RELEASE change');
}

function refuse(units: readonly Queued[], error: unknown): void {
  for (const { unit } of units.toReversed()) unit.undo?.();
  for (const { answer } of units) answer.reject(error);
}

/**
 * After an error of the disk the log may hold the whole transaction all the same, and the next start would
 * find it there. Where the disk is full it cannot: the frame that ends a transaction is written last.
 * @returns whether the log was emptied
 */
function emptyLog({ db, refusalOf }: State): boolean {
  try {
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    return busy === 0;
  } catch (error) {
    refusalOf(error);
    return false;
  }
}
