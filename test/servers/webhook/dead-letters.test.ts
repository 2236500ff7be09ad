// Dead letters are a gauge: one more when a delivery is given up, one less when it is replayed, recovered or
// pruned, or its endpoint is removed; and the same after a restart and a refusal. A success clears the last
// failure.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { receiver } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { serveOn } from './client.ts';
import { pass } from './passing-time.ts';
import { newStore } from './sqlite/new-database.ts';

test('the gauge falls by replay, by recovery and by removal, and outlives a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  const options = { retries: [], store: 'sqlite', file: join(folder, 'store.db') };
  let status = 500;
  const at = await receiver(t, () => status);
  const timers = virtualTimers();
  let server = await serveOn(t, timers, options);
  const dead = async () => (await server.stats()).deadLetters;
  const [one, two] = [await server.register(`${at.url}/1`), await server.register(`${at.url}/2`)];
  for (let i = 0; i < 3; i++) await server.publish('news');
  await pass(timers, async () => (await dead()) === 6);
  await server.close();
  server = await serveOn(t, timers, options);
  assert.equal(await dead(), 6);
  assert.equal((await server.stats()).exhausted, 0, 'the count of this server began again');

  const [letter] = (await server.deliveries(`?state=exhausted&endpoint=${one.id}`)).deliveries;
  status = 204;
  await server.replay(letter!.id);
  assert.equal(await dead(), 5);
  await server.recover(one.id, { since: new Date(0).toISOString() });
  assert.equal(await dead(), 3);
  await server.remove(two.id);
  assert.equal(await dead(), 0);
  assert.equal(
    (await server.deliveries('?state=exhausted')).deliveries.length,
    3,
    'they are listed all the same',
  );
  await pass(timers, async () => (await server.stats()).depth === 0);
  assert.equal(await dead(), 0);
});

test('pruned ones count no more, cancelled ones never did, removed ones not twice', (t) => {
  const { store, endpoint, publish, settle } = newStore(t);
  const ids = Array.from({ length: 6 }, (_, i) => publish(i + 1));
  for (const id of ids.slice(0, 4)) settle(id, 'exhausted');
  settle(ids[4]!, 'delivered');
  assert.equal(store.cancel(endpoint.key, 9, new Set(), false).length, 1);
  assert.equal(store.deadLetters(), 4);
  assert.equal(store.prune(-1, 4, 100), 2);
  assert.equal(store.deadLetters(), 2);
  store.removeEndpoint(endpoint.key);
  assert.equal(store.deadLetters(), 0);
  assert.equal(store.prune(-1, 0, 100), 4);
  assert.equal(store.deadLetters(), 0);
});

test('a replay that the store refuses leaves the gauge as it was', async (t) => {
  const { store, publish, settle } = newStore(t);
  settle(publish(1), 'exhausted');
  await store.committed();
  const refused = store.submit('change', {
    work() {
      store.replay(1, 5);
      throw new Error('thought better of it');
    },
  });
  await assert.rejects(refused, /thought better/);
  assert.equal(store.deadLetters(), 1);
  await store.submit('change', { work: () => store.replay(1, 5) });
  assert.equal(store.deadLetters(), 0);
});

test('a success clears the last failure of its endpoint', async (t) => {
  let status = 500;
  const at = await receiver(t, () => status);
  const timers = virtualTimers();
  const server = await serveOn(t, timers, { retries: [] });
  const { id } = await server.register(at.url);
  await server.publish('news');
  await pass(timers, async () => (await server.endpoint(id)).lastFailure === 'answered 500');
  status = 204;
  await server.publish('news');
  await pass(timers, async () => (await server.endpoint(id)).delivered === 1);
  assert.equal((await server.endpoint(id)).lastFailure, undefined);
  const trend = (await server.call('GET', '/webhooks/trend')).body as { buckets: object[] };
  assert.deepEqual(
    trend.buckets.map((bucket) => ({ ...bucket, from: '', p50Ms: 0, p95Ms: 0 })),
    [{ from: '', attempts: 2, succeeded: 1, answered: 2, p50Ms: 0, p95Ms: 0 }],
  );
});
