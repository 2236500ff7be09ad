// Tests finding a process that is not ours, and reading it and its children from /proc. Skipped where there
// is no /proc.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { test, type TestContext } from 'vitest';
import { findProcess, treeOf, useOf } from '../../../harness/process/process-tree.ts';
import { skipWhen } from '../../skip.ts';

const skip = existsSync('/proc/self/stat') ? false : 'no /proc on this system';
const noFile = (path: string): string => assert.fail(`nobody asked for ${path}`);

/** A process with two children that share its listening socket, and which all work when told to. */
async function startCluster(
  t: TestContext,
): Promise<{ child: ChildProcess; port: number; workers: number[] }> {
  const child = spawn(process.execPath, ['test/harness/target/cluster.mjs'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.onTestFinished(() => void child.kill());
  const [line] = (await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    once(child, 'exit'),
  ])) as [string];
  return { child, ...(JSON.parse(line) as { port: number; workers: number[] }) };
}

test('by port, by pid and by pid file it is the same process, with its children below it', async (t) => {
  skipWhen(t, skip);
  const { child, port, workers } = await startCluster(t);
  const pid = child.pid!;
  assert.equal(findProcess({ port }, noFile), pid);
  assert.equal(findProcess({ pid }, noFile), pid);
  assert.equal(
    findProcess({ pidFile: 'run.pid' }, (path) => (path === 'run.pid' ? `${pid}\n` : noFile(path))),
    pid,
  );
  assert.deepEqual(
    treeOf(pid).sort((a, b) => a - b),
    [pid, ...workers].sort((a, b) => a - b),
  );
});

test('CPU and memory are those of all of them', async (t) => {
  skipWhen(t, skip);
  const { child, workers } = await startCluster(t);
  const pid = child.pid!;
  const before = useOf(treeOf(pid));
  child.kill('SIGUSR2');
  // Each uses 0.3 s.
  for (const end = performance.now() + 15_000; useOf(treeOf(pid)).cpuUs - before.cpuUs < 800_000;) {
    assert.ok(performance.now() < end, `only ${useOf(treeOf(pid)).cpuUs - before.cpuUs} us of CPU were seen`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(before.rssBytes > 1024 ** 2, String(before.rssBytes));
  assert.ok(
    before.rssBytes < useOf([pid]).rssBytes + workers.reduce((sum, one) => sum + useOf([one]).rssBytes, 0),
    'shared pages count once',
  );
});

test('a process that is not there', async (t) => {
  skipWhen(t, skip);
  const child = spawn('true');
  await once(child, 'exit');
  const { pid } = child;
  assert.throws(() => findProcess({ pid: pid! }, noFile), {
    code: 'target-process',
    message:
      `process.pid names ${pid}, and there is no such process. Is the system running? Leave "process" out ` +
      'to measure without its CPU, memory and descriptors.',
  });
  assert.throws(() => findProcess({ pidFile: 'a.pid' }, () => String(pid)), {
    message: new RegExp(`^process\\.pidFile a\\.pid names ${pid}, and there is no such process`),
  });
  assert.throws(() => findProcess({ pidFile: 'a.pid' }, () => 'SECRET'), {
    message: 'process.pidFile: a.pid does not hold a process id: one whole number and nothing else.',
  });
  assert.throws(() => findProcess({ port: 1 }, noFile), {
    message: /^process\.port: no process of yours listens on TCP port 1\./,
  });
  assert.deepEqual([treeOf(pid!), useOf([pid!])], [[], { cpuUs: 0, rssBytes: 0 }]);
});
