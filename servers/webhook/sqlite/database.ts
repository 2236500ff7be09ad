// Keeps deliveries in one SQLite database in WAL mode, in a file or in memory, used by one process. Writes go
// through transactions.ts, which says what becomes of them when the disk is full. With `synchronous = FULL`
// a committed write survives a loss of power as well as a kill.
//
// A process that is killed leaves at most one transaction behind that was not committed, which SQLite rolls
// back: its events were not confirmed to their publisher, its attempts are made again.

import type { DatabaseSync } from 'node:sqlite';
import { connect, prepareAll } from './connection.ts';
import { createRefusals } from './database-errors.ts';
import { pruneWith } from './prune.ts';
import { readsOf, type DatabaseReads } from './reads.ts';
import { statements, wholeReads } from './schema.ts';
import { createTransactions } from './transactions.ts';
import type { Transactions } from './unit.ts';
import { writesOf, type DatabaseWrites } from './writes.ts';

/**
 * Writes are of two kinds (transactions.ts): within a unit they are a request, which is stored as a whole or
 * refused; outside of one they are a record of what has happened, which is kept until it is stored. Records
 * take effect at once for reads of the same process.
 * Every function throws a `RequestError` of status 503 when the database fails, except those that only write
 * records.
 */
export type DeliveryDatabase = Pick<Transactions, 'submit' | 'committed' | 'unsaved' | 'recovered'> &
  DatabaseReads &
  DatabaseWrites & {
    /**
     * Removes deliveries that were settled and are older than `beforeMs`, or beyond the newest
     * `keep`, with their attempts, and the events and removed endpoints that nobody refers to any
     * more; at most `limit` of them.
     * @returns how many went
     */
    prune(beforeMs: number, keep: number, limit: number): number;
    close(): Promise<void>;
  };

/**
 * Opens the database and makes it where there is none.
 * @param path of the file, `:memory:` for a database that ends with the process
 * @throws UserError when the file cannot be had, is damaged, of another program or version,
 *   or another process uses it
 */
export function openDatabase(path: string): DeliveryDatabase & { db: DatabaseSync } {
  const db = connect(path);
  const run = prepareAll(db, statements);
  const refusalOf = createRefusals(path);
  const counts = {
    // A number is not given again when all deliveries are pruned.
    lastId: (run.newestId.get() as { id: number | null }).id ?? 0,
    pending: (db.prepare(wholeReads.countPending).get() as { n: number }).n,
    dead: (db.prepare(wholeReads.countDead).get() as { n: number }).n,
  };
  const transactions = createTransactions({
    db,
    refusalOf,
    mark() {
      const before = { ...counts };
      return () => void Object.assign(counts, before);
    },
  });
  const { submit, record, tidy, committed, unsaved, recovered } = transactions;
  const parts = { db, run, counts, record, refusalOf };
  let pruneAfter = 0;
  return {
    db,
    submit,
    committed,
    unsaved,
    recovered,
    ...readsOf(parts),
    ...writesOf(parts),
    prune(beforeMs, keep, limit) {
      if (unsaved() > 0) return 0;
      try {
        const round = pruneWith(run, tidy, counts, {
          afterId: pruneAfter,
          keptFrom: counts.lastId - keep,
          beforeMs,
          limit,
        });
        pruneAfter = round.afterId;
        return round.gone;
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
