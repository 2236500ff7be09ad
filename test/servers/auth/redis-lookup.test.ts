// Looks tokens up in a real Redis: one GET each, revoked tokens, a Redis that stands still, goes and comes
// back.
// Skipped where redis-server is not installed.

import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { fetch } from 'undici';
import { test } from 'vitest';
import { createTokens } from '../../../core/secrets/token.ts';
import { revokedKey } from '../../../servers/auth/redis-lookup.ts';
import { skipWhen } from '../../skip.ts';
import { serve } from '../http/gate-clients.ts';
import { noRedis, startRedis } from '../webhook/redis/redis-server.ts';

const authAt = (url: string) => ({
  takes: 0,
  concurrency: 2,
  queue: 3,
  seed: 3,
  lookup: { kind: 'redis' as const, url, name: 'test' },
});
const headers = { authorization: `Bearer ${createTokens(3).of('subscriber-0')}` };

test('a lookup is one GET, a revoked token is refused, and while Redis is away all get 503', async (t) => {
  skipWhen(t, noRedis);
  const redis = await startRedis();
  t.onTestFinished(() => redis.stop());
  const own = new Redis(redis.url, { retryStrategy: () => 50 });
  own.on('error', () => {});
  t.onTestFinished(() => own.disconnect());
  const { endpoint, counters } = await serve(t, 'polling', {}, { auth: authAt(redis.url) });
  const ask = async () => {
    const answer = await fetch(`${endpoint.url}/poll?topics=news`, { headers });
    return { status: answer.status, text: await answer.text(), retry: answer.headers.get('retry-after') };
  };
  const gets = async () => Number(/cmdstat_get:calls=(\d+)/.exec(await own.info('commandstats'))?.[1] ?? 0);
  const before = await gets();
  for (let i = 0; i < 3; i++) assert.equal((await ask()).status, 200);
  assert.equal((await gets()) - before, 3);

  await own.set(revokedKey('test', 'subscriber-0'), '1');
  const revoked = await ask();
  assert.deepEqual([revoked.status, counters().authRefused], [401, 1]);
  assert.match(revoked.text, /revoked/);
  await own.del(revokedKey('test', 'subscriber-0'));
  assert.equal((await ask()).status, 200);

  redis.freeze();
  const asked = await Promise.all(Array.from({ length: 8 }, ask));
  redis.thaw();
  assert.deepEqual(
    asked.map(({ status, retry }) => [status, retry]),
    asked.map(() => [503, '1']),
  );
  const codes = asked.map(({ text }) => (JSON.parse(text) as { error: string }).error);
  assert.equal(codes.filter((code) => code === 'auth-full').length, 3, 'two under way, three in line');

  await redis.kill();
  assert.equal((await ask()).status, 503);
  await redis.restart();
  for (let tries = 0; (await ask()).status !== 200; tries++) {
    assert.ok(tries < 200, 'it answers again once Redis is back');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
});

test('a server whose Redis does not answer does not start, and says so', async (t) => {
  await assert.rejects(
    serve(t, 'polling', {}, { auth: authAt('redis://127.0.0.1:1') }),
    /no Redis answers at 127\.0\.0\.1:1, where server\.auth looks tokens up/,
  );
});
