// Puts a worker on what is another machine for all it can see: a network of its own behind a pair of virtual
// interfaces, and a monotonic clock of its own, five seconds ahead. CLOCK_REALTIME is the same in every time
// namespace of Linux; pushbench's clock is CLOCK_MONOTONIC, which is not.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { test, type TestContext } from 'vitest';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';
import { accounted, endWorker, newToken, runOnWorkers, workerOf } from './crew.ts';

const here = '10.213.71.1';
const there = '10.213.71.2';
const aheadS = 5;

const does = (...command: [string, ...string[]]) => spawnSync(command[0], command.slice(1)).status === 0;

/** A network namespace that a pair of virtual interfaces joins with this one. @returns its name */
function joinedNamespace(t: TestContext): string {
  const name = `pushbench-${randomBytes(4).toString('hex')}`;
  const [own, other] = [`pb${name.slice(-8)}a`, `pb${name.slice(-8)}b`];
  skipWhen(t, !does('ip', 'netns', 'add', name) && 'no network namespace may be made here (ip netns add)');
  t.onTestFinished(() => {
    spawnSync('ip', ['link', 'delete', own]);
    spawnSync('ip', ['netns', 'delete', name]);
  });
  const made = [
    ['link', 'add', own, 'type', 'veth', 'peer', 'name', other],
    ['link', 'set', other, 'netns', name],
    ['addr', 'add', `${here}/30`, 'dev', own],
    ['link', 'set', own, 'up'],
    ['-n', name, 'addr', 'add', `${there}/30`, 'dev', other],
    ['-n', name, 'link', 'set', other, 'up'],
    ['-n', name, 'link', 'set', 'lo', 'up'],
  ].every((args) => does('ip', ...args));
  skipWhen(t, !made && 'no virtual interfaces may be made here (ip link add type veth)');
  return name;
}

/** A Redis that listens on the address between the two. */
async function redisBetween(t: TestContext): Promise<string> {
  const probe = createServer().listen(0, here);
  await new Promise((listening) => probe.once('listening', listening));
  const { port } = probe.address() as AddressInfo; // of a TCP listener
  await new Promise((closed) => probe.close(closed));
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-redis-'));
  const redis = spawn(
    'redis-server',
    ['--port', String(port), '--bind', here, '--protected-mode', 'no', '--dir', folder, '--save', ''],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const gone = new Promise((ended) => redis.once('exit', ended));
  t.onTestFinished(async () => {
    redis.kill();
    await gone;
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((ready) =>
    redis.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('Ready to accept connections')) ready();
    }),
  );
  return `redis://${here}:${port}`;
}

test('a worker with another network and another clock makes the load of a run here', async (t) => {
  skipWhen(t, noRedis);
  skipWhen(t, process.getuid?.() !== 0 && 'only root may make namespaces');
  const clock = ['unshare', '-T', '--monotonic', String(aheadS), '--fork', '--kill-child', '--'] as const;
  skipWhen(t, !does(...clock, 'true') && 'no time namespace may be made here (unshare -T)');
  const name = joinedNamespace(t);
  const url = await redisBetween(t);
  const token = newToken();
  const command = ['ip', 'netns', 'exec', name, ...clock, process.execPath, resolve('cli/main.ts')];
  const [file, ...args] = command as [string, ...string[]];
  const worker = await workerOf(t, url, token, ['--allow', here], [file, ...args]);
  const run = (hosts: string[], host?: string) =>
    runOnWorkers(url, { count: 1, token, hosts, ...(host !== undefined && { host }) });

  await assert.rejects(run(['127.0.0.1']), /is on another machine, and 127\.0\.0\.1 .*--listen ADDRESS/s);
  await assert.rejects(run([there]), /may not send load to 10\.213\.71\.2: start it with --allow/);
  const { trial, codes } = accounted(await run([here], here));
  assert.deepEqual([trial.ledger.missed, trial.ledger.unexpected], [0, 0]);
  const [use] = trial.workers!;
  assert.ok(use && Math.abs(use.offsetUs + aheadS * 1e6) <= use.boundUs, JSON.stringify(use));
  assert.equal(trial.latency.endToEnd.count, trial.ledger.delivered);
  assert.ok(!codes.includes('subscribers') && !codes.includes('worker-lost'), codes.join(' '));
  await endWorker(worker);
});
