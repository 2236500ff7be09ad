// Checks what happens to webhooks when their Redis is full, read-only, emptied or goes wrong half-way: what
// it did not take exists nowhere.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { beforeEach, describe, test } from 'vitest';
import { skipWhen } from '../../../skip.ts';
import { receiver, until } from '../../receivers.ts';
import { eventually } from './over-redis.ts';
import { noRedis } from './redis-server.ts';
import { redisOf, serve, bodies } from './troubled-redis.ts';

describe('a Redis in trouble', () => {
  beforeEach((t) => skipWhen(t, noRedis));
  test('what it is too full for is neither numbered nor delivered nor counted', async (t) => {
    const { redis, operator } = await redisOf(t);
    const at = await receiver(t);
    const { publish, publishAgain, register, stats, endpoints, server, settled } = await serve(t, redis.url);
    await register(at.url);
    assert.equal((await publish('before')).seq, 1);
    await until('it came', () => at.got.length === 1);
    await operator.config('SET', 'maxmemory', '1');
    const refused = await Promise.all(Array.from({ length: 20 }, (_, i) => publish(`refused ${i}`)));
    for (const { status, error, retryAfter } of refused)
      assert.deepEqual([status, error, retryAfter], [503, 'store-full', '1']);
    await assert.rejects(register(`${at.url}/second`), /store-full/);
    await operator.config('SET', 'maxmemory', '0');
    assert.equal((await endpoints()).webhooks.length, 1, 'an endpoint that was refused is none');
    assert.equal((await publishAgain('after')).seq, 2);
    await until('it came', () => bodies(at.got).includes('after'));
    assert.deepEqual(bodies(at.got), ['before', 'after']);
    assert.equal(server.hub.published(), 2);
    await settled();
    assert.equal((await stats()).delivered, 2);
  });

  test('a replica and one that cannot save refuse as well', async (t) => {
    const { redis, operator } = await redisOf(t);
    const at = await receiver(t);
    const { publish, publishAgain, register } = await serve(t, redis.url);
    await register(at.url);
    await operator.replicaof('127.0.0.1', '9');
    const readOnly = await publish('read only');
    assert.deepEqual([readOnly.status, readOnly.error], [503, 'store-failed']);
    assert.match(readOnly.message!, /READONLY/);
    await operator.replicaof('NO', 'ONE');
    assert.equal((await publishAgain('first')).seq, 1);
    await operator.config('SET', 'save', '3600 1000000');
    rmSync(redis.folder, { recursive: true });
    await operator.bgsave();
    while (!(await operator.info('persistence')).includes('rdb_last_bgsave_status:err'))
      await new Promise((resolve) => setTimeout(resolve, 10));
    const unsaved = await publish('cannot save');
    assert.deepEqual([unsaved.status, unsaved.error], [503, 'store-failed']);
    assert.match(unsaved.message!, /MISCONF/);
    await operator.config('SET', 'save', '');
    assert.equal((await publishAgain('second')).seq, 2);
    await until('both came', () => at.got.length === 2);
    assert.deepEqual(bodies(at.got), ['first', 'second']);
  });

  test('a batch that goes wrong in the middle is undone', async (t) => {
    const { redis, operator } = await redisOf(t);
    const at = await receiver(t);
    const { publish, publishAgain, register, events } = await serve(t, redis.url);
    await register(at.url);
    // The event is written before its job, and the job's number before the list that it goes to.
    for (const key of ['pushbench:deliveries:events', 'pushbench:deliveries:id', 'pushbench:events']) {
      await operator.rename(key, 'aside').catch(() => {});
      await operator.hset(key, 'no', 'such type');
      const refused = await publish(`wrong ${key}`, `key-of-${key}`);
      assert.deepEqual([key, refused.status, refused.error], [key, 503, 'store-failed']);
      assert.deepEqual(await operator.keys('pushbench:event:*'), []);
      await operator.del(key);
      await operator.rename('aside', key).catch(() => {});
    }
    assert.deepEqual(await operator.keys('pushbench:idempotency:*'), []);
    const { id, seq } = await publishAgain('right');
    assert.equal(seq, 1);
    await until('it came', () => at.got.length === 1);
    assert.deepEqual(
      (await events()).events.map((event) => event.id),
      [id],
    );
    assert.deepEqual(bodies(at.got), ['right']);
  });

  for (const [what, empty] of [
    ['emptied', (operator: Redis) => operator.flushall()],
    ['bare of endpoints', (operator: Redis) => operator.del('pushbench:endpoints')],
  ] as const) {
    test(`${what} under a running server, it is noticed`, async (t) => {
      const { redis, operator } = await redisOf(t);
      const at = await receiver(t);
      const first = await serve(t, redis.url);
      await first.register(at.url);
      await empty(operator);
      const refused = await first.publish('to nobody');
      assert.deepEqual([refused.status, refused.error, refused.retryAfter], [503, 'store-emptied', '1']);
      assert.match(
        refused.message!,
        /was emptied under this server.*start the server again and register the endpoints again$/,
      );
      await assert.rejects(first.register(at.url), /store-emptied/);
      await first.refused('/webhooks');
      const second = await serve(t, redis.url);
      await second.register(at.url);
      assert.equal((await second.publish('to somebody')).seq, 1);
      assert.equal(
        (await first.publish('to nobody')).error,
        'store-emptied',
        'the endpoints of another store are none of its own',
      );
      await until('it came', () => at.got.length === 1);
      assert.deepEqual(bodies(at.got), ['to somebody']);
      assert.equal(
        first.sentences().filter((text) => text.includes('was emptied')).length,
        1,
        first.sentences().join('\n'),
      );
    });
  }

  test('one that comes back without what it had is noticed without anybody asking', async (t) => {
    const { redis } = await redisOf(t);
    const { sentences, publish } = await serve(t, redis.url);
    await redis.kill();
    await redis.restart();
    await until('the server says so', () => sentences().some((text) => text.includes('was emptied')), 30_000);
    assert.equal((await publish('to nobody')).error, 'store-emptied');
  });

  test('an endpoint that is disabled while Redis takes no writes stays so, and others hear it', async (t) => {
    const { redis, operator } = await redisOf(t);
    const answer = Promise.withResolvers<number>();
    const at = await receiver(t, () => answer.promise);
    const { register, publish, endpoint, settled } = await serve(t, redis.url);
    const { id } = await register(at.url);
    await publish('answered 410');
    await until('it is under way', () => at.got.length === 1);
    await operator.replicaof('127.0.0.1', '9');
    answer.resolve(410);
    await eventually('it is disabled', async () => (await endpoint(id)).disabled !== undefined);
    await new Promise((resolve) => setTimeout(resolve, 1200)); // two looks at Redis
    const { disabled } = await endpoint(id);
    assert.ok(disabled);
    await operator.replicaof('NO', 'ONE');
    const other = await serve(t, redis.url);
    await eventually('both know', async () => (await other.endpoint(id)).disabled === disabled);
    await settled();
  });

  test('a change that Redis did not take is none', async (t) => {
    const { redis, operator } = await redisOf(t);
    const { register, call, endpoints } = await serve(t, redis.url);
    const { id } = await register('http://127.0.0.1:9/');
    const before = await endpoints();
    await operator.replicaof('127.0.0.1', '9');
    for (const [method, path, body] of [
      ['DELETE', `/webhooks/${id}`],
      ['PATCH', `/webhooks/${id}`, { events: ['other'] }],
      ['PATCH', `/webhooks/${id}`, { enabled: false }],
      ['POST', `/webhooks/${id}/rotate`, {}],
      ['POST', `/webhooks/${id}/test`],
    ] as const) {
      const { status, body: said } = await call(method, path, body);
      assert.deepEqual(
        [method, path, status, (said as { error: string }).error],
        [method, path, 503, 'store-failed'],
      );
    }
    assert.deepEqual(await endpoints(), before);
    await operator.replicaof('NO', 'ONE');
    assert.deepEqual(await endpoints(), before);
    assert.equal((await call('PATCH', `/webhooks/${id}`, { events: ['other'] })).status, 200);
    assert.deepEqual(
      (await endpoints()).webhooks.map(({ events }) => events),
      [['other']],
    );
  });
});
