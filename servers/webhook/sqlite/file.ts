// Checks the file of a database before it is used: that it is one of ours, whole, and readable to its owner
// alone. If not, a sentence says what is wrong and what to do, and the file stays as it was.

import {
  chmodSync,
  closeSync,
  existsSync,
  lstatSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { exitCodes, messageOf, UserError } from '../../../core/base/errors.ts';
import { tableNames } from './schema.ts';
import { primaryOf, isSqliteError } from './database-errors.ts';
import { damageOfLog } from './wal-damage.ts';

const magic = 'SQLite format 3\0';
/** The log and its index, which SQLite keeps beside a database. */
const besides = ['-wal', '-shm'] as const;
/** SQLITE_IOERR_SHMOPEN, _SHMSIZE, _SHMLOCK and _SHMMAP. */
const sharedMemoryErrors: readonly number[] = [18, 19, 20, 21].map((detail) => 10 | (detail << 8));
const otherFile = 'or name another file with the option file';

/** A problem with the file, for the command line. */
function fault(what: string): UserError {
  return new UserError('store-file', what, exitCodes.failed);
}

function damaged(path: string, finding: string): UserError {
  return fault(
    `${path} is damaged (${finding}). It was left as it is. Restore a copy of it, save what can be read ` +
      `with "sqlite3 ${path} .recover", ${otherFile}.`,
  );
}

/**
 * Makes the file where there is none, readable to its owner alone, and checks one that is there. The check
 * reads the whole file (`PRAGMA quick_check`).
 * @returns whether it was made, and whether its content still has to be checked with `checkContent`: reading
 *   a database that has a log takes a file beside it, which a full disk may not have room for
 * @throws UserError with exit code 3; then the file and the files beside it are unchanged
 */
export function prepareFile(path: string): { isNew: boolean; isChecked: boolean } {
  const found = statsOf(path, statSync);
  checkFolder(path);
  if (!found) {
    const log = besides.map((suffix) => path + suffix).find((file) => existsSync(file));
    if (log)
      throw fault(
        `${path} is missing, but ${log} is there, which belongs to it. Put the database back, move ` +
          `${log} away, ${otherFile}.`,
      );
    orSay(path, () => closeSync(openSync(path, 'ax', 0o600)));
    return { isNew: true, isChecked: true };
  }
  checkKind(path, found);
  narrow(path, found);
  return { isNew: false, isChecked: found.size === 0 || orSay(path, () => checkUntouched(path)) };
}

/**
 * Reads the whole database: is it whole, and one of ours?
 * @throws UserError, or what the database throws
 */
export function checkContent(path: string, db: DatabaseSync): void {
  // That is its column's name.
  const [first] = db.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
  if (first?.quick_check !== 'ok')
    throw damaged(path, (first?.quick_check ?? 'it cannot be read').split('\n').at(-1)!);
  const tables = (
    db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as { name: string }[]
  ).map(({ name }) => name);
  if (tables.length > 0 && !tableNames.every((name) => tables.includes(name))) {
    throw fault(
      `${path} is a database of another program (its tables: ${tables.slice(0, 5).join(', ')}). It was ` +
        'left as it is. Name another file with the option file.',
    );
  }
}

/** The database and all that SQLite may keep beside it. */
export function filesOf(path: string): string[] {
  return [path, `${path}-journal`, ...besides.map((suffix) => path + suffix)];
}

/**
 * What any error at opening the database means.
 * @returns a UserError, or the given error where it has nothing to do with the file
 */
export function openingFault(path: string, error: unknown): unknown {
  if (error instanceof UserError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const primary = isSqliteError(error) ? primaryOf(error.errcode) : undefined;
  const text = messageOf(error);
  if (primary === 5 || primary === 6)
    return fault(`${path} is locked: another process uses it. Stop that process, ${otherFile}.`);
  if (primary === 11 || primary === 26) return damaged(path, text);
  if (primary === 13 || code === 'ENOSPC' || code === 'EDQUOT')
    return fault(`The disk of ${path} is full (${text}). Free some space, ${otherFile}.`);
  if (primary === 8 || primary === 14 || code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    return fault(
      `${path} cannot be written (${text}). Let this user write the file and its folder, ${otherFile}.`,
    );
  }
  if (code === 'ENOENT')
    return fault(`${path} cannot be made: there is no folder ${dirname(path)}. Make it, ${otherFile}.`);
  if (code === 'ENOTDIR')
    return fault(
      `${path} cannot be opened: a part of its path is a file and not a folder. Correct it, ${otherFile}.`,
    );
  if (primary !== undefined || code !== undefined)
    return fault(`${path} cannot be used (${text}). Correct that, ${otherFile}.`);
  return error;
}

function orSay<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw openingFault(path, error);
  }
}

function statsOf(path: string, stat: (path: string) => Stats): Stats | undefined {
  return orSay(path, () => {
    try {
      return stat(path);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    }
  });
}

/** Who may write into the folder may put another file in this one's place. */
function checkFolder(path: string): void {
  const folder = dirname(path);
  const found = statsOf(folder, statSync);
  if (process.platform === 'win32' || !found) return;
  const isSticky = (found.mode & 0o1000) !== 0;
  if ((found.mode & 0o002) !== 0 && !isSticky) {
    throw fault(
      `Everybody may write into ${folder}, and so put another file in the place of ${path}, which holds ` +
        `secrets. Run "chmod o-w ${folder}", ${otherFile}.`,
    );
  }
}

function checkKind(path: string, found: Stats): void {
  if (found.isDirectory())
    throw fault(
      `${path} is a folder, not a file. Name a file in it, such as ${path.replace(/\/$/, '')}/store.db.`,
    );
  if (!found.isFile()) throw fault(`${path} is not a regular file. Name another one with the option file.`);
  for (const suffix of besides) {
    const beside = statsOf(path + suffix, lstatSync);
    if (!beside) continue;
    if (!beside.isFile() || beside.uid !== found.uid) {
      throw fault(
        `${path}${suffix} does not belong to the owner of ${path}, whose secrets would be written into it. ` +
          `Remove it if it is not yours, ${otherFile}.`,
      );
    }
    if (found.size === 0 && beside.size > 0) {
      throw fault(
        `${path} is empty, but ${path}${suffix} is not: the database has lost its content. Restore a ` +
          `copy of it, move ${path}${suffix} away to start again, ${otherFile}.`,
      );
    }
  }
}

/** Secrets are in it: nobody but its owner may read it, whatever it was before. */
function narrow(path: string, found: Stats): void {
  if (process.platform === 'win32') return;
  for (const file of [path, ...besides.map((suffix) => path + suffix)]) {
    const stats = file === path ? found : statsOf(file, lstatSync);
    if (!stats || (stats.mode & 0o077) === 0) continue;
    let isNarrow = false;
    try {
      chmodSync(file, 0o600);
      isNarrow = (statSync(file).mode & 0o077) === 0;
    } catch {
      // it is somebody else's, or the disk takes no changes
    }
    if (!isNarrow) {
      throw fault(
        `Others may read ${file}, which holds secrets (mode ${(stats.mode & 0o777).toString(8)}), and it ` +
          `cannot be changed. Run "chmod 600 ${file}" as its owner, ${otherFile}.`,
      );
    }
  }
}

/** Checks it without changing a byte. @returns whether it could be read like that */
function checkUntouched(path: string): boolean {
  const head = Buffer.alloc(magic.length);
  const file = openSync(path, 'r');
  try {
    readSync(file, head, 0, head.length, 0);
  } finally {
    closeSync(file);
  }
  if (head.toString('latin1') !== magic) {
    throw fault(
      `${path} is not an SQLite database: it begins with other bytes. It was left as it is. Name another ` +
        'file with the option file; if it was a database once, restore a copy of it.',
    );
  }
  const before = besides.filter((suffix) => existsSync(path + suffix));
  const db = new DatabaseSync(path, { readOnly: true });
  let isGood = false;
  try {
    const isReadable = canRead(db); // before the log is looked at: another process may be writing it
    const log = damageOfLog(`${path}-wal`);
    if (log) throw damaged(path, log);
    if (isReadable) checkContent(path, db);
    isGood = isReadable;
    return isReadable;
  } finally {
    db.close();
    if (!isGood)
      // Of the check alone.
      for (const suffix of besides) if (!before.includes(suffix)) rmSync(path + suffix, { force: true });
  }
}

/** @throws what the database throws, when another process has it for one */
function canRead(db: DatabaseSync): boolean {
  try {
    db.prepare('PRAGMA schema_version').get();
    return true;
  } catch (error) {
    if (isSqliteError(error) && sharedMemoryErrors.includes(error.errcode)) return false;
    throw error;
  }
}
