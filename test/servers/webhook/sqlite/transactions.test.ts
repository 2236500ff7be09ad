// Checks which writes share a fate, and what becomes of them when the database takes nothing.

import assert from 'node:assert/strict';
import { test, vi } from 'vitest';
import { openDatabase } from '../../../../servers/webhook/sqlite/database.ts';
import { failingStore, full } from '../failing-store.ts';
import { newFile, newStore } from './new-database.ts';

test('what is written together is committed together, and durable when told so', async (t) => {
  const file = newFile(t);
  const store = openDatabase(file);
  t.onTestFinished(() => store.close());
  const endpoint = {
    key: 0,
    id: 'ep_1',
    config: '{}',
    createdMs: 0,
    disabled: undefined,
    failures: 0,
    failingSinceMs: undefined,
  };
  store.saveEndpoint(endpoint);
  const first = store.committed();
  store.publish(
    { id: 'e-1', topic: 'news', body: '1', bodyBytes: 1 },
    [{ key: endpoint.key, state: 'pending' }],
    1,
  );
  assert.equal(store.committed(), first);
  assert.equal(store.db.isTransaction, true);
  await first;
  assert.equal(store.db.isTransaction, false);
});

test('a full database refuses a unit as a whole and keeps records until there is room', async (t) => {
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const { store, endpoint, publish } = newStore(t);
  const [first, second] = [publish(1), publish(2)];
  await store.committed();
  const { page_count: pages } = store.db.prepare('PRAGMA page_count').get() as { page_count: number };
  store.db.exec(`PRAGMA max_page_count = ${pages}`);
  const large = 'x'.repeat(100_000);
  const refused = store.submit('publication', {
    work: () =>
      store.publish(
        { id: 'e-3', topic: 'news', body: large, bodyBytes: large.length },
        [{ key: endpoint.key, state: 'pending' }],
        3,
      ),
  });
  await assert.rejects(refused, { status: 503, code: 'store-full' });
  assert.deepEqual([store.pending(), store.unsaved(), store.events({ limit: 9 }).length], [2, 0, 2]);

  const task = (id: number) => ({
    id,
    endpoint: endpoint.key,
    message: { id: '', topic: '', body: '', bodyBytes: 1 },
    attempts: 0,
    spent: 0,
    createdMs: 0,
    dueMs: 0,
  });
  const attempt = (answer: string) => ({
    attempt: 1,
    atMs: 1,
    latencyMs: 1,
    status: 204,
    failure: undefined,
    answer,
    truncated: false,
    nextMs: undefined,
  });
  store.settle(task(first!), attempt(large), 'delivered'); // does not fit even before it is committed
  store.settle(task(second!), attempt(''), 'delivered');
  assert.equal(store.unsaved(), Infinity, 'reads do not see them all');
  await assert.rejects(store.committed(), { code: 'store-full' });
  await assert.rejects(store.submit('change', { work: () => store.replay(first!, 5) }), {
    code: 'store-full',
  });
  store.db.exec('PRAGMA max_page_count = 100000');
  await store.recovered();
  assert.deepEqual([store.pending(), store.unsaved()], [0, 0]);
  assert.deepEqual(
    store.list({ limit: 9 }).map(({ state }) => state),
    ['delivered', 'delivered'],
  );
  assert.equal(store.delivery(first!)!.attempts[0]!.answer, large);
});

test('a change that is refused for a reason of its own takes no other with it', async (t) => {
  const { store, endpoint } = newStore(t);
  const message = (n: number) => ({ id: `e-${n}`, topic: 'news', body: '1', bodyBytes: 1 });
  const undone: string[] = [];
  const results = await Promise.allSettled([
    store.submit('change', {
      work: () => store.publish(message(1), [{ key: endpoint.key, state: 'pending' }], 1),
      undo: () => undone.push('first'),
    }),
    store.submit('change', {
      work() {
        store.publish(message(2), [{ key: endpoint.key, state: 'pending' }], 1);
        throw new Error('not this one');
      },
      undo: () => undone.push('second'),
    }),
    store.submit('publication', {
      work: () => store.publish(message(3), [{ key: endpoint.key, state: 'pending' }], 1),
      undo: () => undone.push('third'),
    }),
  ]);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.deepEqual([undone, store.pending()], [['second'], 2]);
  assert.deepEqual(
    store.events({ limit: 9 }).map(({ id }) => id),
    ['e-1', 'e-3'],
  ); // publications come first
});

test('what cannot be stored when the process ends is told, and the store closes all the same', async (t) => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  const file = newFile(t);
  const { database: store, failWith } = failingStore(file);
  const endpoint = {
    key: 0,
    id: 'ep_1',
    config: '{}',
    createdMs: 0,
    disabled: undefined,
    failures: 0,
    failingSinceMs: undefined,
  };
  store.saveEndpoint(endpoint);
  const [id] = store.publish(
    { id: 'e-1', topic: 'news', body: '1', bodyBytes: 1 },
    [{ key: endpoint.key, state: 'pending' }],
    1,
  );
  await store.committed();
  failWith(full);
  const task = {
    id: id!,
    endpoint: endpoint.key,
    message: { id: '', topic: '', body: '', bodyBytes: 1 },
    attempts: 0,
    spent: 0,
    createdMs: 0,
    dueMs: 0,
  };
  store.settle(
    task,
    {
      attempt: 1,
      atMs: 1,
      latencyMs: 1,
      status: 204,
      failure: undefined,
      answer: '',
      truncated: false,
      nextMs: undefined,
    },
    'delivered',
  );
  await store.close();
  assert.match(
    String(told.mock.calls.at(-1)![0]),
    /store\.db: 1 outcomes could not be stored; those attempts are made again at the next start/,
  );
  const again = openDatabase(file);
  assert.deepEqual(
    again.fresh(endpoint.key, 0, 9).map((one) => one.id),
    [id],
  );
  await again.close();
});

test('what is asked of a store that was closed is refused', async () => {
  const store = openDatabase(':memory:');
  await store.close();
  let undone = 0;
  await assert.rejects(store.submit('change', { work: assert.fail, undo: () => undone++ }), {
    status: 503,
    code: 'closing',
  });
  assert.equal(undone, 1);
});
