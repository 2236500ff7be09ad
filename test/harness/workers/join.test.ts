// Loses workers and Redis while a run still waits for the rest of its workers: it ends with what happened,
// and leaves nothing behind.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
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
