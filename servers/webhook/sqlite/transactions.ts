// Groups writes into transactions, and says what becomes of each when the disk is full or fails.
//
// Group commit: the first write sets a timer, and what follows joins its transaction, whoever writes. The
// transaction ends when the event loop has gone round, but not more often than every `commitEveryMs`: under
// load hundreds of writes share a commit, without load nobody waits.
//
// There are two kinds of writes:
// - A unit is what somebody asks for: a publication, a change of an endpoint. It is answered when its
//   transaction is committed. When the transaction fails, all its units are refused: each is undone in
//   memory, and its caller hears why.
// - A record is what has happened already: the outcome of an attempt, an endpoint that was disabled.
//   Refusing it would not make it undone. It takes effect for reads at once. When the transaction fails it
//   is written again in the next one, every `retryEveryMs`, until it is stored. Meanwhile it is in an open
//   transaction, so that reads see it.
//
// So a publication that does not fit takes no record with it, and a full disk makes nobody forget an outcome.
// While records wait, units are tried only after them. Only the process's end forgets what could not be
// stored; those attempts are made again at the next start.
//
// Units run when the transaction ends, without a pause in which anybody could see half of one: publications
// first, then changes, then the commit, then what each does in memory once it is stored.

import type { DatabaseSync } from 'node:sqlite';
import { RequestError } from '../../http/request.ts';
import { isSqliteError, troubleOf, unknownOutcome } from './database-errors.ts';

const commitEveryMs = 2;
const retryEveryMs = 250;

export type Unit<T> = {
  /** Writes. It may change memory too, as long as `undo` can put it back. */
  work: () => T;
  /** Called when it is stored, before anybody else's code runs. Must not throw. */
  done?: (result: T) => void;
  /** Called when it is refused, after `work` or in the place of it. Must not throw. */
  undo?: () => void;
};

export type Transactions = {
  /** @throws what `work` throws; RequestError 503 when the store did not take it */
  submit<T>(kind: 'publication' | 'change', unit: Unit<T>): Promise<T>;
  /** Writes a record. Within a unit it is part of the unit. Never throws but within a unit. */
  record(apply: () => void): void;
  /** Writes what may be forgotten when the transaction fails. */
  tidy(apply: () => void): void;
  /** Resolves when every record so far is durable. Rejects when it is not, and goes on being tried. */
  committed(): Promise<void>;
  /** Records that could not be stored yet; `Infinity` when reads do not see all of them either. */
  unsaved(): number;
  /** Resolves when no record waits any more. */
  recovered(): Promise<void>;
  /** Writes what it can. @returns how many records are lost */
  close(): number;
};

export type TransactionsOptions = {
  db: DatabaseSync;
  /** What an error of the database means for whoever asked. */
  refusalOf: (error: unknown) => RequestError;
  /** Remembers what is counted beside the database. @returns puts it back */
  mark: () => () => void;
};

type Queued = {
  unit: Unit<unknown>;
  answer: PromiseWithResolvers<unknown>;
  result?: unknown;
  failed?: boolean;
};

export function createTransactions({ db, refusalOf, mark }: TransactionsOptions): Transactions {
  const queued: Record<'publication' | 'change', Queued[]> = { publication: [], change: [] };
  let records: (() => void)[] = [];
  /** Reads see all of `records`. */
  let isWhole = true;
  /** Why the records could not be stored. */
  let stuck: { error: RequestError; over: PromiseWithResolvers<void> } | undefined;
  let waiting: PromiseWithResolvers<void> | undefined;
  let inUnit = false;
  let isClosed = false;
  let putBack = (): void => {};
  let cancelTimer: (() => void) | undefined;
  let lastEndMs = 0;

  function begin(): void {
    if (db.isTransaction) return;
    putBack = mark();
    db.exec('BEGIN');
  }

  function rollBack(): void {
    if (db.isTransaction) db.exec('ROLLBACK');
    putBack();
    putBack = () => {};
  }

  function schedule(leastMs = commitEveryMs - (performance.now() - lastEndMs)): void {
    if (cancelTimer) return;
    if (leastMs > 0) {
      const timer = setTimeout(end, leastMs);
      cancelTimer = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(end);
      cancelTimer = () => clearImmediate(immediate);
    }
  }

  /** Stores the records, with what else is in the transaction, or sets `stuck`. */
  function save(): void {
    if (!db.isTransaction && records.length === 0) return;
    try {
      if (!db.isTransaction) show();
      db.exec('COMMIT');
      saved();
    } catch (error) {
      rollBack();
      const refusal = refusalOf(error);
      if (records.length === 0) return; // it was tidying alone
      stuck = { error: refusal, over: stuck?.over ?? Promise.withResolvers() };
      try {
        show();
        isWhole = true;
      } catch {
        rollBack();
        isWhole = false;
      }
    }
  }

  /** Opens a transaction with all records in it. */
  function show(): void {
    begin();
    for (const apply of records) apply();
  }

  function saved(): void {
    records = [];
    isWhole = true;
    putBack = () => {};
    stuck?.over.resolve();
    stuck = undefined;
  }

  /** Runs the units in the open transaction. @throws what makes the whole transaction fail */
  function run(units: readonly Queued[], changes: readonly Queued[]): void {
    inUnit = true;
    try {
      for (const one of units) one.result = one.unit.work();
      for (const one of changes) runAlone(one);
    } finally {
      inUnit = false;
    }
  }

  /** A change that is refused for a reason of its own takes no other with it. */
  function runAlone(one: Queued): void {
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

  function end(): void {
    cancelTimer?.();
    cancelTimer = undefined;
    const { publication, change } = queued;
    queued.publication = [];
    queued.change = [];
    // Who begins to wait from here on waits for the next transaction.
    const told = waiting;
    waiting = undefined;
    const isAsked = publication.length + change.length > 0;
    if (stuck || !isAsked) save();
    if (isAsked && stuck) refuse([...publication, ...change], stuck.error);
    else if (isAsked) commitWith(publication, change);
    lastEndMs = performance.now();
    if (stuck) told?.reject(stuck.error);
    else told?.resolve();
    if (stuck) schedule(retryEveryMs);
  }

  function commitWith(publications: readonly Queued[], changes: readonly Queued[]): void {
    const open = () => [...publications, ...changes].filter(({ failed }) => !failed);
    let isWritten = false;
    try {
      begin();
      run(publications, changes);
      isWritten = true;
      db.exec('COMMIT');
    } catch (error) {
      rollBack();
      const refusal = isSqliteError(error) ? refusalOf(error) : error;
      refuse(open(), isWritten && troubleOf(error) !== 'full' && !forget() ? unknownOutcome() : refusal);
      save();
      return;
    }
    saved();
    for (const { unit, result } of open()) unit.done?.(result);
    for (const { answer, result } of open()) answer.resolve(result);
  }

  /**
   * After an error of the disk the log may hold the whole transaction all the same, and the next start would
   * find it there. Where the disk is full it cannot: the frame that ends a transaction is written last.
   * @returns whether the log was emptied
   */
  function forget(): boolean {
    try {
      const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
      return busy === 0;
    } catch (error) {
      refusalOf(error);
      return false;
    }
  }

  return {
    submit<T>(kind: 'publication' | 'change', unit: Unit<T>) {
      if (isClosed) {
        unit.undo?.();
        return Promise.reject(new RequestError(503, 'closing', 'the server is closing; nothing was stored'));
      }
      const answer = Promise.withResolvers<T>();
      // Its own `work` made the result that it is given.
      queued[kind].push({ unit, answer } as unknown as Queued);
      if (stuck) {
        cancelTimer?.(); // it need not wait for the next try
        cancelTimer = undefined;
      }
      schedule();
      return answer.promise;
    },
    record(apply) {
      if (inUnit) return apply();
      records.push(apply);
      schedule();
      if (!isWhole) return;
      try {
        begin();
        apply();
      } catch {
        rollBack(); // without it the others are seen again
        save();
      }
    },
    tidy(apply) {
      if (inUnit) return apply();
      if (stuck) return;
      try {
        begin();
        schedule();
        apply();
      } catch (error) {
        refusalOf(error);
        rollBack();
        save();
      }
    },
    committed() {
      if (stuck) return Promise.reject(stuck.error);
      if (!db.isTransaction) return Promise.resolve();
      if (!waiting) {
        waiting = Promise.withResolvers();
        waiting.promise.catch(() => {}); // whoever waits for it hears of it
      }
      return waiting.promise;
    },
    unsaved: () => (!stuck ? 0 : isWhole ? records.length : Infinity),
    recovered: () => stuck?.over.promise ?? Promise.resolve(),
    close() {
      end();
      isClosed = true;
      cancelTimer?.();
      cancelTimer = undefined;
      if (db.isTransaction) db.exec('ROLLBACK');
      return records.length;
    },
  };
}
