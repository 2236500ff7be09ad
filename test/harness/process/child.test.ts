// Tests that no process outlives the harness that started it, however it ended, even one that is stopped and
// cannot notice.

import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, test, type TestContext } from 'vitest';
import { runToEnd } from '../../../harness/process/child.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';

const childUrl = new URL('../../../harness/process/child.ts', import.meta.url).href;

/** A process that starts something as the harness does and then waits. */
function harness(start: string, env: NodeJS.ProcessEnv = process.env): ChildProcess {
  return spawn(
    process.execPath,
    [
      '--input-type=module',
      '-e',
      `
    import { forkChild, runAtOnce, startTree } from ${JSON.stringify(childUrl)};
    ${start}
    setInterval(() => {}, 1000);
  `,
    ],
    { env, stdio: ['ignore', 'ignore', 'inherit'] },
  );
}

/** Everything below a process. */
function below(pid: number): number[] {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  } catch {
    return []; // it has ended meanwhile
  }
  const children = text.split(' ').filter(Boolean).map(Number);
  return children.flatMap((child) => [child, ...below(child)]);
}

async function until(what: () => boolean, text: string): Promise<void> {
  for (let i = 0; i < 600; i++) {
    if (what()) return;
    await sleep(25);
  }
  assert.fail(text);
}

/** A zombie whose parent has not looked yet is gone as well. */
function lives(pid: number): boolean {
  try {
    return !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

/** @param count processes below it, once each has become what it is to be */
async function killedWhileStopped(t: TestContext, process_: ChildProcess, count: number): Promise<void> {
  const wanted = (line: string) =>
    // The guardian reads with cat.
    /^(\S*sleep|\S*sh\0-c)\0|idle\.mjs\0$/.test(line) && !/^setpriv|cat > /.test(line);
  const settled = () => below(process_.pid!).filter((pid) => wanted(commandLine(pid)));
  t.onTestFinished(() => {
    if (lives(process_.pid!)) process_.kill('SIGKILL');
  });
  await until(() => settled().length === count, `it starts ${count} processes`);
  const pids = settled();
  t.onTestFinished(() => {
    for (const pid of pids.filter(lives)) process.kill(pid, 'SIGKILL');
  });
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  process_.kill('SIGKILL');
  await once(process_, 'close');
  await until(() => !pids.some(lives), 'none of its processes is left');
}

/** All that the machine has but setpriv. */
function withoutSetpriv(t: TestContext): NodeJS.ProcessEnv {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-path-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const taken = new Set(['setpriv']);
  for (const from of ['/usr/bin', '/bin']) {
    for (const name of readdirSync(from)) {
      if (taken.has(name)) continue;
      taken.add(name);
      symlinkSync(join(from, name), join(folder, name));
    }
  }
  return { ...process.env, PATH: folder };
}

const idle = join(mkdtempSync(join(tmpdir(), 'pushbench-idle-')), 'idle.mjs');
writeFileSync(idle, 'setInterval(() => {}, 1000); process.on("disconnect", () => {});');
afterAll(() => rmSync(dirname(idle), { recursive: true }));
const module_ = `forkChild(new URL(${JSON.stringify(pathToFileURL(idle).href)}));`;
const tree = "startTree('/bin/sh', ['-c', 'sleep 1000 & sh -c \"sleep 1000 & wait\" & wait']);";
const waited = "runAtOnce('sleep', ['1000'], { timeoutMs: 1_000_000 });";

test('a forked module that is stopped', (t) => killedWhileStopped(t, harness(module_), 1));
test('a command with all that it started', (t) => killedWhileStopped(t, harness(tree), 4));
test('a command that is waited for', (t) => killedWhileStopped(t, harness(waited), 1));
test('all of them where the kernel cannot be asked', async (t) => {
  const env = withoutSetpriv(t);
  await killedWhileStopped(t, harness(module_, env), 1);
  await killedWhileStopped(t, harness(tree, env), 4);
  await killedWhileStopped(t, harness(waited, env), 1);
});

test('a Redis that is a broker, where the kernel cannot be asked', async (t) => {
  skipWhen(t, noRedis);
  const url = new URL('../../../harness/cluster/brokers.ts', import.meta.url).href;
  const start = `
    const { createBroker } = await import(${JSON.stringify(url)});
    await createBroker({ kind: 'redis-pubsub', url: undefined }).start();
    startTree('sleep', ['1000']);`;
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-killed-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const process_ = harness(start, { ...withoutSetpriv(t), TMPDIR: folder });
  t.onTestFinished(() => void process_.kill('SIGKILL'));
  const started = (name: RegExp) => below(process_.pid!).find((pid) => name.test(commandLine(pid)));
  await until(() => started(/^sleep/) !== undefined, 'Redis answers');
  const redis = started(/redis-server/)!;
  t.onTestFinished(() => {
    if (lives(redis)) process.kill(redis, 'SIGKILL');
  });
  process_.kill('SIGKILL');
  await until(() => !lives(redis), 'Redis is gone');
  await until(() => readdirSync(folder).length === 0, 'and so is its folder');
});

test('a command ends with what aborts it, at once and with its children', async () => {
  const before = below(process.pid);
  const own = () => below(process.pid).filter((pid) => !before.includes(pid));
  const stop = new AbortController();
  const running = runToEnd('sh', ['-c', 'trap "" TERM INT; sleep 1000 & sleep 1000'], {
    signal: stop.signal,
  });
  await until(() => own().length >= 3, 'it runs');
  const pids = own();
  stop.abort(new Error('enough'));
  await assert.rejects(running, /enough/);
  await until(() => !pids.some(lives), 'none is left');
});

test('the output of a command, and what it said when it failed', async () => {
  const { signal } = new AbortController();
  assert.equal(await runToEnd('sh', ['-c', 'echo " text "'], { signal }), 'text');
  await assert.rejects(
    runToEnd('sh', ['-c', 'echo no >&2; exit 3'], { signal }),
    /Command failed: sh .*\nno/,
  );
});
