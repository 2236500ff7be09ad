// Holds that a temporary folder goes with its process, whether that removes it or is killed.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { ownFolder } from '../../../harness/process/own-folder.ts';

test('a folder is removed with all that is in it', async () => {
  const { path, remove } = await ownFolder('pushbench-test-');
  assert.ok(existsSync(path));
  await remove();
  assert.ok(!existsSync(path));
});

test('one of a process that is killed goes a moment later', async () => {
  const module = new URL('../../../harness/process/own-folder.ts', import.meta.url).href;
  const code = `const { ownFolder } = await import(${JSON.stringify(module)});
    console.log((await ownFolder('pushbench-test-')).path); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const path = await new Promise<string>((resolve) =>
    child.stdout.setEncoding('utf8').once('data', (text: string) => resolve(text.trim())),
  );
  assert.ok(existsSync(path));
  child.kill('SIGKILL');
  for (let waitedMs = 0; existsSync(path) && waitedMs < 10_000; waitedMs += 50) await sleep(50);
  assert.ok(!existsSync(path));
});
