// Checks the embedded database: every statement uses an index, it is one server's, pruning removes what
// nobody needs and nothing else.

import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, test } from 'vitest';
import { statements } from '../../../../servers/webhook/sqlite/schema.ts';
import { openDatabase } from '../../../../servers/webhook/sqlite/database.ts';
import { skipWhen } from '../../../skip.ts';
import { newFile, newStore } from './new-database.ts';

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

test('the number of a delivery is not given again when all are pruned', (t) => {
  const { store, publish, settle } = newStore(t);
  const id = publish(1);
  settle(id, 'delivered');
  assert.equal(store.prune(-1, 0, 10), 1);
  assert.ok(publish(2) > id);
});
