// Checks what happens to deliveries that fail for good, seen through the HTTP API: dead letters, replay,
// recovery.

import assert from 'node:assert/strict';
import { describe, test, vi } from 'vitest';
import { bareReceiver, receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { serveOn } from './client.ts';
import { serveFailing } from './failing-store.ts';
import { pass } from './passing-time.ts';

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

test('a replay begins the schedule again', async (t) => {
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

test('what was made and forgotten before it could be read is answered as it was accepted', async (t) => {
  const at = await receiver(t, () => 500);
  const server = await serveFailing(t, realTimers, { retries: [] });
  const { id } = await server.register(at.url);
  await server.publish();
  while ((await server.stats()).exhausted === 0) await new Promise((resolve) => setTimeout(resolve, 2));
  const dead = server.database.delivery(1);
  const read = vi.spyOn(server.database, 'delivery').mockReturnValue(undefined);
  const sent = await server.sendTest(id);
  assert.deepEqual(
    [sent.id, sent.endpoint, sent.topic, sent.state, sent.attempts],
    ['2', id, 'webhook.test', 'pending', 0],
  );
  read.mockReturnValueOnce(dead);
  const replayed = await server.replay('1');
  assert.deepEqual([replayed.id, replayed.state, replayed.settledAt], ['1', 'pending', undefined]);
  read.mockImplementation(() => assert.fail('it cannot be read'));
  assert.equal((await server.sendTest(id)).id, '3');
});
