// Checks what happens to webhooks when their Redis is frozen, killed, or loses answers: what is unknown is
// said to be, and nobody waits.

import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'vitest';
import { skipWhen } from '../../../skip.ts';
import { receiver, until } from '../../receivers.ts';
import { noRedis, proxyTo } from './redis-server.ts';
import { closeAfter, redisOf, serve, bodies } from './troubled-redis.ts';

describe('a Redis that does not answer', () => {
  beforeEach((t) => skipWhen(t, noRedis));

  test('frozen, it lets nobody wait; what is unknown is settled when it goes on', async (t) => {
    const { redis } = await redisOf(t);
    const at = await receiver(t);
    const { publish, publishAgain, refused, register, sentences, server } = await serve(t, redis.url);
    const { id: endpoint } = await register(at.url);
    assert.equal((await publish('before')).seq, 1);
    await until('it came', () => at.got.length === 1);
    redis.freeze();
    const unknown = await publish('unknown');
    assert.deepEqual([unknown.status, unknown.error, unknown.retryAfter], [503, 'unknown', '1']);
    assert.match(
      unknown.message!,
      /may or may not have been stored; repeat it with the same Idempotency-Key$/,
    );
    const later = await publish('not stored', 'k');
    assert.deepEqual([later.status, later.error, later.retryAfter], [503, 'store-failed', '1']);
    await Promise.all(
      [
        '/webhooks',
        `/webhooks/${endpoint}`,
        '/webhooks/deliveries',
        '/webhooks/deliveries/1',
        '/webhooks/events',
        '/webhooks/stats',
      ].map(refused),
    );
    redis.thaw();
    // Whether the batch that lay in the socket counts is decided before another is numbered.
    const after = await publishAgain('after', 'k2');
    const wasStored = server.hub.published() === 3;
    assert.equal(after.seq, wasStored ? 3 : 2);
    assert.deepEqual(await publish('after', 'k2'), after);
    await until('all came', () => at.got.length === (wasStored ? 3 : 2));
    assert.deepEqual(bodies(at.got).sort(), wasStored ? ['after', 'before', 'unknown'] : ['after', 'before']);
    assert.equal(
      sentences().filter((text) => text.includes('does not answer')).length,
      1,
      sentences().join('\n'),
    );
    assert.equal(sentences().filter((text) => text.includes('answers again')).length, 1);
  });

  test('killed, it is refused at once; started again with what it had, all goes on', async (t) => {
    const { redis } = await redisOf(t, { persistent: true });
    const at = await receiver(t);
    const { publish, publishAgain, refused, register, endpoints, sentences, settled } = await serve(
      t,
      redis.url,
    );
    await register(at.url);
    assert.equal((await publish('before', 'k')).seq, 1);
    await settled();
    await redis.kill();
    const answers = await Promise.all(Array.from({ length: 10 }, () => publish('not stored')));
    for (const { status, error } of answers) assert.deepEqual([status, error], [503, 'store-failed']);
    await Promise.all(['/webhooks', '/webhooks/stats', '/webhooks/deliveries'].map(refused));
    await new Promise((resolve) => setTimeout(resolve, 1200)); // two looks at a Redis that is away
    await redis.restart();
    assert.equal((await publishAgain('after')).seq, 2);
    assert.equal((await endpoints()).webhooks.length, 1);
    await until('both came', () => at.got.length === 2, 30_000);
    assert.deepEqual(bodies(at.got).sort(), ['after', 'before']);
    assert.ok(sentences().length <= 4, sentences().join('\n'));
  });

  test('an answer that is lost: the event is there, and is taken', async (t) => {
    const { redis } = await redisOf(t);
    const proxy = await proxyTo(redis.port);
    closeAfter(t, proxy.close);
    const at = await receiver(t);
    const { publish, publishAgain, register, server } = await serve(t, proxy.url);
    await register(at.url);
    const caught = proxy.lose('answer');
    const lost = await publish('lost', 'k');
    await caught;
    assert.deepEqual([lost.status, lost.error], [503, 'unknown']);
    await until('it is an event all the same', () => server.hub.published() === 1);
    assert.equal((await publishAgain('next')).seq, 2);
    assert.equal((await publish('lost', 'k')).seq, 1);
    await until('both came', () => at.got.length === 2);
    assert.deepEqual(bodies(at.got).sort(), ['lost', 'next']);
  });

  test('an answer to a test event that is lost: the client is told where to look for it', async (t) => {
    const { redis } = await redisOf(t);
    const proxy = await proxyTo(redis.port);
    closeAfter(t, proxy.close);
    const at = await receiver(t);
    const { call, register, settled, publishAgain } = await serve(t, proxy.url);
    const { id } = await register(at.url, ['other']);
    const caught = proxy.lose('answer');
    const { status, body } = await call('POST', `/webhooks/${id}/test`);
    await caught;
    const { error, message } = body as { error: string; message: string };
    assert.deepEqual([status, error], [503, 'unknown']);
    assert.match(message, /it may or may not be sent; GET \/webhooks\/deliveries shows it/);
    await publishAgain('next'); // Redis is back
    await until('it came', () => at.got.length === 1);
    await settled();
  });

  test('a request that is late: its number goes to the next event, and it is never stored', async (t) => {
    const { redis, operator } = await redisOf(t);
    const proxy = await proxyTo(redis.port);
    closeAfter(t, proxy.close);
    const at = await receiver(t);
    const { publish, publishAgain, register, server } = await serve(t, proxy.url);
    await register(at.url);
    const caught = proxy.lose('request');
    const lost = await publish('late');
    assert.deepEqual([lost.status, lost.error], [503, 'unknown']);
    const first = await publishAgain('first');
    assert.equal(first.seq, 1);
    await (
      await caught
    )(); // Redis reads what was under way all the time
    assert.equal((await publish('second')).seq, 2);
    await until('both came', () => at.got.length === 2);
    assert.deepEqual(bodies(at.got).sort(), ['first', 'second']);
    assert.equal((await operator.keys('pushbench:event:*')).length, 2);
    assert.equal(server.hub.published(), 2);
  });

  test('a repeat is the same event on every server of the store', async (t) => {
    const { redis } = await redisOf(t);
    const at = await receiver(t);
    const one = await serve(t, redis.url);
    await one.register(at.url);
    const two = await serve(t, redis.url);
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? one : two).publish('once', 'k')),
    );
    const [first] = answers;
    assert.equal(first!.status, 201);
    for (const answer of answers) assert.deepEqual(answer, first);
    const other = await two.publish('another', 'k');
    assert.deepEqual([other.status, other.error], [422, 'idempotency-key-reused']);
    await one.server.close();
    const three = await serve(t, redis.url);
    assert.deepEqual(await three.publish('once', 'k'), first);
    await three.publish('twice');
    await until('both came', () => at.got.length === 2);
    assert.deepEqual(bodies(at.got), ['once', 'twice']);
  });

  test('a server whose Redis is frozen or gone can be closed', async (t) => {
    const { redis } = await redisOf(t);
    const [one, two] = [await serve(t, redis.url), await serve(t, redis.url)];
    redis.freeze();
    await one.server.close();
    redis.thaw();
    await redis.kill();
    await two.server.close();
    await redis.restart();
  });
});
