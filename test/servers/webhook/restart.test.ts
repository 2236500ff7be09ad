// What survives a restart of the server: the same in the embedded database and in Redis.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, test, type TestContext } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { startServer } from '../../../servers/start.ts';
import { skipWhen } from '../../skip.ts';
import { receiver, until } from '../receivers.ts';
import { apiOf } from './client.ts';
import { noRedis, startRedis } from './redis/redis-server.ts';

/** Each gives the options of a store that outlives a server. */
const stores: Record<string, (t: TestContext) => Promise<Record<string, string>>> = {
  async sqlite(t) {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
    t.onTestFinished(() => rmSync(folder, { recursive: true }));
    return { store: 'sqlite', file: join(folder, 'store.db') };
  },
  async redis(t) {
    const redis = await startRedis();
    t.onTestFinished(redis.stop);
    return { store: 'redis', redis: redis.url };
  },
};

async function serve(t: TestContext, given: Record<string, unknown>) {
  const options = patterns.webhook.options.parse({ jitter: '0%', ...given });
  const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
  let isClosed = false;
  const close = async () => {
    if (!isClosed) await server.close();
    isClosed = true;
  };
  const publish = async (topic: string) => {
    const response = await fetch(`${server.endpoint.url}/topics/${topic}`, { method: 'POST', body: '{}' });
    assert.equal(response.status, 201);
    await response.arrayBuffer();
  };
  const api = apiOf(server.endpoint.url);
  const settled = async () => {
    while ((await api.stats()).depth > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  };
  t.onTestFinished(close);
  return { publish, close, settled, drain: server.drain, ...api };
}

for (const [name, optionsOf] of Object.entries(stores)) {
  describe(`after a restart over ${name}`, () => {
    beforeEach((t) => skipWhen(t, name === 'redis' && noRedis));

    test('what was published while it was drained is delivered, and nothing twice', async (t) => {
      const gate = Promise.withResolvers<void>();
      const at = await receiver(t, async () => (await gate.promise, 204));
      const options = { ...(await optionsOf(t)), concurrency: 1 };
      const first = await serve(t, options);
      await first.register(at.url, ['a']);
      await first.publish('a');
      await until('an attempt is under way', () => at.got.length === 1);
      const drained = first.drain({ windowMs: 0, limitMs: 60_000 });
      await first.publish('a');
      gate.resolve();
      const { told, left, closedAtLimit } = await drained;
      assert.deepEqual([told, left, closedAtLimit, at.got.length], [0, 1, 0, 1]);
      await first.close();
      const second = await serve(t, options);
      await second.settled();
      assert.equal(at.got.length, 2);
      assert.equal(new Set(at.got.map(({ headers }) => headers['webhook-id'])).size, 2);
    });

    test('an attempt that a drained server cut at the limit is made again', async (t) => {
      const hang = Promise.withResolvers<void>();
      t.onTestFinished(() => hang.resolve());
      const at = await receiver(t, async (_got, count) => (count === 1 && (await hang.promise), 204));
      const options = { ...(await optionsOf(t)), retries: ['0s'] };
      const first = await serve(t, options);
      await first.register(at.url, ['a']);
      await first.publish('a');
      await until('an attempt is under way', () => at.got.length === 1);
      const { left, closedAtLimit } = await first.drain({ windowMs: 0, limitMs: 200 });
      assert.deepEqual([left, closedAtLimit], [0, 1]);
      await first.close();
      const second = await serve(t, options);
      await second.settled();
      assert.equal(at.got.length, 2);
    });

    test('endpoints are as they were, and a retry is due when it was', async (t) => {
      const at = await receiver(t, () => 500);
      const options = { ...(await optionsOf(t)), retries: ['1h'] };
      const first = await serve(t, options);
      const { id } = await first.register(`${at.url}/a`, ['a']);
      const { id: off } = await first.register(`${at.url}/b`, ['b']);
      await first.change(off, { enabled: false, events: ['c'] });
      await first.publish('a');
      await first.publish('c');
      await until('it failed', () => at.got.length === 1);
      while ((await first.stats()).underWay > 0) await new Promise((resolve) => setTimeout(resolve, 20));
      const before = await first.delivery('1');
      const endpoints = (await first.endpoints()).webhooks.map(keptOf);
      await first.close();

      const second = await serve(t, options);
      const after = await second.delivery('1');
      assert.deepEqual(after, before);
      assert.deepEqual([after.state, after.endpoint, after.attemptLog.length], ['pending', id, 1]);
      assert.ok(after.nextAttemptAt);
      assert.deepEqual((await second.endpoints()).webhooks.map(keptOf), endpoints);
      assert.equal((await second.endpoint(off)).disabled, 'disabled by request');
      assert.deepEqual(
        (await second.deliveries('?state=cancelled')).deliveries.map(({ endpoint, topic }) => [
          endpoint,
          topic,
        ]),
        [[off, 'c']],
      );
    });

    test('a rule that disables goes on counting failures where it was', async (t) => {
      const at = await receiver(t, () => 500);
      const options = { ...(await optionsOf(t)), retries: [], disable: 'after-100-failures' };
      const first = await serve(t, options);
      const { id } = await first.register(at.url);
      for (let i = 0; i < 60; i++) await first.publish('news');
      await first.settled();
      await first.close();

      const second = await serve(t, options);
      for (let i = 0; i < 39; i++) await second.publish('news');
      await second.settled();
      assert.equal((await second.endpoint(id)).disabled, undefined);
      await second.publish('news');
      await second.settled();
      assert.equal((await second.endpoint(id)).disabled, '100 attempts in a row failed');
      await second.change(id, { enabled: true });
      await second.close();

      const third = await serve(t, options);
      await third.publish('news');
      await third.settled();
      assert.equal((await third.endpoint(id)).disabled, undefined, 'enabled, it begins again');
    });
  });
}

/** What is kept of an endpoint: the other figures are those of one server's life. */
function keptOf({ id, url, events, disabled, createdAt }: Record<string, unknown>) {
  return { id, url, events, disabled, createdAt };
}
