// What happens to webhooks when their Redis is full, frozen, killed, emptied, or loses answers: what it did
// not take exists nowhere, what is unknown is said to be, and nobody waits.

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { Redis } from 'ioredis';
import { beforeEach, describe, test, type TestContext, vi } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { skipWhen } from '../../../skip.ts';
import { receiver, until } from '../../receivers.ts';
import { apiOf } from '../client.ts';
import { noRedis, proxyTo, startRedis, type RedisServer } from './redis-server.ts';

type Published = {
  status: number;
  retryAfter: string | null;
  id?: string;
  seq?: number;
  error?: string;
  message?: string;
};

/** Nobody waits so long for an answer; the promise is 2 s, and the machine may be busy. */
const answerLimitMs = 15_000;

/** Closes things when the test is over, the last one first: a server before its Redis. */
function closeAfter(t: TestContext, close: () => Promise<unknown> | unknown): void {
  const closers = allClosers.get(t) ?? [];
  if (closers.length === 0) {
    t.onTestFinished(async () => {
      for (const one of closers.toReversed()) await one();
    });
  }
  closers.push(close);
  allClosers.set(t, closers);
}
const allClosers = new WeakMap<TestContext, (() => Promise<unknown> | unknown)[]>();

async function redisOf(
  t: TestContext,
  given: Parameters<typeof startRedis>[0] = {},
): Promise<{ redis: RedisServer; operator: Redis }> {
  const redis = await startRedis(given);
  const operator = new Redis(redis.url, { retryStrategy: () => 50 });
  operator.on('error', () => {}); // it is killed below
  closeAfter(t, async () => {
    operator.disconnect();
    await redis.stop();
  });
  return { redis, operator };
}

async function serve(t: TestContext, url: string) {
  const options = patterns.webhook.options.parse({
    store: 'redis',
    redis: url,
    jitter: '0%',
    retries: ['20ms'],
  });
  const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
  closeAfter(t, () => server.close());
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  async function publish(body: string, key?: string): Promise<Published> {
    const response = await fetch(`${server.endpoint.url}/topics/news`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerLimitMs),
      ...(key !== undefined && { headers: { 'idempotency-key': `"${key}"` } }),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      ...((await response.json()) as object),
    };
  }
  async function refused(path: string): Promise<void> {
    const response = await fetch(`${server.endpoint.url}${path}`, {
      signal: AbortSignal.timeout(answerLimitMs),
    });
    assert.deepEqual([path, response.status, response.headers.get('retry-after')], [path, 503, '1']);
    await response.arrayBuffer();
  }
  /** The first answer that is none of 503, for a server whose Redis is back. */
  async function publishAgain(body: string, key?: string): Promise<Published> {
    for (const limitMs = performance.now() + 20_000; ;) {
      const answer = await publish(body, key);
      if (answer.status !== 503) return answer;
      assert.ok(performance.now() < limitMs, `still refused after 20 s: ${answer.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const sentences = () => said.mock.calls.map(([text]) => String(text));
  const api = apiOf(server.endpoint.url);
  /** Resolves when the answer to each delivery is entered. */
  async function settled(): Promise<void> {
    while ((await api.stats()).depth > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { server, publish, publishAgain, refused, sentences, settled, ...api };
}

const bodies = (got: readonly { body: string }[]) =>
  got.map(({ body }) => (JSON.parse(body) as { body: string }).body);

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
        /was emptied under this server.*start the server again and register the endpoints anew$/,
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
