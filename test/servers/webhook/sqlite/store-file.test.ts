// Checks the database file of the webhook server: what is wrong with it is said in a sentence before it is
// used, and it stays as it was. What goes wrong later is answered, not thrown.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, vi } from 'vitest';
import { UserError } from '../../../../core/base/errors.ts';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { openDatabase } from '../../../../servers/webhook/sqlite/database.ts';
import { skipWhen } from '../../../skip.ts';
import { apiOf } from '../client.ts';
import { postTo } from '../failing-store.ts';
import { notRoot, smallDisk } from './small-disk.ts';
import {
  pageBytes,
  events,
  newFolder,
  filledFile,
  killedFile,
  overwrite,
  refuses,
} from './database-files.ts';

describe('a file is refused', () => {
  test('that another process uses', async (t) => {
    const file = await filledFile(t);
    const store = openDatabase(file);
    assert.throws(
      () => openDatabase(file),
      /store\.db is locked: another process uses it\. Stop that process, or name another file with the option file\./,
    );
    await store.close();
    await openDatabase(file).close();
    const reader = new DatabaseSync(file);
    reader.exec('BEGIN IMMEDIATE');
    assert.throws(() => openDatabase(file), /is locked: another process uses it/);
    reader.close();
  });

  test('that is damaged in the middle', async (t) => {
    for (const page of [60, 150, 250]) {
      const file = await filledFile(t);
      overwrite(file, page * pageBytes, 20 * pageBytes);
      refuses(
        file,
        /is damaged \(.*\)\. It was left as it is\. Restore a copy of it, save what can be read with "sqlite3 .*store\.db \.recover", or name another file/,
      );
    }
  });

  test('that was cut off', async (t) => {
    for (const pages of [1, 40, 200]) {
      const file = await filledFile(t);
      truncateSync(file, pages * pageBytes);
      refuses(file, /is damaged/);
    }
  });

  test('that is no database, or that of another program', async (t) => {
    const file = join(newFolder(t), 'store.db');
    writeFileSync(file, 'a letter to a friend, which nobody wants to lose\n'.repeat(1000));
    refuses(
      file,
      /is not an SQLite database: it begins with other bytes\. It was left as it is\. Name another file/,
    );
    rmSync(file);
    const db = new DatabaseSync(file);
    db.exec('CREATE TABLE addresses (name TEXT)');
    db.close();
    refuses(file, /is a database of another program \(its tables: addresses\)\. It was left as it is/);
  });

  test('that is none, or that is nowhere', async (t) => {
    const folder = newFolder(t);
    mkdirSync(join(folder, 'sub'));
    refuses(join(folder, 'sub'), /is a folder, not a file\. Name a file in it, such as .*sub\/store\.db/);
    refuses(join(folder, 'none', 'store.db'), /cannot be made: there is no folder .*none\. Make it/);
    writeFileSync(join(folder, 'text'), '');
    refuses(join(folder, 'text', 'store.db'), /a part of its path is a file and not a folder/);
    execFileSync('mkfifo', [join(folder, 'pipe')]);
    refuses(join(folder, 'pipe'), /is not a regular file/);
  });

  test('whose log is damaged where SQLite would drop what was committed', async (t) => {
    const file = await killedFile(t);
    overwrite(`${file}-wal`, 32 + 30 * (pageBytes + 24), 100);
    refuses(
      file,
      /is damaged \(frame 31 of its log does not fit, and transactions that were committed stand behind it\)/,
    );
    const beginning = await killedFile(t);
    overwrite(`${beginning}-wal`, 0, 32);
    refuses(beginning, /is damaged \(its log does not begin as one\)/);
  });

  test('that is gone or empty while its log is there', async (t) => {
    const file = await killedFile(t);
    truncateSync(file, 0);
    refuses(file, /is empty, but .*store\.db-wal is not: the database has lost its content/);
    rmSync(file);
    refuses(file, /is missing, but .*store\.db-wal is there, which belongs to it/);
  });

  test('whose log would be written into the file of somebody else', async (t) => {
    skipWhen(t, notRoot);
    const file = await filledFile(t);
    writeFileSync(`${file}-wal`, '', { mode: 0o600 });
    chownSync(`${file}-wal`, 12345, 12345);
    refuses(file, /store\.db-wal does not belong to the owner of .*store\.db/);
    rmSync(`${file}-wal`);
    symlinkSync('/tmp/elsewhere', `${file}-wal`);
    assert.throws(() => openDatabase(file), /store\.db-wal does not belong to the owner/);
  });

  test('in a folder where everybody may put another in its place', async (t) => {
    skipWhen(t, process.platform === 'win32' && 'permissions are others there');
    const file = await filledFile(t);
    chmodSync(resolve(file, '..'), 0o777);
    refuses(file, /Everybody may write into .*\. Run "chmod o-w .*", or name another file/);
    chmodSync(resolve(file, '..'), 0o1777);
    await openDatabase(file).close();
  });
});

test('what a kill or a loss of power leaves is taken up', async (t) => {
  for (const damage of [
    () => {},
    (log: string) => truncateSync(log, statSync(log).size - 100),
    (log: string) => overwrite(log, statSync(log).size - 3000, 100),
  ]) {
    const file = await killedFile(t);
    damage(`${file}-wal`);
    const store = openDatabase(file);
    const found = store.events({ limit: 100 }).length;
    assert.ok(found === 40 || (found === 39 && damage.length > 0), `${found} events`);
    await store.close();
  }
});

test('a file that others may read is theirs no longer, nor what is beside it', async (t) => {
  skipWhen(t, process.platform === 'win32' && 'permissions are others there');
  const file = await killedFile(t);
  for (const suffix of ['', '-wal']) chmodSync(file + suffix, 0o644);
  const store = openDatabase(file);
  assert.equal(store.events({ limit: 100 }).length, 40);
  await store.submit('change', { work: () => store.removeEndpoint(1) });
  for (const name of readdirSync(resolve(file, '..')))
    assert.equal(statSync(join(file, '..', name)).mode & 0o777, 0o600, name);
  await store.close();
});

/** What the user nobody is told who opens it. */
function toldToNobody(file: string): string {
  process.seteuid!(65534);
  try {
    openDatabase(file);
    return 'opened';
  } catch (error) {
    return error instanceof UserError ? `${error.exitCode} ${error.message}` : String(error);
  } finally {
    process.seteuid!(0);
  }
}

test('a file or a folder that this user may not write is named', async (t) => {
  skipWhen(t, notRoot);
  const file = await filledFile(t);
  const folder = resolve(file, '..');
  chmodSync(folder, 0o755);
  assert.match(
    toldToNobody(join(folder, 'new.db')),
    /^3 .*new\.db cannot be written \(.*\)\. Let this user write the file and its folder, or name another file/,
  );
  chmodSync(file, 0o644);
  assert.match(
    toldToNobody(file),
    /^3 Others may read .*store\.db, which holds secrets \(mode 644\), and it cannot be changed\. Run "chmod 600 .*" as its owner/,
  );
  chmodSync(file, 0o600);
  assert.match(toldToNobody(file), /^3 .*store\.db cannot be written/);
  chownSync(file, 65534, 65534);
  assert.match(toldToNobody(file), /^3 .*store\.db cannot be written/);
  assert.deepEqual(readdirSync(folder), ['store.db']);
});

test('a full disk is named when a new file does not fit, and leaves none', async (t) => {
  skipWhen(t, notRoot);
  const { folder } = smallDisk(t, '64k');
  assert.throws(() => writeFileSync(join(folder, 'filler'), Buffer.alloc(100_000)), /ENOSPC/);
  refuses(
    join(folder, 'store.db'),
    /The disk of .*store\.db is full \(.*\)\. Free some space, or name another file/,
  );
  assert.deepEqual(readdirSync(folder), ['filler']);
});

test(
  'a file on a disk that is full now is served, and ' + 'closed without a word of ours being lost',
  async (t) => {
    skipWhen(t, notRoot);
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { folder } = smallDisk(t, '8m');
    copyFileSync(await filledFile(t), join(folder, 'store.db'));
    assert.throws(() => writeFileSync(join(folder, 'filler'), Buffer.alloc(10_000_000)), /ENOSPC/);
    const options = patterns.webhook.options.parse({ store: 'sqlite', file: join(folder, 'store.db') });
    const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
    t.onTestFinished(() => server.close());
    assert.equal((await apiOf(server.endpoint.url).deliveries('?limit=500')).deliveries.length, events);
    assert.deepEqual((await postTo(server.endpoint.publishUrl, 'news', '1')).error, 'store-full');
    await server.close();
    assert.equal(told.mock.calls.length, 1);
    rmSync(join(folder, 'filler'));
    const db = new DatabaseSync(join(folder, 'store.db'), { readOnly: true });
    assert.deepEqual({ ...db.prepare('SELECT count(*) AS n FROM events').get() }, { n: events });
    db.close();
  },
);

test('damage that shows while the server runs is answered with 503, and told once', async (t) => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const file = await filledFile(t);
  const options = patterns.webhook.options.parse({ store: 'sqlite', file });
  const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
  t.onTestFinished(() => server.close());
  const { call } = apiOf(server.endpoint.url);
  overwrite(file, 2 * pageBytes, statSync(file).size - 2 * pageBytes);
  const answers = [];
  for (const path of ['/webhooks/deliveries', '/webhooks/events', '/webhooks/deliveries/100'])
    answers.push(await call('GET', path));
  answers.push(await call('POST', '/webhooks', { url: 'http://127.0.0.1:9/', events: ['a'] }));
  for (const { status, body } of answers)
    assert.deepEqual([status, (body as { error: string }).error], [503, 'store-damaged']);
  assert.equal((await postTo(server.endpoint.publishUrl, 'news', '1')).error, 'store-damaged');
  assert.equal((await call('GET', '/webhooks')).status, 200);
  assert.equal(server.backlog!().depth, 0);
  assert.equal(told.mock.calls.length, 1);
  assert.match(
    String(told.mock.calls[0]![0]),
    /store\.db: database disk image is malformed: the file is damaged, .* Stop the server and restore a copy, or save what can be read with: sqlite3 .*store\.db \.recover/,
  );
});
