// The embedded store: every statement uses an index, a database is one server's, pruning removes what
// nobody needs and nothing else.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test, type TestContext, vi } from 'vitest';
import { statements } from '../../../../servers/webhook/sqlite/schema.ts';
import { openDatabase } from '../../../../servers/webhook/sqlite/database.ts';
import { skipWhen } from '../../../skip.ts';
import { failingStore, full } from '../failing-store.ts';

function newFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
  t.onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'store.db');
}

function newStore(t: TestContext) {
  const store = openDatabase(':memory:');
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
  const publish = (n: number, nowMs = n) =>
    store.publish(
      { id: `e-${n}`, topic: 'news', body: `${n}`, bodyBytes: 1 },
      [{ key: endpoint.key, state: 'pending' }],
      nowMs,
    )[0]!;
  const settle = (id: number, state: 'delivered' | 'exhausted' | 'pending', nextMs?: number) => {
    const task = {
      id,
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
        nextMs,
      },
      state,
    );
  };
  return { store, endpoint, publish, settle };
}

describe('SQLite walks over no table for', () => {
  for (const [name, text] of Object.entries(statements)) {
    test(name, (t) => {
      const { store } = newStore(t);
      const plan = (store.db.prepare(`EXPLAIN QUERY PLAN ${text}`).all() as { detail: string }[]).map(
        ({ detail }) => detail,
      );
      // The first row of the index of pending rows is all that `oldest` reads of it.
      const walks = plan.filter(
        (detail) =>
          detail.startsWith('SCAN') &&
          !(name === 'oldest' && detail === 'SCAN deliveries USING INDEX pending'),
      );
      assert.deepEqual(walks, [], plan.join('; '));
      assert.ok(!plan.some((detail) => detail.includes('TEMP B-TREE')), plan.join('; '));
    });
  }
});

test("a database is one server's, and of one version", async (t) => {
  const file = newFile(t);
  const store = openDatabase(file);
  assert.throws(() => openDatabase(file), /locked/);
  await store.close();
  const db = new DatabaseSync(file);
  db.exec('PRAGMA user_version = 99');
  db.close();
  assert.throws(() => openDatabase(file), /written as version 99; this pushbench reads version 2/);
});

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

test(
  'pruning removes the oldest that are settled, with their attempts ' +
    'and events, and never one that is pending',
  (t) => {
    const { store, publish, settle } = newStore(t);
    const ids = Array.from({ length: 10 }, (_, i) => publish(i + 1));
    for (const id of ids) if (id !== 3) settle(id, id === 5 ? 'exhausted' : 'delivered');
    assert.equal(store.prune(-1, 4, 100), 5);
    assert.deepEqual(
      store.list({ limit: 100 }).map(({ id }) => id),
      [10, 9, 8, 7, 3],
    );
    assert.deepEqual(
      store.events({ limit: 100 }).map(({ id }) => id),
      ['e-10', 'e-9', 'e-8', 'e-7', 'e-3'],
    );
    assert.equal((store.db.prepare('SELECT count(*) AS n FROM attempts').get() as { n: number }).n, 4);
    assert.equal(store.prune(8, 100, 100), 1); // by age: the seventh
    assert.deepEqual(store.depth(), { pending: 1, oldestMs: 3 });
  },
);

test('pending deliveries in front do not keep those behind them from being pruned', (t) => {
  const { store, publish, settle } = newStore(t);
  const ids = Array.from({ length: 30 }, (_, i) => publish(i + 1));
  for (const id of ids.slice(10)) settle(id, 'delivered');
  let gone = 0;
  for (let round = 0; round < 10; round++) gone += store.prune(-1, 5, 5);
  assert.equal(gone, 15);
});

test(
  'a removed endpoint leaves no secret behind, and nothing at ' + 'all when its last delivery is pruned',
  (t) => {
    const { store, endpoint, publish, settle } = newStore(t);
    store.saveEndpoint({ ...endpoint, config: '{"secrets":["hidden"]}' });
    const rows = () => store.db.prepare('SELECT config FROM endpoints').all() as { config: string }[];
    const id = publish(1);
    settle(id, 'delivered');
    store.removeEndpoint(endpoint.key);
    assert.deepEqual(
      rows().map(({ config }) => config),
      ['{}'],
    );
    assert.deepEqual(store.endpoints(), []);
    assert.equal(store.list({ limit: 1 })[0]!.endpointId, 'ep_1');
    store.prune(-1, 0, 10);
    assert.deepEqual(rows(), []);
  },
);

test('only its owner reads the database, and the files beside it', async (t) => {
  skipWhen(t, process.platform === 'win32' && 'permissions are others there');
  const file = newFile(t);
  const store = openDatabase(file);
  store.saveEndpoint({
    key: 0,
    id: 'ep_1',
    config: '{}',
    createdMs: 0,
    disabled: undefined,
    failures: 0,
    failingSinceMs: undefined,
  });
  await store.committed();
  const folder = dirname(file);
  const files = readdirSync(folder);
  assert.ok(files.includes('store.db') && files.includes('store.db-wal'), files.join());
  for (const name of files) assert.equal(statSync(join(folder, name)).mode & 0o077, 0, name);
  await store.close();
});

test('a delivery that failed waits under its time, and a fresh one by its number', (t) => {
  const { store, endpoint, publish, settle } = newStore(t);
  for (let i = 1; i <= 4; i++) publish(i);
  settle(2, 'pending', 500);
  settle(1, 'pending', 900);
  assert.deepEqual(
    store.fresh(endpoint.key, 0, 10).map(({ id }) => id),
    [3, 4],
  );
  assert.deepEqual(
    store.waiting(endpoint.key, 10).map(({ id, dueMs, attempts }) => [id, dueMs, attempts]),
    [
      [2, 500, 1],
      [1, 900, 1],
    ],
  );
  assert.deepEqual(store.backlog(endpoint.key), { pending: 4, waiting: 2, bytes: 4 });
  settle(3, 'exhausted');
  assert.equal(store.replay(3, 700)!.dueMs, 700);
  assert.equal(store.replay(4, 700), undefined);
  assert.deepEqual(
    store.waiting(endpoint.key, 10).map(({ id }) => id),
    [2, 3, 1],
  );
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

test('the number of a delivery is not given again when all are pruned', (t) => {
  const { store, publish, settle } = newStore(t);
  const id = publish(1);
  settle(id, 'delivered');
  assert.equal(store.prune(-1, 0, 10), 1);
  assert.ok(publish(2) > id);
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
