// Opens the file of the embedded database, or one in memory, for this process alone, and prepares its
// statements.

import { rmSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { checkContent, filesOf, openingFault, prepareFile } from './file.ts';
import { migrate } from './schema.ts';

/**
 * @param path of the file, made where there is none; `:memory:` for a database that ends with the process
 * @throws UserError when the file cannot be had, is damaged, of another program or version, or another
 *   process uses it
 */
export function connect(path: string): DatabaseSync {
  return path === ':memory:' ? open(path) : openFile(path);
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

/** Each text as a statement of the same name. */
export function prepareAll<K extends string>(
  db: DatabaseSync,
  texts: Readonly<Record<K, string>>,
): Record<K, StatementSync> {
  return Object.fromEntries(
    Object.entries<string>(texts).map(([name, text]) => [name, db.prepare(text)]),
  ) as Record<K, StatementSync>; // the same keys
}
