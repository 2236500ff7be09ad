// Checks what the HTTP API tells of deliveries: lists, what a server leaves to the next, test events on the
// stream.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'vitest';
import { createEventSource } from './events.ts';
import { receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { serveOn } from './client.ts';
import { pass } from './passing-time.ts';

function databaseFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store.db');
}

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
