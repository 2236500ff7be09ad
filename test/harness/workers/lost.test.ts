// Loses workers in the middle of trials: their share of the deliveries is in the ledger to the last one, and
// the result says what happened. PUSHBENCH_WORKER_KILLS sets how often one is killed; once when left out.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test, type TestContext } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import { treeOf } from '../../../harness/process/process-tree.ts';
import { systemFiles } from '../../../harness/process/system-files.ts';
import type { Progress } from '../../../harness/trial/stage.ts';
import { runWorker } from '../../../harness/workers/worker.ts';
import { childrenOf, start, temporaryFolder, writeScenario } from '../../cli/tools.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { until } from '../../servers/receivers.ts';
import { skipWhen } from '../../skip.ts';
import { accounted, endlessIn, leftIn, newToken, redisOf, runOnWorkers, workerOf } from './crew.ts';
import { wireTo } from './wire.ts';

const kills = Number(process.env['PUSHBENCH_WORKER_KILLS'] ?? 1);
/** A worker is noticed to be gone some seconds after it is, and the run then goes on. */
const limitMs = 120_000;

/** A worker that waits at a Redis of its own. */
async function oneWorker(t: TestContext) {
  const redis = await redisOf(t);
  const token = newToken();
  return { redis, token, worker: await workerOf(t, redis.url, token) };
}

/** Calls once when this share of the measured phase is over. */
function onceAt(share: number, act: () => void): (progress: Progress) => void {
  let isDone = false;
  return (progress) => {
    if (isDone || progress.phase !== 'measure' || (progress.share ?? 0) < share) return;
    isDone = true;
    act();
  };
}

test(
  'a worker that is killed: what its subscribers were owed and it had not reported is counted as such',
  { timeout: kills * limitMs },
  async (t) => {
    skipWhen(t, noRedis);
    for (let round = 0; round < kills; round++) {
      const redis = await redisOf(t);
      const token = newToken();
      const workers = [await workerOf(t, redis.url, token), await workerOf(t, redis.url, token)];
      const at = Math.random() * 0.9;
      const progress = onceAt(at, () => workers[round % 2]!.child.kill('SIGKILL'));
      const result = await runOnWorkers(redis.url, { count: 2, token, measure: '4s', progress });
      const { trial, codes } = accounted(result);
      const said = `round ${round}, killed at ${at}: ${JSON.stringify(trial.ledger)}`;
      const lost = trial.workers!.filter((one) => one.lost);
      assert.equal(lost.length, 1, said);
      assert.match(lost[0]!.lost!.why, /has not been heard of for 5 s/);
      const { published, delivered, missed, unreported = 0 } = trial.ledger;
      assert.equal(missed, 0, said);
      // The other worker had all of its share; of the one that was lost the rest is unreported.
      assert.ok(unreported > 0 && unreported <= published * 20, said);
      assert.equal(delivered, published * 40 - unreported, said);
      assert.equal(delivered, trial.latency.endToEnd.count, `${said}: every delivery has its latency`);
      assert.ok(codes.includes('worker-lost'), codes.join(' '));
      for (const wrong of ['ledger-open', 'sampled-late', 'cpu-elsewhen', 'counts-disagree'])
        assert.ok(!codes.includes(wrong), codes.join(' '));
      assert.equal(trial.valid, false);
      assert.deepEqual((await leftIn(redis)).keys, []);
    }
  },
);

test('a load process that is killed on a worker is told at once', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { redis, token, worker } = await oneWorker(t);
  const progress = onceAt(0.3, () => {
    for (const pid of childrenOf(worker.child.pid!)) process.kill(pid, 'SIGKILL');
  });
  const { trial, codes } = accounted(await runOnWorkers(redis.url, { count: 1, token, progress }));
  assert.match(trial.workers![0]!.lost!.why, /its load process ended: signal SIGKILL/);
  assert.ok(codes.includes('worker-lost'), codes.join(' '));
  assert.ok(trial.ledger.unreported! > 0);
});

test('a worker that is told to end in the middle of a run says so', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { redis, token, worker } = await oneWorker(t);
  const progress = onceAt(0.3, () => worker.child.kill('SIGINT'));
  const { trial } = accounted(await runOnWorkers(redis.url, { count: 1, token, progress }));
  assert.match(trial.workers![0]!.lost!.why, /it was told to end/);
  assert.equal((await worker.ended).code, 0);
});

test(
  'a Redis that goes in the middle is named, and what was reported stays',
  { timeout: limitMs },
  async (t) => {
    skipWhen(t, noRedis);
    const { redis, token, worker } = await oneWorker(t);
    const progress = onceAt(0.3, () => void redis.kill());
    const { trial, codes } = accounted(
      await runOnWorkers(redis.url, { count: 1, token, measure: '4s', progress }),
    );
    assert.match(trial.workers![0]!.lost!.why, /^Redis at redis:\/\/127\.0\.0\.1:\d+ is gone/);
    assert.ok(codes.includes('worker-lost'), codes.join(' '));
    await worker.saw(/ended here: Redis at .* is gone/);
    assert.deepEqual(childrenOf(worker.child.pid!), []);
  },
);

test('a run that is interrupted lets its workers go at once', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { redis, token, worker, run } = await startedRun(t);
  run.child.kill('SIGINT');
  assert.equal((await run.ended).code, 130);
  await worker.saw(/ended here: the run is over/);
  assert.deepEqual(childrenOf(worker.child.pid!), []);
  assert.deepEqual((await leftIn(redis)).keys, []);
  // It works in the next one.
  accounted(await runOnWorkers(redis.url, { count: 1, token }));
});

test('a place that ends while the clocks are compared starts no load process', async (t) => {
  skipWhen(t, noRedis);
  const redis = await redisOf(t);
  const token = newToken();
  const stop = new AbortController();
  const said: string[] = [];
  let asked = 0;
  const nowUsUntilRedisIsGone = () => {
    if (++asked === 10) redis.freeze();
    return nowUs();
  };
  const worker = runWorker({
    url: redis.url,
    token,
    allow: [],
    say: (text) => void said.push(text),
    signal: stop.signal,
    clock: { nowUs: nowUsUntilRedisIsGone, aheadUs: 0 },
  });
  await runOnWorkers(redis.url, { count: 1, token }).catch(() => {}); // it loses its worker
  await until('the place ended', () => said.some((text) => text.includes('ended here: Redis at')));
  redis.thaw();
  await until('the clocks are compared', () => asked > 10);
  for (let before = 0; before < asked; await sleep(500)) before = asked;
  const commands = treeOf(process.pid).map((pid) => systemFiles.read(`/proc/${pid}/cmdline`) ?? '');
  stop.abort();
  await worker;
  assert.deepEqual(
    commands.filter((command) => command.includes('load/process')),
    [],
  );
});

test('workers notice that their run was killed, and tidy up for it', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { redis, worker, run } = await startedRun(t);
  run.child.kill('SIGKILL');
  await worker.saw(/ended here: the run that it belonged to is gone/);
  assert.deepEqual(childrenOf(worker.child.pid!), []);
  worker.child.kill('SIGTERM');
  await worker.ended;
  assert.deepEqual(await leftIn(redis), { keys: [], clients: [] });
});

test('no key stays for ever when both ends are killed at once', { timeout: limitMs }, async (t) => {
  skipWhen(t, noRedis);
  const { redis, worker, run } = await startedRun(t);
  for (const { child } of [run, worker]) child.kill('SIGKILL');
  await Promise.all([run.ended, worker.ended]);
  const { endless, keys } = await endlessIn(redis);
  assert.ok(keys.length > 0, 'nobody was left to remove them');
  assert.deepEqual(endless, []);
});

test(
  'workers notice that the machine of their run is gone without a word',
  { timeout: limitMs },
  async (t) => {
    skipWhen(t, noRedis);
    const { redis, token, worker } = await oneWorker(t);
    const wire = await wireTo(t, redis.port);
    const progress = onceAt(0.3, () => wire.cut());
    await runOnWorkers(wire.url, { count: 1, token, progress });
    await worker.saw(/ended here: the run that it belonged to is gone/);
    assert.deepEqual(childrenOf(worker.child.pid!), []);
    // It works in the next one, of which nothing is left.
    accounted(await runOnWorkers(redis.url, { count: 1, token }));
    assert.deepEqual((await leftIn(redis)).keys, []);
  },
);

/** A run of the command line whose worker is making its load. */
async function startedRun(t: TestContext) {
  const { redis, token, worker } = await oneWorker(t);
  const folder = temporaryFolder(t);
  const scenario = writeScenario(folder, 'variants: [sse]', '60s');
  const run = start(['run', scenario, '--workers', redis.url, '--token', token], folder);
  t.onTestFinished(() => void run.child.kill('SIGKILL'));
  await worker.saw(/Taken into run/);
  while (childrenOf(worker.child.pid!).length === 0) await new Promise((later) => setTimeout(later, 100));
  return { redis, token, worker, run };
}
