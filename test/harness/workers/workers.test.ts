// Runs trials whose load is made by workers, real processes that wait at a real Redis: what comes out, what
// is refused, and what is left behind.

import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, test } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import { resultSchema } from '../../../core/result/result.ts';
import { hasProc } from '../../../harness/process/system-files.ts';
import { processes } from '../../../harness/trial/fleet.ts';
import { checkedListen } from '../../../harness/workers/fit.ts';
import { runWorker } from '../../../harness/workers/worker.ts';
import { assertMeasured, childrenOf, start, temporaryFolder, writeScenario } from '../../cli/tools.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';
import { accounted, leftIn, newToken, redisOf, runOnWorkers, workerOf } from './crew.ts';

describe('two workers on this machine', () => {
  test('make the load of one run after the other, and leave nothing behind', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    const workers = [await workerOf(t, redis.url, token), await workerOf(t, redis.url, token)];
    for (const _ of [1, 2]) {
      const result = await runOnWorkers(redis.url, { count: 2, token });
      assert.doesNotThrow(() => resultSchema.parse(JSON.parse(JSON.stringify(result))));
      const { trial, codes } = accounted(result);
      assert.deepEqual([trial.ledger.missed, trial.ledger.unreported], [0, undefined]);
      assert.deepEqual(
        trial.workers?.map(({ load, subscribers, lost }) => [load, subscribers, lost]),
        [
          [0, 20, undefined],
          [1, 20, undefined],
        ],
      );
      assert.equal(new Set(trial.workers?.map(({ name }) => name)).size, 2);
      // They share one clock, so the shift is an error, which the bound must hold.
      for (const { offsetUs, boundUs } of trial.workers ?? []) assert.ok(Math.abs(offsetUs) <= boundUs);
      assert.ok(!codes.includes('worker-lost') && !codes.includes('load-overcount'), codes.join(' '));
      assert.ok(
        trial.processes.filter(({ role }) => role === 'load').every((one) => one.cpuSource === 'self'),
      );
      const left = await leftIn(redis);
      assert.deepEqual(left.keys, [], 'while the workers wait for the next');
      assert.equal(left.clients.length, 2, left.clients.join(' '));
    }
    for (const { child } of workers) {
      assert.deepEqual(childrenOf(child.pid!), []);
      child.kill('SIGINT');
    }
    for (const { ended } of workers) assert.equal((await ended).code, 0);
    assert.deepEqual(await leftIn(redis), { keys: [], clients: [] });
  });

  test('the command line takes all that wait, and the token is in no file', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    await workerOf(t, redis.url, token);
    await workerOf(t, redis.url, token);
    const folder = temporaryFolder(t);
    const scenario = writeScenario(folder, 'variants: [sse]');
    const running = start(['run', scenario, '--workers', redis.url, '--token', token], folder);
    const ended = await running.ended;
    const result = assertMeasured(ended, folder);
    const { outcome } = result.trials[0]!;
    assert.ok(outcome.status === 'completed');
    assert.equal(outcome.workers?.length, 2);
    assert.ok(!JSON.stringify(result).includes(token));
    assert.match(result.command, /--workers redis:\/\/127\.0\.0\.1:\d+ --worker-count 2$/);
  });
});

describe('is refused in words', () => {
  test('a worker with another token', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    await workerOf(t, redis.url, newToken());
    await assert.rejects(
      runOnWorkers(redis.url, { count: 1, token: newToken(), waitMs: 1500 }),
      /^UserError: 0 of 1 worker joined at .* within 1\.5 s\. 1 worker is there with another token/,
    );
    assert.deepEqual((await leftIn(redis)).keys, []);
  });

  test('a Redis that is not there', async () => {
    await assert.rejects(
      runOnWorkers('redis://127.0.0.1:1', { count: 1, token: newToken() }),
      /No Redis answers at redis:\/\/127\.0\.0\.1:1 \(.*ECONNREFUSED.*\): start one/,
    );
  });

  test('no address that the worker was told of, however both sides wrote it', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    await workerOf(t, redis.url, token, ['--allow', '2001:DB8::5']);
    const listen = checkedListen('2001:db8:0:0:0:0:0:5');
    accounted(await runOnWorkers(redis.url, { count: 1, token, hosts: [listen] }));
  });

  test('an address that the worker was not told of', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    await workerOf(t, redis.url, token, ['--allow', '10.0.0.7']);
    const hosts = (...given: string[]) => runOnWorkers(redis.url, { count: 1, token, hosts: given });
    await assert.rejects(
      hosts('10.0.0.8'),
      /may not send load to 10\.0\.0\.8: start it with --allow 10\.0\.0\.8/,
    );
    await hosts('10.0.0.7');
  });
});

test('workers without descriptors that stop at one count are said to be at their own limit', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const token = newToken();
  const few = ['-c', 'ulimit -n 128 && exec "$0" "$@"', process.execPath, resolve('cli/main.ts')];
  for (const _ of [1, 2]) await workerOf(t, redis.url, token, [], ['sh', ...few]);
  const { trials } = await runOnWorkers(redis.url, { count: 2, token, subscribers: 400 });
  const { outcome } = trials[0]!;
  assert.ok(outcome.status === 'failed' && outcome.code === 'not-connected', JSON.stringify(outcome));
  assert.match(outcome.message, /^load [12] \(\S+\): \d+ of 200 subscribers were not subscribed .* EMFILE/);
  assert.match(
    outcome.message,
    /Each of the 2 load processes stopped at \d+ subscribers, .* and their systems said EMFILE: /,
  );
});

describe('ephemeral ports', () => {
  test('are counted for all workers of a machine together', async (t) => {
    skipWhen(t, noRedis);
    skipWhen(t, !hasProc() && 'this system does not say how many ports there are');
    const redis = await redisOf(t);
    const token = newToken();
    await workerOf(t, redis.url, token);
    await workerOf(t, redis.url, token);
    const runOn = (count: number, each: number) =>
      runOnWorkers(redis.url, { count, token, ports: (workers) => workers * each });
    await assert.rejects(
      runOn(1, 70_000),
      /^UserError: The worker \S+ needs 70,000 ephemeral ports .* range holds [\d,]+: widen it there/,
    );
    await assert.rejects(
      runOn(2, 35_000),
      /The workers \S+ and \S+ are on one machine and need 70,000 ephemeral ports /,
    );
    accounted(await runOn(2, 20));
  });
});

describe('clocks', () => {
  test('a worker whose clock is five seconds ahead measures by that of the servers', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    const stop = new AbortController();
    const aheadUs = 5_000_000;
    const worker = runWorker({
      url: redis.url,
      token,
      allow: [],
      say() {},
      signal: stop.signal,
      clock: { nowUs: () => nowUs() + aheadUs, aheadUs },
    });
    try {
      const { trial, codes } = accounted(await runOnWorkers(redis.url, { count: 1, token }));
      const [use] = trial.workers!;
      assert.ok(use && Math.abs(use.offsetUs + aheadUs) <= use.boundUs, JSON.stringify(use));
      assert.equal(trial.ledger.missed, 0);
      assert.ok(!codes.includes('offered-rate'), codes.join(' '));
    } finally {
      stop.abort();
      await worker;
    }
  });

  test('behind a slow network the bound is as wide, and latencies that are shorter are void', async (t) => {
    skipWhen(t, noRedis);
    const redis = await redisOf(t);
    const token = newToken();
    const network = processes.network();
    t.onTestFinished(() => network.stop(1000));
    const conditions = { latencyMs: 25 };
    network.send({ kind: 'start', seed: 1, steady: { conditions, between: 'broker', share: 1 } });
    network.send({ kind: 'open', routes: [{ name: 'workers', between: 'broker', to: redis.url }] });
    const { urls } = await network.next('opened', 10_000);
    await workerOf(t, urls[0]!, token);
    const { trial, codes } = accounted(await runOnWorkers(redis.url, { count: 1, token }));
    const [use] = trial.workers!;
    assert.ok(use && use.boundUs >= 25_000, JSON.stringify(use));
    assert.ok(Math.abs(use.offsetUs) <= use.boundUs, JSON.stringify(use));
    assert.ok(codes.includes('worker-clock'), codes.join(' '));
    assert.equal(trial.ledger.missed, 0);
  });
});
