// Holds what the connections between a run, its workers and a real Redis do: passwords, and their end.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterEach, describe, test, vi, type TestContext } from 'vitest';
import { openRedisLink, type RedisLink } from '../../../harness/workers/redis-link.ts';
import { noRedis } from '../../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../../skip.ts';
import { redisOf } from './crew.ts';

async function linkTo(t: TestContext, url: string): Promise<RedisLink> {
  const link = await openRedisLink(url, '--join', new AbortController().signal);
  t.onTestFinished(() => link.close());
  return link;
}

describe('a Redis with a password', () => {
  const variable = 'PUSHBENCH_REDIS_PASSWORD';
  afterEach(() => vi.unstubAllEnvs());

  async function guardedRedis(t: TestContext): Promise<string> {
    skipWhen(t, noRedis);
    const { url } = await redisOf(t);
    const operator = new Redis(url);
    await operator.config('SET', 'requirepass', 'hidden');
    operator.disconnect();
    return url;
  }

  test('gets that of the environment, on each connection', async (t) => {
    const url = await guardedRedis(t);
    vi.stubEnv(variable, 'hidden');
    const link = await linkTo(t, url);
    assert.equal(await link.redis.duplicate().ping(), 'PONG');
    assert.ok(!link.place.includes('hidden'));
  });

  test('gets that of the URL before it', async (t) => {
    const url = await guardedRedis(t);
    vi.stubEnv(variable, 'another');
    const { place } = await linkTo(t, url.replace('//', '//:hidden@'));
    assert.equal(place, url);
  });

  test('is not taken for one that does not answer', async (t) => {
    const url = await guardedRedis(t);
    vi.stubEnv(variable, undefined);
    await assert.rejects(linkTo(t, url), {
      name: 'UserError',
      message: /^Redis at \S+ wants a password: set PUSHBENCH_REDIS_PASSWORD, for run and workers alike/,
    });
    vi.stubEnv(variable, 'another');
    await assert.rejects(linkTo(t, url), {
      name: 'UserError',
      message:
        /^Redis at \S+ does not take the password \(WRONGPASS.*the URL of --join, or else from PUSHBENCH/,
    });
  });
});

test('a link ends the connections that are open, and keeps none that has ended', async (t) => {
  skipWhen(t, noRedis);
  const link = await linkTo(t, (await redisOf(t)).url);
  const [ended, back] = [link.redis.duplicate(), link.redis.duplicate()];
  for (const one of [ended, back]) {
    await one.ping();
    const end = once(one, 'end');
    one.disconnect();
    await end;
  }
  await back.connect();
  const spies = [ended, back].map((one) => vi.spyOn(one, 'disconnect'));
  const end = once(back, 'end');
  link.close();
  await end;
  assert.deepEqual(
    spies.map((spy) => spy.mock.calls.length),
    [0, 1],
  );
});
