// Delivery over Redis: several servers on one queue, retries, dead letters and replay, and
// a server that is killed.

import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, test, type TestContext, vi } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { skipWhen } from '../../../skip.ts';
import { receiver, until } from '../../receivers.ts';
import { apiOf } from '../client.ts';
import { noRedis, startRedis } from './redis-server.ts';

describe('over Redis', () => {
  beforeEach((t) => skipWhen(t, noRedis));
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let database = 0;
  beforeAll(async () => {
    if (!noRedis) redis = await startRedis();
  });
  afterAll(async () => {
    if (!noRedis) await redis.stop();
  });

  /** Servers on a database of their own. */
  const newUrl = () => `${redis.url}/${database++}`;
  async function serve(t: TestContext, url: string, given: Record<string, unknown> = {}) {
    const options = patterns.webhook.options.parse({ store: 'redis', redis: url, jitter: '0%', ...given });
    const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
    t.onTestFinished(() => server.close());
    const publish = async (topic: string) => {
      const response = await fetch(`${server.endpoint.url}/topics/${topic}`, { method: 'POST', body: '{}' });
      assert.equal(response.status, 201);
      return ((await response.json()) as { id: string }).id;
    };
    return { server, publish, ...apiOf(server.endpoint.url) };
  }
  async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
    const limitMs = performance.now() + 20_000;
    while (!(await holds())) {
      if (performance.now() > limitMs) assert.fail(`not within 20 s: ${what}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  test('two servers share endpoints and work', async (t) => {
    const at = await receiver(t);
    const url = newUrl();
    const one = await serve(t, url);
    const two = await serve(t, url);
    const { id } = await one.register(at.url);
    await eventually(
      'the other knows the endpoint',
      async () => (await two.endpoints()).webhooks.length === 1,
    );
    const ids = await Promise.all(
      Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? one : two).publish('news')),
    );
    await until('all came', () => at.got.length === 100);
    assert.deepEqual(at.got.map(({ headers }) => headers['webhook-id']).sort(), [...ids].sort());
    assert.ok(
      one.server.counters().deliveryRequests > 0 && two.server.counters().deliveryRequests > 0,
      'both made some',
    );
    await eventually(
      'all are entered',
      async () => (await one.deliveries('?state=delivered&limit=500')).deliveries.length === 100,
    );
    await two.remove(id);
    await eventually('it is gone', async () => (await one.endpoints()).webhooks.length === 0);
  });

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
    healthy = true;
    await server.replay(dead!.id);
    await eventually('it was delivered', async () => (await server.delivery(dead!.id)).state === 'delivered');
    assert.deepEqual(
      at.got.map(({ headers }) => headers['webhook-id']),
      Array(4).fill(event),
    );
    assert.deepEqual(
      (await server.events()).events.map((one) => [one.id, one.deliveries]),
      [[event, 1]],
    );
  });

  test(
    'what is published the moment another server has registered ' + 'or enabled an endpoint is not cancelled',
    async (t) => {
      const at = await receiver(t);
      const url = newUrl();
      const servers = [await serve(t, url), await serve(t, url)] as const;
      const ids: string[] = [];
      for (let i = 0; i < 10; i++) {
        // Either server may take the delivery up, and only one of them has heard of the endpoint.
        const here = servers[i % 2]!;
        const { id } = await here.register(`${at.url}/${i}`, [`t${i}`]);
        for (let j = 0; j < 4; j++) ids.push(await here.publish(`t${i}`));
        await until('they came', () => at.got.length === ids.length);
        await here.change(id, { enabled: false });
        await eventually('both know that', async () =>
          (await Promise.all(servers.map((one) => one.endpoints()))).every(({ webhooks }) =>
            webhooks.some((one) => one.id === id && one.disabled !== undefined),
          ),
        );
        await here.change(id, { enabled: true });
        for (let j = 0; j < 4; j++) ids.push(await here.publish(`t${i}`));
      }
      await until('those came too', () => at.got.length === ids.length);
      assert.deepEqual(at.got.map(({ headers }) => headers['webhook-id']).sort(), [...ids].sort());
      assert.deepEqual((await servers[0].deliveries('?state=cancelled')).deliveries, []);
    },
  );

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

  test(
    'an endpoint that one server removes does not come back ' + 'by what another makes of it meanwhile',
    async (t) => {
      const answer = Promise.withResolvers<number>();
      const at = await receiver(t, () => answer.promise);
      const url = newUrl();
      const one = await serve(t, url);
      const { id } = await one.register(at.url);
      await one.publish('news');
      await until('it is under way', () => at.got.length === 1);
      const two = await serve(t, url);
      assert.equal((await two.endpoints()).webhooks.length, 1);
      await two.remove(id);
      answer.resolve(410); // disables the endpoint at the first server, which may not have heard yet
      assert.equal((await one.call('PATCH', `/webhooks/${id}`, { events: ['other'] })).status, 404);
      await eventually('the attempt is over', async () => (await one.stats()).underWay === 0);
      await eventually('it is gone there too', async () => (await one.endpoints()).webhooks.length === 0);
      assert.deepEqual((await two.endpoints()).webhooks, []);
    },
  );

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

  test('what a killed server had under way, another does', { timeout: 60_000 }, async (t) => {
    const hung = new Set<() => void>();
    let slow = true;
    const at = await receiver(t, () => (slow ? new Promise((resolve) => hung.add(() => resolve(204))) : 204));
    const url = newUrl();
    const child = fork(
      new URL('../kill-server.ts', import.meta.url),
      [JSON.stringify({ store: 'redis', redis: url })],
      { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
    );
    t.onTestFinished(() => void child.kill('SIGKILL'));
    const line = await new Promise<string>((resolve) =>
      child.stdout!.setEncoding('utf8').once('data', resolve),
    );
    const first = (JSON.parse(line) as { url: string }).url;
    await apiOf(first).register(at.url);
    const ids = new Set<string>();
    for (let i = 0; i < 10; i++)
      ids.add(
        (
          (await (await fetch(`${first}/topics/news`, { method: 'POST', body: '{}' })).json()) as {
            id: string;
          }
        ).id,
      );
    await until('some are under way', () => hung.size > 0);
    child.kill('SIGKILL');
    slow = false;
    at.got.length = 0;
    await serve(t, url);
    await until(
      'all came',
      () => new Set(at.got.map(({ headers }) => headers['webhook-id'])).size === 10,
      30_000,
    );
    assert.deepEqual(new Set(at.got.map(({ headers }) => headers['webhook-id'])), ids);
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
    [
      [
        'redis',
        'leave the password out: options stand in every result. Set PUSHBENCH_REDIS_PASSWORD instead',
      ],
    ],
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
