// Makes files of the embedded database: filled, left by a kill, damaged.

import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, type TestContext } from 'vitest';
import { UserError } from '../../../../core/base/errors.ts';
import { openDatabase } from '../../../../servers/webhook/sqlite/database.ts';

export const pageBytes = 4096;
export const events = 300;

export function newFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-file-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export type Store = ReturnType<typeof openDatabase>;

/** Stores events of 4 kB, each in a transaction of its own, for an endpoint that is disabled. */
export async function fill(store: Store, count = events): Promise<void> {
  const endpoint = {
    key: 0,
    id: 'ep_1',
    config: '{"url":"http://127.0.0.1:9/","events":["news"],"secrets":[]}',
    createdMs: 0,
    disabled: 'for now',
    failures: 0,
    failingSinceMs: undefined,
  };
  await store.submit('change', { work: () => store.saveEndpoint(endpoint) });
  for (let n = 1; n <= count; n++) {
    const message = { id: `e-${n}`, topic: 'news', body: `${n} `.padEnd(4000, 'x'), bodyBytes: 4000 };
    await store.submit('publication', {
      work: () => store.publish(message, [{ key: endpoint.key, state: 'cancelled' }], n),
    });
  }
}

/** A database with that content, made once, and closed. */
let template: string | undefined;
afterAll(() => {
  if (template) rmSync(template, { recursive: true });
});
export async function filledFile(t: TestContext): Promise<string> {
  if (!template) {
    template = mkdtempSync(join(tmpdir(), 'pushbench-file-'));
    const store = openDatabase(join(template, 'store.db'));
    await fill(store);
    await store.close();
  }
  const file = join(newFolder(t), 'store.db');
  copyFileSync(join(template, 'store.db'), file);
  return file;
}

/** What a server leaves that was killed before its log was taken into the database. */
export async function killedFile(t: TestContext): Promise<string> {
  const store = openDatabase(join(newFolder(t), 'store.db'));
  await fill(store, 40);
  const file = join(newFolder(t), 'store.db');
  const from = store.db.location()!;
  for (const suffix of ['', '-wal']) copyFileSync(from + suffix, file + suffix);
  await store.close();
  return file;
}

export function overwrite(file: string, at: number, bytes: number): void {
  const descriptor = openSync(file, 'r+');
  writeSync(descriptor, Buffer.alloc(bytes, 0xa5), 0, bytes, at);
  closeSync(descriptor);
}

/** All files of a folder with their content. */
export const contentOf = (folder: string) =>
  Object.fromEntries(
    readdirSync(folder)
      .sort()
      .map((name) => [
        name,
        statSync(join(folder, name)).isFile() ? readFileSync(join(folder, name), 'base64') : 'no file',
      ]),
  );

export function refuses(file: string, message: RegExp): void {
  const folder = resolve(file, '..');
  const before = existsSync(folder) && statSync(folder).isDirectory() ? contentOf(folder) : undefined;
  assert.throws(
    () => openDatabase(file),
    (error) => {
      assert.ok(error instanceof UserError, String(error));
      assert.equal(error.exitCode, 3);
      assert.match(error.message, message);
      assert.ok(error.message.includes(file), error.message);
      return true;
    },
  );
  if (before) assert.deepEqual(contentOf(folder), before, 'it was left as it was');
}
