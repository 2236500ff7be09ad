// What happens to deliveries that fail for good, seen through the HTTP API: dead letters, replay, recovery,
// endpoints that are disabled and enabled, the breaker, the log of attempts, restarts.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'vitest';
import { createEventSource } from './events.ts';
import { bareReceiver, receiver, until } from '../receivers.ts';
import { virtualTimers, type VirtualTimers } from '../virtual-timers.ts';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { serveOn } from './client.ts';
import { serveFailing } from './failing-store.ts';

const day = 86_400_000;

/** Goes through time until `holds`, a pause of the event loop between two timers. */
async function pass(timers: VirtualTimers, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limitMs = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > limitMs) throw new Error('not within 20 s of real time');
    if (timers.waiting() > 0) timers.next();
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

function databaseFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store.db');
}

describe('a delivery that is given up', () => {
  test('is a dead letter with its log, and is delivered when it is replayed', async (t) => {
    let healthy = false;
    const at = await receiver(t, () => (healthy ? 204 : 503));
    const timers = virtualTimers();
    const server = await serveOn(t, timers, { retries: ['1m', '5m'] });
    const { id } = await server.register(at.url);
    const event = await server.publish('news', '{"n":1}');
    await pass(timers, async () => (await server.deliveries('?state=exhausted')).deliveries.length === 1);

    const [dead] = (await server.deliveries('?state=exhausted')).deliveries;
    assert.deepEqual(
      [dead!.endpoint, dead!.event, dead!.topic, dead!.attempts, dead!.lastStatus],
      [id, event.id, 'news', 3, 503],
    );
    const detail = await server.delivery(dead!.id);
    assert.equal(detail.body, event.json);
    assert.deepEqual(
      detail.attemptLog.map(({ attempt, status }) => [attempt, status]),
      [
        [1, 503],
        [2, 503],
        [3, 503],
      ],
    );
    const times = detail.attemptLog.map((one) => Date.parse(one.at));
    assert.deepEqual(
      times.map((ms) => ms - times[0]!),
      [0, 60_000, 360_000],
    );
    assert.equal(detail.attemptLog[0]!.nextAttemptAt, detail.attemptLog[1]!.at);
    assert.equal(detail.attemptLog[2]!.nextAttemptAt, undefined);

    healthy = true;
    assert.equal((await server.replay(dead!.id)).state, 'pending');
    await pass(timers, async () => (await server.delivery(dead!.id)).state === 'delivered');
    assert.deepEqual(new Set(at.got.map(({ headers }) => headers['webhook-id'])), new Set([event.id]));
    const again = await server.call('POST', '/webhooks/deliveries/999/replay');
    assert.equal(again.status, 404);
    const stats = await server.stats();
    assert.deepEqual([stats.depth, stats.exhausted, stats.delivered, stats.attempts], [0, 1, 1, 4]);
    assert.equal(stats.attemptsPerDelivery, 2, 'three to its death, one after the replay');
  });

  test('is announced on a topic of its own, but not when that announcement itself fails', async (t) => {
    const at = await receiver(t, () => 500);
    const timers = virtualTimers();
    const server = await serveOn(t, timers, { retries: [] });
    await server.register(at.url, ['news', 'webhook.delivery.exhausted']);
    await server.publish('news');
    await until('the event and its obituary came', () => at.got.length === 2);
    await pass(timers, async () => (await server.stats()).exhausted === 2);
    assert.equal(at.got.length, 2);
    assert.match(at.got[1]!.body, /"topic":"webhook.delivery.exhausted"/);
  });

  test('keeps the first bytes of the answer in the log', async (t) => {
    const body = 'x'.repeat(5000);
    const { url } = await bareReceiver(t, (socket) =>
      socket.write(`HTTP/1.1 500 No\r\ncontent-length: ${body.length}\r\n\r\n${body}`),
    );
    const server = await serveOn(t, virtualTimers(), { retries: [] });
    await server.register(url);
    await server.publish('news');
    await until('given up', () => server.counters.errors === 1);
    await pass(virtualTimers(), async () => (await server.stats()).depth === 0);
    const { attemptLog } = await server.delivery('1');
    assert.equal(attemptLog[0]!.answer, body.slice(0, 2048));
    assert.equal(attemptLog[0]!.truncated, true);
  });
});

test('recovery sends exactly what failed within its range, to that endpoint alone', async (t) => {
  let healthy = false;
  const at = await receiver(t, ({ path }) => (healthy || path === '/other' ? 204 : 500));
  const timers = virtualTimers();
  const server = await serveOn(t, timers, { retries: [] });
  const { id } = await server.register(`${at.url}/one`);
  await server.register(`${at.url}/other`);
  const marks: number[] = [];
  const ids: string[] = [];
  for (let i = 0; i < 6; i++) {
    marks.push(timers.nowMs());
    ids.push((await server.publish('news', `${i}`)).id);
    await until('both answered', () => at.got.length === (i + 1) * 2);
    await pass(timers, async () => (await server.stats()).depth === 0);
    timers.after(3_600_000, () => {});
    timers.next();
  }
  healthy = true;
  at.got.length = 0;
  const range = { since: new Date(marks[1]!).toISOString(), until: new Date(marks[4]!).toISOString() };
  assert.deepEqual(await server.recover(id, range), { recovered: 3, more: false });
  await pass(timers, async () => (await server.stats()).depth === 0);
  assert.deepEqual(
    at.got.map(({ path, headers }) => [path, headers['webhook-id']]).sort(),
    ids
      .slice(1, 4)
      .map((event) => ['/one', event])
      .sort(),
  );
  assert.deepEqual(await server.recover(id, range), { recovered: 0, more: false });
});

test('recovery takes ten thousand at once and says that there are more', async (t) => {
  const at = await receiver(t);
  const server = await serveOn(t, virtualTimers(), { store: 'memory' });
  const { id } = await server.register(at.url);
  await server.change(id, { enabled: false });
  await Promise.all(Array.from({ length: 10_001 }, () => server.publish('news')));
  const range = { since: new Date(0).toISOString() };
  await server.change(id, { enabled: true });
  assert.deepEqual(await server.recover(id, range), { recovered: 10_000, more: true });
  assert.deepEqual(await server.recover(id, range), { recovered: 1, more: false });
  await server.change(id, { enabled: false });
});

test('a replay begins the schedule anew', async (t) => {
  const at = await receiver(t, () => 500);
  const timers = virtualTimers();
  const server = await serveOn(t, timers, { retries: ['1m', '5m'] });
  await server.register(at.url);
  await server.publish('news');
  await pass(timers, async () => (await server.stats()).exhausted === 1);
  const fromMs = timers.nowMs();
  await server.replay('1');
  await pass(timers, async () => (await server.stats()).exhausted === 2);
  const { attemptLog, attempts } = await server.delivery('1');
  assert.equal(attempts, 6);
  assert.deepEqual(
    attemptLog.map((one) => one.attempt),
    [1, 2, 3, 4, 5, 6],
  );
  assert.deepEqual(
    attemptLog.slice(3).map((one) => Date.parse(one.at) - fromMs),
    [0, 60_000, 360_000],
  );
});

test('what is published for a disabled endpoint is kept within the bound', async (t) => {
  const server = await serveOn(t, virtualTimers(), { keep: 10 });
  const { id } = await server.register('http://127.0.0.1:9/');
  await server.change(id, { enabled: false });
  await Promise.all(Array.from({ length: 500 }, () => server.publish('news')));
  const { deliveries } = await server.deliveries('?limit=500');
  assert.ok(deliveries.length >= 10 && deliveries.length < 100, `${deliveries.length} are kept`);
  assert.equal(deliveries[0]!.id, '500');
});

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

  test('after five days without success, and one success in between starts them anew', async (t) => {
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

test('what a server leaves behind, the next one on the same file goes on with', async (t) => {
  const file = databaseFile(t);
  let healthy = false;
  const at = await receiver(t, () => (healthy ? 204 : 500));
  const timers = virtualTimers();
  const first = await serveOn(t, timers, { store: 'sqlite', file, retries: ['1h', '1h'] });
  const { id } = await first.register(at.url);
  const ids = (await Promise.all([0, 1, 2].map((i) => first.publish('news', `${i}`)))).map(({ id }) => id);
  await until('all failed', () => first.counters.errors === 3);
  await pass(virtualTimers(), async () => (await first.stats()).underWay === 0);
  await first.close();

  healthy = true;
  const second = await serveOn(t, timers, { store: 'sqlite', file, retries: ['1h', '1h'] });
  assert.equal(second.running.subscribers(), 1);
  assert.equal((await second.endpoint(id)).pending, 3);
  assert.equal(at.got.length, 3, 'nothing is due yet');
  await pass(timers, async () => (await second.stats()).depth === 0);
  assert.deepEqual(
    at.got
      .slice(3)
      .map(({ headers }) => headers['webhook-id'])
      .sort(),
    [...ids].sort(),
  );
  assert.deepEqual(
    at.got.slice(3).map(({ headers }) => headers['pushbench-attempt']),
    ['2', '2', '2'],
  );
  const third = await second.publish('news');
  await until('it still follows its topic', () =>
    at.got.some(({ headers }) => headers['webhook-id'] === third.id),
  );
});

test('a test event goes to its endpoint alone, and the stream tells of it', async (t) => {
  const at = await receiver(t);
  const server = await serveOn(t, virtualTimers());
  const { id } = await server.register(`${at.url}/one`);
  await server.register(`${at.url}/two`);
  const messages = await createEventSource(t, `${server.url}/webhooks/stream`);
  const delivery = await server.sendTest(id);
  await until('told', () => messages.some((one) => one.kind === 'attempt'));
  assert.deepEqual(
    at.got.map(({ path }) => path),
    ['/one'],
  );
  const told = messages.find((one) => one.kind === 'attempt')!;
  assert.deepEqual(
    [told.delivery.id, told.delivery.state, told.delivery.topic, told.attempt.status],
    [delivery.id, 'delivered', 'webhook.test', 204],
  );
  await server.change(id, { enabled: false });
  await until('told of it', () =>
    messages.some((one) => one.kind === 'endpoint' && one.change === 'disabled'),
  );
  assert.equal((await server.call('POST', `/webhooks/${id}/test`)).status, 409);
});

test('lists come in pages, newest first, and by filter', async (t) => {
  const at = await receiver(t, ({ path }) => (path === '/dead' ? 500 : 204));
  const server = await serveOn(t, virtualTimers(), { retries: [] });
  const { id } = await server.register(`${at.url}/live`, ['a', 'b']);
  const dead = await server.register(`${at.url}/dead`, ['a']);
  await Promise.all(Array.from({ length: 25 }, (_, i) => server.publish(i % 2 === 0 ? 'a' : 'b', `${i}`)));
  await pass(virtualTimers(), async () => (await server.stats()).depth === 0 && at.got.length === 38);
  const seen: string[] = [];
  for (let cursor = ''; ;) {
    const page = await server.deliveries(`?endpoint=${id}&limit=10${cursor}`);
    seen.push(...page.deliveries.map((one) => one.id));
    if (page.nextCursor === undefined) break;
    cursor = `&cursor=${page.nextCursor}`;
  }
  assert.equal(seen.length, 25);
  assert.deepEqual(
    seen,
    [...new Set(seen)].sort((a, b) => Number(b) - Number(a)),
  );
  assert.equal((await server.deliveries(`?endpoint=${dead.id}&state=exhausted`)).deliveries.length, 13);
  assert.equal((await server.deliveries('?state=delivered&limit=500')).deliveries.length, 25);
  assert.equal((await server.deliveries('?state=pending')).deliveries.length, 0);
  const events = await server.events('?topic=a');
  assert.deepEqual([events.events.length, events.events[0]!.deliveries], [13, 2]);
  assert.equal((await server.deliveries(`?event=${events.events[0]!.id}`)).deliveries.length, 2);
  assert.deepEqual((await server.endpoints('?limit=1')).nextCursor, '1');
  for (const query of ['?limit=0', '?limit=9999', '?state=lost', '?cursor=x', '?what=1'])
    assert.equal((await server.call('GET', `/webhooks/deliveries${query}`)).status, 400, query);
});

test('a test event that is stored together with a replay counts once among what is pending', async (t) => {
  const at = await receiver(t, (_, count) => (count === 1 ? 500 : 204));
  const { service, register, publish, stats } = await serveFailing(t, realTimers, { retries: [] });
  const { id } = await register(at.url);
  await publish();
  while ((await stats()).exhausted === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  const endpoint = service.endpoints.get(id)!;
  await Promise.all([service.replay(1, endpoint), service.sendTest(endpoint)]);
  while ((await stats()).delivered < 2) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.equal(service.pending(endpoint), 0);
});
