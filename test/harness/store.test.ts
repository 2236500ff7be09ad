// Results on disk: a folder a run, whole files or none.

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { UserError } from '../../core/errors.ts';
import { createRunFolder, removeRunFolder, writeWhole } from '../../harness/store.ts';

test('two runs in the same second get folders of their own', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.after(() => rmSync(root, { recursive: true }));
  const at = new Date('2026-03-04T05:06:07Z');
  assert.equal(createRunFolder(join(root, 'a'), 'compare', at), join(root, 'a', '2026-03-04-050607-compare'));
  assert.equal(createRunFolder(join(root, 'a'), 'compare', at), join(root, 'a', '2026-03-04-050607-compare-2'));
  removeRunFolder(join(root, 'a', '2026-03-04-050607-compare'));
  assert.deepEqual(readdirSync(join(root, 'a')), ['2026-03-04-050607-compare-2']);
});

test('a file is written whole or not at all', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  t.after(() => rmSync(root, { recursive: true }));
  const file = join(root, 'x.txt');
  writeWhole(file, 'first');
  writeWhole(file, 'second');
  assert.equal(readFileSync(file, 'utf8'), 'second');
  assert.deepEqual(readdirSync(root), ['x.txt']);
  assert.throws(() => writeWhole(join(root, 'gone', 'x.txt'), 'text'), (error) => error instanceof UserError && /Cannot write .*gone.*--results DIR/.test(error.message));
  assert.equal(existsSync(join(root, 'gone')), false);
});
