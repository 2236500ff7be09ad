// Loses workers and Redis while a run still waits for the rest of its workers, and gives it a Redis that
// takes nothing: it ends with what happened, and leaves nothing behind.

import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { describe, test } from 'vitest';
import { openLobby } from '../../../harness/workers/join.ts';
import { start, temporaryFolder, writeScenario } from '../../cli/tools.ts';
import { noRedis, type RedisServer } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';
import { leftIn, newToken, redisOf, runOnWorkers, workerOf } from './crew.ts';

/** A run offers its places now. */
async function offered(redis: RedisServer): Promise<void> {
  while (!(await leftIn(redis)).keys.some((key) => key.endsWith(':lobby:wait')))
    await new Promise((later) => setTimeout(later, 50));
}

describe('while a run waits for its workers', () => {
  test('a worker that took a place and ends is named', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    const worker = await workerOf(t, redis.url, token);
    const refused = assert.rejects(
      runOnWorkers(redis.url, { count: 2, token }),
      /^UserError: The worker \S+ took its place and was lost before all had joined: it was told to end\. /,
    );
    await worker.saw(/Taken into run/);
    worker.child.kill('SIGINT');
    await refused;
    assert.equal((await worker.ended).code, 0);
    assert.deepEqual((await leftIn(redis)).keys, []);
  });

  test('a Redis that goes is named, and nobody is told to start workers', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const refused = assert.rejects(
      runOnWorkers(redis.url, { count: 2, token: newToken() }),
      /^UserError: Redis at redis:\/\/127\.0\.0\.1:\d+ is gone \(.*\): start it again, and the run\.$/,
    );
    await offered(redis);
    await redis.kill();
    await refused;
  });
});

test('workers that have a place in another run do not wait', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const token = newToken();
  for (const _ of [1, 2, 3]) await workerOf(t, redis.url, token);
  const { signal } = new AbortController();
  const needs = { hosts: [], descriptors: 100, ports: () => 0, note() {} };
  const lobbies: { waiting: number; close(): void }[] = [];
  t.onTestFinished(() => lobbies.forEach((lobby) => lobby.close()));
  const open = async () => {
    const lobby = await openLobby(redis.url, token, signal);
    lobbies.push(lobby);
    return lobby;
  };
  const first = await open();
  const workers = await first.join(1, needs, signal);
  const second = await open();
  await workers.close();
  const third = await open();
  assert.deepEqual(
    [first, second, third].map(({ waiting }) => waiting),
    [3, 2, 3],
  );
  assert.deepEqual((await leftIn(redis)).keys, []);
});

describe('a Redis of no use', () => {
  test('that goes before the places are offered is named, and the wait ends with the run', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const stop = new AbortController();
    const lobby = await openLobby(redis.url, newToken(), stop.signal);
    t.onTestFinished(lobby.close);
    const needs = { hosts: [], descriptors: 100, ports: () => 0, note() {} };
    await redis.kill();
    await assert.rejects(
      lobby.join(2, needs, stop.signal),
      /^UserError: Redis at redis:\/\/127\.0\.0\.1:\d+ is gone \(.*\): start it again, and the run\.$/,
    );
    const joining = lobby.join(2, needs, stop.signal);
    stop.abort(new Error('Ctrl-C'));
    await assert.rejects(joining, /^Error: Ctrl-C$/);
  });

  const cases: [what: string, command: [string, ...string[]], says: RegExp][] = [
    ['is a replica', ['REPLICAOF', '127.0.0.1', '1'], /READONLY/],
    ['is full', ['CONFIG', 'SET', 'maxmemory', '1'], /OOM/],
  ];
  for (const [what, [command, ...args], says] of cases)
    test(`that ${what} is named, and the process ends`, async (t) => {
      skipWhen(t, noRedis);
      const redis = await redisOf(t);
      const admin = new Redis(redis.url);
      await admin.call(command, ...args);
      admin.disconnect();
      const folder = temporaryFolder(t);
      const scenario = writeScenario(folder, 'variants: [sse]');
      const run = start(['run', scenario, '--workers', redis.url, '--token', newToken()], folder);
      t.onTestFinished(() => void run.child.kill('SIGKILL'));
      const { code, stderr } = await run.ended;
      assert.match(stderr, /Redis at redis:\/\/127\.0\.0\.1:\d+ takes no places for workers \(/);
      assert.match(stderr, says);
      assert.equal(code, 3);
    });
});
