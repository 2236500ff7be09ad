// Freezes real processes: the promise says that one stands still when it does, and it goes on in any case.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { test, type TestContext } from 'vitest';
import { freeze } from '../../../harness/process/freeze.ts';
import { skipWhen } from '../../skip.ts';

/** `T` is stopped, see proc_pid_stat(5). */
const stateOf = (pid: number) => readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /s, '')[0];

function sleeper(t: TestContext) {
  skipWhen(t, existsSync('/proc/self/stat') ? undefined : 'there is no /proc');
  const child = spawn('sleep', ['60']);
  t.onTestFinished(() => void child.kill('SIGKILL'));
  return { child, pid: child.pid! };
}

/** A process that is running stops when the kernel next looks at its signals: a moment after the promise. */
async function standsStill(pid: number) {
  while (stateOf(pid) !== 'T') await new Promise((resolve) => setTimeout(resolve, 1));
}

async function goesOn(pid: number) {
  while (stateOf(pid) === 'T') await new Promise((resolve) => setTimeout(resolve, 10));
}

test('the process stands still once the promise resolves, and goes on when the time is over', async (t) => {
  const { pid } = sleeper(t);
  assert.equal(await freeze(pid, 1500), true);
  await standsStill(pid);
  await goesOn(pid);
});

test('it goes on at once when the trial is over', async (t) => {
  const { pid } = sleeper(t);
  const over = new AbortController();
  assert.equal(await freeze(pid, 900_000, over.signal), true);
  over.abort();
  await goesOn(pid);
  assert.equal(await freeze(pid, 1000, over.signal), false, 'and nothing is frozen any more');
});

test('a process that has ended cannot be frozen, and that is said', async (t) => {
  const { child, pid } = sleeper(t);
  child.kill('SIGKILL');
  await once(child, 'exit');
  assert.equal(await freeze(pid, 1000), false);
});
