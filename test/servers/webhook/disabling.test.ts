// Checks when an endpoint gets no more attempts, for good or for a while: the rules that disable it and the
// breaker, over days that pass in a moment.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { serveOn } from './client.ts';
import { pass } from './passing-time.ts';

const day = 86_400_000;

describe('an endpoint is disabled', () => {
  test(
    'after a hundred failures in a row; what came ' + 'meanwhile is recovered once it is enabled',
    async (t) => {
      let healthy = false;
      const at = await receiver(t, ({ path }) => (healthy || path === '/operator' ? 204 : 500));
      const timers = virtualTimers();
      const server = await serveOn(t, timers, { retries: [], disable: 'after-100-failures', concurrency: 8 });
      const { id } = await server.register(`${at.url}/hook`);
      await server.register(`${at.url}/operator`, ['webhook.endpoint.disabled', 'webhook.endpoint.enabled']);
      const fromMs = timers.nowMs();
      await Promise.all(Array.from({ length: 120 }, (_, i) => server.publish('news', `${i}`)));
      await pass(
        timers,
        async () =>
          (await server.endpoint(id)).disabled !== undefined && (await server.stats()).underWay === 0,
      );
      assert.equal((await server.endpoint(id)).disabled, '100 attempts in a row failed');
      await server.publish('news', '"while it was disabled"');
      await until('the operator was told', () => at.got.some(({ path }) => path === '/operator'));
      const before = at.got.length;
      const refused = await server.call('POST', `/webhooks/${id}/recover`, {
        since: new Date(fromMs).toISOString(),
      });
      assert.equal(refused.status, 409);

      healthy = true;
      await server.change(id, { enabled: true });
      const { recovered } = await server.recover(id, { since: new Date(fromMs).toISOString() });
      assert.equal(recovered, 121);
      await pass(timers, async () => (await server.stats()).depth === 0);
      const came = at.got.slice(before).filter(({ path }) => path === '/hook');
      assert.equal(new Set(came.map(({ headers }) => headers['webhook-id'])).size, 121);
      assert.equal((await server.endpoint(id)).disabled, undefined);
      assert.ok(at.got.some(({ body }) => body.includes('webhook.endpoint.enabled')));
    },
  );

  test('after five days without success, and one success in between starts them again', async (t) => {
    let answer = 500;
    const at = await receiver(t, () => answer);
    const timers = virtualTimers();
    const server = await serveOn(t, timers, {
      retries: Array.from({ length: 20 }, () => '12h'),
      disable: 'after-5-days',
    });
    const { id } = await server.register(at.url);
    const fromMs = timers.nowMs();
    await server.publish('news');
    await pass(timers, () => timers.nowMs() - fromMs >= 4 * day);
    answer = 204;
    await pass(timers, async () => (await server.stats()).depth === 0);
    answer = 500;
    const againMs = timers.nowMs();
    await server.publish('news');
    await pass(timers, async () => (await server.endpoint(id)).disabled !== undefined);
    assert.equal((await server.endpoint(id)).disabled, 'every attempt of five days failed');
    assert.equal(timers.nowMs() - againMs, 5 * day);
  });
});

test('three days of a policy run in a moment, each attempt at its time', async (t) => {
  const at = await receiver(t, () => 500);
  const timers = virtualTimers();
  const server = await serveOn(t, timers, { retries: 'stripe-like' });
  await server.register(at.url);
  const fromMs = timers.nowMs();
  await server.publish('news');
  await pass(timers, async () => (await server.stats()).exhausted === 1);
  assert.equal(at.got.length, 16);
  const lengthMs = timers.nowMs() - fromMs;
  assert.ok(lengthMs > 64 * 3_600_000 && lengthMs <= 3 * day, `${lengthMs} ms`);
});

test(
  'an open breaker spares the endpoint, tries it once when ' + 'its time is over, and closes on success',
  async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 500));
    const timers = virtualTimers();
    const server = await serveOn(t, timers, {
      retries: Array.from({ length: 30 }, () => '40s'),
      breaker: true,
      concurrency: 8,
    });
    const { id } = await server.register(at.url);
    await Promise.all(Array.from({ length: 10 }, (_, i) => server.publish('news', `${i}`)));
    await until('it opened', () => at.got.length === 10);
    await pass(virtualTimers(), async () => (await server.endpoint(id)).breaker === 'open');
    await Promise.all(Array.from({ length: 50 }, (_, i) => server.publish('news', `${i}`)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(at.got.length, 10, 'none while it is open');
    const openedMs = timers.nowMs();
    timers.next();
    await until('one tries', () => at.got.length === 11);
    assert.equal(timers.nowMs() - openedMs, 30_000);
    await pass(virtualTimers(), async () => (await server.stats()).underWay === 0);
    assert.equal(at.got.length, 11, 'it failed, and there is peace again');
    healthy = true;
    await pass(timers, async () => (await server.stats()).depth === 0);
    assert.equal((await server.endpoint(id)).breaker, 'closed');
    assert.equal((await server.stats()).delivered, 60);
  },
);

test('disabled and enabled again and again, it gets what is under way once, in its order', async (t) => {
  const answer = Promise.withResolvers<number>();
  const at = await receiver(t, (_, count) => (count === 1 ? answer.promise : 204));
  const server = await serveOn(t, realTimers, { fifo: true });
  const { id } = await server.register(at.url);
  const first = await server.publish('news');
  await until('it is under way', () => at.got.length === 1);
  for (let i = 0; i < 3; i++) {
    await server.change(id, { enabled: false });
    await server.change(id, { enabled: true });
  }
  const second = await server.publish('news');
  assert.deepEqual([(await server.stats()).depth, (await server.stats()).underWay], [2, 1]);
  answer.resolve(204);
  await until('the second came', () => at.got.length === 2);
  assert.deepEqual(
    at.got.map(({ headers }) => headers['webhook-id']),
    [first.id, second.id],
  );
  await until('both are entered', () => server.counters.deliveryRequests === 2);
  while ((await server.stats()).underWay > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { depth, delivered } = await server.stats();
  assert.deepEqual([depth, delivered], [0, 2]);
});
