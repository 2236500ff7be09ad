// Tests results on disk: a folder a run, whole files or none.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import {
  createRunFolder,
  makeFolder,
  removeRunFolder,
  requireWritable,
  writeWhole,
} from '../../../harness/run/store.ts';

test('two runs in the same second get folders of their own', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  const at = new Date('2026-03-04T05:06:07Z');
  assert.equal(createRunFolder(join(root, 'a'), 'compare', at), join(root, 'a', '2026-03-04-050607-compare'));
  assert.equal(
    createRunFolder(join(root, 'a'), 'compare', at),
    join(root, 'a', '2026-03-04-050607-compare-2'),
  );
  removeRunFolder(join(root, 'a', '2026-03-04-050607-compare'));
  assert.deepEqual(readdirSync(join(root, 'a')), ['2026-03-04-050607-compare-2']);
});

test('a file is written whole or not at all', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  const file = join(root, 'x.txt');
  writeWhole(file, 'first');
  writeWhole(file, 'second');
  assert.equal(readFileSync(file, 'utf8'), 'second');
  assert.deepEqual(readdirSync(root), ['x.txt']);
  assert.throws(
    () => writeWhole(join(root, 'gone', 'x.txt'), 'text'),
    (error) => error instanceof UserError && /Cannot write .*gone.*--results DIR/.test(error.message),
  );
  assert.equal(existsSync(join(root, 'gone')), false);
});

test('what is no file is written to and not replaced: a pipe stays one', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  const pipe = join(root, 'pipe');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, constants.O_RDWR);
  t.onTestFinished(() => closeSync(reader));
  requireWritable(pipe);
  writeWhole(pipe, 'text');
  const got = Buffer.alloc(10);
  assert.equal(got.toString('utf8', 0, readSync(reader, got)), 'text');
  assert.ok(lstatSync(pipe).isFIFO());
});

test('a file that could not be written after the work is told before it', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  symlinkSync('loop', join(root, 'loop'));
  for (const name of ['x'.repeat(254), 'gone/x', 'loop', '.']) {
    assert.throws(
      () => requireWritable(join(root, name)),
      (error) =>
        error instanceof UserError &&
        /Cannot write .*Name a file in a folder that is there/.test(error.message),
      name,
    );
  }
  requireWritable(join(root, 'fine'));
  assert.deepEqual(readdirSync(root), ['loop']);
});

test('a folder is made with those above it, or the reason is told at once', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.onTestFinished(() => rmSync(root, { recursive: true }));
  makeFolder(join(root, 'a/b/c'));
  makeFolder(join(root, 'a/b/c'));
  assert.deepEqual(readdirSync(join(root, 'a/b')), ['c']);
  // Node's own recursive mkdir goes round for ever here.
  assert.throws(() => makeFolder('/proc/pushbench/results'), { code: 'ENOENT' });
  writeWhole(join(root, 'file'), '');
  assert.throws(() => makeFolder(join(root, 'file')), /not a folder/);
});
