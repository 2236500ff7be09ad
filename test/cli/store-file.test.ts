// A database file that cannot be used is a sentence and exit code 3, from `serve` and in
// a run, and never a stack.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { start, temporaryFolder, writeScenario } from './tools.ts';

const text = 'not a database\n'.repeat(100);
const stack = /\n\s+at /;

test('serve says what is wrong with the file, and leaves it as it is', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'store.db');
  writeFileSync(file, text);
  for (const [given, message] of [
    [file, /store\.db is not an SQLite database/],
    [folder, /is a folder, not a file\. Name a file in it/],
  ] as const) {
    const { code, stdout, stderr } = await start(
      ['serve', 'webhook', '--port', '0', '--set', 'store=sqlite', '--set', `file=${given}`],
      folder,
    ).ended;
    assert.deepEqual([code, stdout], [3, '']);
    assert.match(stderr, message);
    assert.doesNotMatch(stderr, stack);
  }
  assert.equal(readFileSync(file, 'utf8'), text);
});

test('a run says it of the trial that it fails, and leaves the file as it is', async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'store.db');
  writeFileSync(file, text);
  const scenario = writeScenario(folder, `variants: [{ webhook: { store: sqlite, file: ${file} } }]`);
  const { code, stdout, stderr } = await start(
    ['run', scenario, '--results', join(folder, 'results')],
    folder,
  ).ended;
  assert.equal(code, 3, stderr);
  assert.match(
    (stdout + stderr).replaceAll(/\s+/g, ' '),
    /store\.db is not an SQLite database: it begins with other bytes/,
  );
  assert.doesNotMatch(stdout + stderr, stack);
  assert.equal(readFileSync(file, 'utf8'), text);
  assert.deepEqual(readdirSync(folder).sort(), ['results', 'small.yaml', 'store.db']);
});
