// Checks delivery over Redis: retries, dead letters, replay, recovery, and what is wrong with options.

import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { describe, test, vi } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { receiver, until } from '../../receivers.ts';
import { eventually, overRedis } from './over-redis.ts';

describe('over Redis', () => {
  const { newUrl, serve } = overRedis();

  test('a failed delivery is tried again, becomes a dead letter, and is replayed', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const server = await serve(t, newUrl(), { retries: ['20ms', '20ms'] });
    const { id } = await server.register(at.url);
    const event = await server.publish('news');
    await eventually(
      'it is dead',
      async () => (await server.deliveries(`?state=exhausted&endpoint=${id}`)).deliveries.length === 1,
    );
    assert.equal(at.got.length, 3);
    const [dead] = (await server.deliveries('?state=exhausted')).deliveries;
    const detail = await server.delivery(dead!.id);
    assert.deepEqual(
      detail.attemptLog.map(({ attempt, status }) => [attempt, status]),
      [
        [1, 503],
        [2, 503],
        [3, 503],
      ],
    );
    assert.match(detail.body, /"topic":"news"/);
    assert.equal((await server.stats()).deadLetters, 1);
    healthy = true;
    await server.replay(dead!.id);
    await eventually('it was delivered', async () => (await server.delivery(dead!.id)).state === 'delivered');
    assert.equal((await server.stats()).deadLetters, 0);
    assert.deepEqual(
      at.got.map(({ headers }) => headers['webhook-id']),
      Array(4).fill(event),
    );
    assert.deepEqual(
      (await server.events()).events.map((one) => [one.id, one.deliveries]),
      [[event, 1]],
    );
  });

  test('a test event is answered although nothing that is settled is kept', async (t) => {
    const at = await receiver(t);
    const server = await serve(t, newUrl(), { keep: 0 });
    const { id } = await server.register(at.url);
    for (let i = 1; i <= 10; i++) {
      const sent = await server.sendTest(id);
      assert.deepEqual([sent.id, sent.endpoint, sent.topic], [String(i), id, 'webhook.test']);
    }
    await until('all came', () => at.got.length === 10);
  });

  test('an endpoint that is read while it changes follows its topics once', async (t) => {
    const at = await receiver(t);
    const server = await serve(t, newUrl());
    const { id } = await server.register(at.url, ['t0']);
    for (let i = 1; i <= 40; i++) {
      const reads = Array.from({ length: 6 }, () => server.endpoints());
      await Promise.all([server.change(id, { events: [`t${i}`] }), ...reads]);
    }
    const ids = [await server.publish('t40'), await server.publish('t40')];
    await server.publish('t39');
    await eventually('all are made', async () => (await server.stats()).depth === 0);
    assert.deepEqual(at.got.map(({ headers }) => headers['webhook-id']).sort(), ids.sort());
  });

  test(
    'what is wrong with one write is told to its ' + 'publisher, and not to those that come later',
    async (t) => {
      const at = await receiver(t);
      const url = newUrl();
      const server = await serve(t, url);
      await server.register(at.url);
      const said = vi.spyOn(console, 'error').mockImplementation(() => {});
      const operator = new Redis(url);
      t.onTestFinished(() => operator.disconnect());
      await operator.config('SET', 'maxmemory', '1');
      const refused = await fetch(`${server.server.endpoint.url}/topics/news`, {
        method: 'POST',
        body: '{}',
      });
      assert.equal(refused.status, 503);
      await operator.config('SET', 'maxmemory', '0');
      const id = await server.publish('news');
      await until('it came', () => at.got.some(({ headers }) => headers['webhook-id'] === id), 30_000);
      said.mockRestore();
    },
  );

  test(
    'who follows operational events hears of dead letters and of ' +
      'endpoints that are disabled and enabled',
    async (t) => {
      const at = await receiver(t, ({ path }) => (path === '/operator' ? 204 : 500));
      const server = await serve(t, newUrl(), { retries: [] });
      const { id } = await server.register(`${at.url}/hook`);
      await server.register(`${at.url}/operator`, [
        'webhook.endpoint.disabled',
        'webhook.endpoint.enabled',
        'webhook.delivery.exhausted',
      ]);
      await server.publish('news');
      await eventually(
        'it is dead',
        async () => (await server.deliveries('?state=exhausted')).deliveries.length === 1,
      );
      await server.change(id, { enabled: false });
      await server.change(id, { enabled: true });
      const told = () =>
        at.got
          .filter(({ path }) => path === '/operator')
          .map(({ body }) => (JSON.parse(body) as { topic: string }).topic)
          .sort();
      await until('all were told', () => told().length === 3);
      assert.deepEqual(told(), [
        'webhook.delivery.exhausted',
        'webhook.endpoint.disabled',
        'webhook.endpoint.enabled',
      ]);
    },
  );

  test('recovery goes through more than a page', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 500));
    const url = newUrl();
    const server = await serve(t, url, { retries: [] });
    const { id } = await server.register(at.url);
    const fromMs = Date.now() - 1000;
    await Promise.all(Array.from({ length: 250 }, () => server.publish('news')));
    await eventually('all are dead', async () => (await server.stats()).exhausted === 250);
    healthy = true;
    assert.deepEqual(await server.recover(id, { since: new Date(fromMs).toISOString() }), {
      recovered: 250,
      more: false,
    });
    await until('all came', () => at.got.length === 500);
    assert.equal(new Set(at.got.map(({ headers }) => headers['webhook-id'])).size, 250);
  });

  test('a Redis that wants a password gets that of the environment', async (t) => {
    const at = await receiver(t);
    const url = newUrl();
    const operator = new Redis(url);
    await operator.config('SET', 'requirepass', 'hidden');
    process.env['PUSHBENCH_REDIS_PASSWORD'] = 'hidden';
    try {
      const server = await serve(t, url);
      await server.register(at.url);
      await server.publish('news');
      await until('it came', () => at.got.length === 1);
      await server.server.close();
    } finally {
      delete process.env['PUSHBENCH_REDIS_PASSWORD'];
      await operator.config('SET', 'requirepass', '');
      operator.disconnect();
    }
  });

  test('410 disables, what comes then is cancelled, and recovery sends it', async (t) => {
    let answer = 410;
    const at = await receiver(t, () => answer);
    const server = await serve(t, newUrl(), { retries: [] });
    const { id } = await server.register(at.url);
    const fromMs = Date.now() - 1000;
    await server.publish('news');
    await eventually('it is disabled', async () => (await server.endpoint(id)).disabled !== undefined);
    await server.publish('news');
    await eventually(
      'both are cancelled',
      async () => (await server.deliveries('?state=cancelled')).deliveries.length === 2,
    );
    answer = 204;
    await server.change(id, { enabled: true });
    assert.deepEqual(await server.recover(id, { since: new Date(fromMs).toISOString() }), {
      recovered: 2,
      more: false,
    });
    await until('both came', () => at.got.length === 3);
  });

  test('a start that fails leaves no connection open', async (t) => {
    const url = newUrl();
    const { register } = await serve(t, url);
    await register('http://127.0.0.1:9/', ['a', 'b']);
    const client = new Redis(url);
    t.onTestFinished(async () => {
      await client.quit();
    });
    const connections = async () => Number(/connected_clients:(\d+)/.exec(await client.info('clients'))![1]);
    const before = await connections();
    const options = patterns.webhook.options.parse({ store: 'redis', redis: url });
    const limits = { ...defaultLimits, maxTopics: 1 };
    await assert.rejects(startServer({ pattern: 'webhook', options, limits, seed: 1 }), {
      code: 'too-many-topics',
    });
    await eventually('its connections are closed', async () => (await connections()) <= before);
  });
});

test('without a Redis the server says so', async () => {
  const options = patterns.webhook.options.parse({ store: 'redis', redis: 'redis://127.0.0.1:9' });
  await assert.rejects(
    startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 }),
    /^UserError: no Redis answers at 127\.0\.0\.1:9; start redis-server, or name another address with the option redis$/,
  );
});

test('a password in the address is refused without repeating it', () => {
  const { error } = patterns.webhook.options.safeParse({
    store: 'redis',
    redis: 'redis://:hidden@127.0.0.1:9',
  });
  assert.deepEqual(
    error?.issues.map(({ path, message }) => [path.join('.'), message]),
    [['redis', 'leave the password out: options are in every result. Set PUSHBENCH_REDIS_PASSWORD instead']],
  );
});

test('what takes one server is refused with store: redis', () => {
  for (const option of [
    { fifo: true },
    { breaker: true },
    { endpointRate: '5/s' },
    { delivery: 'sync' },
    { file: 'x' },
  ]) {
    const parsed = patterns.webhook.options.safeParse({ store: 'redis', ...option });
    assert.deepEqual(
      parsed.error?.issues.map(({ path }) => path.join('.')),
      Object.keys(option),
    );
  }
});
