// Checks what waits for what else, over real requests: ten thousand endpoints, dead ones among them, caps of
// concurrency and rate, order, and bounds of time. The decisions alone:
// test/core/policy/webhook/dispatch.test.ts.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { realTimers } from '../../../../servers/webhook/sending/timers.ts';
import { bareReceiver, receiver, until } from '../../receivers.ts';
import { virtualTimers } from '../../virtual-timers.ts';
import { serveOn } from '../client.ts';

test(
  'one event to ten thousand endpoints is ten thousand deliveries ' +
    'of their own, and dead ones keep none waiting',
  { timeout: 120_000 },
  async (t) => {
    const live = await receiver(t);
    const dead = await bareReceiver(t, () => {});
    const server = await serveOn(t, realTimers, { timeout: '60s', concurrency: 64 });
    for (let i = 0; i < 10_000; i += 100) {
      await Promise.all(
        Array.from({ length: 100 }, (_, j) => server.register(i + j < 3 ? dead.url : `${live.url}/${i + j}`)),
      );
    }
    await server.publish('news');
    await until('all others have it', () => live.got.length === 9997, 60_000);
    assert.equal(new Set(live.got.map(({ path }) => path)).size, 9997);
    assert.equal(dead.requests(), 3);
    await until('their outcomes are stored', () => server.counters.deliveryRequests === 10_000);
    const { depth, delivered } = await server.stats();
    assert.ok(depth >= 3 && delivered <= 9997 && depth + delivered === 10_000);
    assert.equal((await server.events()).events[0]!.deliveries, 10_000);
  },
);

test('a type that an endpoint did not ask for brings it no request', async (t) => {
  const at = await receiver(t);
  const server = await serveOn(t, realTimers);
  await server.register(`${at.url}/a`, ['a']);
  await server.register(`${at.url}/b`, ['b']);
  await Promise.all(Array.from({ length: 20 }, () => server.publish('a')));
  await until('all came', () => at.got.length === 20);
  await sleep(20);
  assert.ok(at.got.every(({ path }) => path === '/a') && at.got.length === 20);
});

describe('caps', () => {
  test('of concurrency hold for each endpoint', async (t) => {
    const open = new Map<string, number>();
    let most = 0;
    const at = await receiver(t, async ({ path }) => {
      open.set(path, (open.get(path) ?? 0) + 1);
      most = Math.max(most, open.get(path)!);
      await sleep(3);
      open.set(path, open.get(path)! - 1);
      return 204;
    });
    const server = await serveOn(t, realTimers, { endpointConcurrency: 3 });
    await server.register(`${at.url}/a`);
    await server.register(`${at.url}/b`);
    await Promise.all(Array.from({ length: 60 }, () => server.publish('news')));
    await until('all came', () => at.got.length === 120);
    assert.equal(most, 3);
  });

  test('of the rate hold, but for a tenth of a second ahead, and for one endpoint alone', async (t) => {
    const at = await receiver(t);
    const server = await serveOn(t, realTimers, { endpointRate: '100/s' });
    await server.register(`${at.url}/a`);
    await server.register(`${at.url}/b`);
    const fromMs = performance.now();
    await Promise.all(Array.from({ length: 60 }, () => server.publish('news')));
    await until('all came', () => at.got.length === 120);
    for (const path of ['/a', '/b']) {
      const times = at.got.filter((one) => one.path === path).map(({ atMs }) => atMs - fromMs);
      // In any stretch that ends with an attempt: at most the rate times its length, and the burst.
      times.forEach((ms, i) =>
        assert.ok(i + 1 <= 100 * (ms / 1000) + 11.5, `${i + 1} attempts within ${ms} ms`),
      );
    }
  });
});

test(
  'the rate holds over every stretch of time but for a tenth of a second ' +
    'ahead, after a pause too, and is made use of',
  async (t) => {
    const [rate, aheadS, each] = [100, 0.1, 150];
    const timers = virtualTimers();
    const madeMs: number[] = [];
    const at = await receiver(t, () => (madeMs.push(timers.nowMs()), 204));
    const server = await serveOn(t, timers, { endpointRate: `${rate}/s` });
    await server.register(at.url);
    const deliverAll = async (total: number) => {
      await Promise.all(Array.from({ length: each }, () => server.publish('news')));
      const limitMs = performance.now() + 20_000;
      while (madeMs.length < total) {
        assert.ok(performance.now() < limitMs, `${madeMs.length} of ${total} within 20 s`);
        await sleep(3);
        if ((await server.stats()).underWay === 0 && timers.waiting() > 0) timers.next();
      }
    };
    await deliverAll(each);
    timers.after(10_000, () => {});
    await sleep(20);
    timers.next();
    await deliverAll(2 * each);
    for (let i = 0; i < madeMs.length; i++) {
      for (let j = i; j < madeMs.length; j++) {
        const s = (madeMs[j]! - madeMs[i]!) / 1000;
        assert.ok(j - i + 1 <= rate * (s + aheadS) + 1 + 1e-9, `${j - i + 1} attempts within ${s} s`);
      }
    }
    for (const half of [madeMs.slice(0, each), madeMs.slice(each)])
      assert.ok(half.at(-1)! - half[0]! <= (each / rate) * 1000);
  },
);

describe('fifo', () => {
  test('keeps the order of publishing across failures, and another endpoint waits for nothing', async (t) => {
    const failures = new Map<string, number>();
    const at = await receiver(t, ({ path, headers }) => {
      const key = `${path} ${String(headers['webhook-id'])}`;
      const before = failures.get(key) ?? 0;
      failures.set(key, before + 1);
      return path === '/shaky' && Number(String(headers['webhook-id']).split('-')[1]) % 3 === 0 && before < 2
        ? 500
        : 204;
    });
    const timers = virtualTimers();
    const server = await serveOn(t, timers, { fifo: true, retries: ['1m', '1m', '1m'] });
    await server.register(`${at.url}/shaky`);
    await server.register(`${at.url}/steady`);
    const ids = (
      await Promise.all(Array.from({ length: 200 }, (_, i) => server.publish('news', `${i}`)))
    ).map(({ id }) => id);
    await until(
      'the steady one has all',
      () => at.got.filter(({ path }) => path === '/steady').length === 200,
    );
    const limitMs = performance.now() + 20_000;
    while ((await server.stats()).depth > 0) {
      assert.ok(performance.now() < limitMs, 'not within 20 s');
      if (timers.waiting() > 0) timers.next();
      await sleep(2);
    }
    for (const path of ['/shaky', '/steady']) {
      const order = at.got.filter((one) => one.path === path).map(({ headers }) => headers['webhook-id']);
      assert.deepEqual(
        order.filter((id, i) => order[i - 1] !== id),
        ids,
        path,
      );
    }
    assert.equal(at.got.filter(({ path }) => path === '/shaky').length, 200 + 2 * 66);
  });

  test('goes on after a delivery is given up', async (t) => {
    const at = await receiver(t, (_, count) => (count === 1 ? 500 : 204));
    const server = await serveOn(t, realTimers, { fifo: true, retries: [] });
    await server.register(at.url);
    await Promise.all(Array.from({ length: 3 }, () => server.publish('news')));
    await until('the others came', () => at.got.length === 3);
  });
});

describe('time', () => {
  const rows: [
    what: string,
    options: Record<string, unknown>,
    answer: 'nothing' | 'head' | 'endless',
    failure: RegExp,
  ][] = [
    ['to the answer', { headersTimeout: '50ms' }, 'nothing', /no answer within 50 ms/],
    ['to the last byte', { timeout: '50ms' }, 'head', /no whole answer within 50 ms/],
  ];
  for (const [what, options, answer, failure] of rows) {
    test(`${what} is bounded`, async (t) => {
      const { url } = await bareReceiver(
        t,
        (socket) =>
          void (answer === 'head' && socket.write('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nab')),
      );
      const server = await serveOn(t, realTimers, { retries: [], ...options });
      const { id } = await server.register(url);
      await server.publish('news');
      await until('it failed', () => server.counters.errors === 1);
      assert.match((await server.endpoint(id)).lastFailure!, failure);
    });
  }
});
