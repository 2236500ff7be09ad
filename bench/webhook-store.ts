// Measures the embedded store with a million deliveries in it: what publishing, listing, replaying and
// pruning take, and how large it is. There is no peer; the bound is that they stay in the milliseconds.

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '../core/policy/webhook/delivery.ts';
import { median } from '../core/base/median.ts';
import { openDatabase, type DeliveryDatabase } from '../servers/webhook/sqlite/database.ts';
import { body128 } from './tools.ts';

const deliveries = Number(process.env['PUSHBENCH_BENCH_DELIVERIES'] ?? 1_000_000);
const endpoints = 100;
const perEvent = 4;
const samples = 50;
/** A backlog that an endpoint has built up. */
const behind = 100_000;

export async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'pushbench-store-'));
  const file = join(folder, 'store.db');
  const store = openDatabase(file);
  try {
    const keys = Array.from({ length: endpoints }, (_, i) => {
      const endpoint = {
        key: 0,
        id: `ep_${i}`,
        config: '{}',
        createdMs: 0,
        disabled: undefined,
        failures: 0,
        failingSinceMs: undefined,
      };
      store.saveEndpoint(endpoint);
      return endpoint.key;
    });
    let events = 0;
    const publish = () => {
      const n = events++;
      const body =
        `{"id":"k3f9a1-${n}","topic":"news","seq":${n},"planned":123456789012,"sent":123456789012,` +
        `"accepted":123456789012,"body":${body128}}`;
      const receivers = Array.from({ length: perEvent }, (_, i) => ({
        key: keys[(n * perEvent + i) % endpoints]!,
        state: 'pending' as const,
      }));
      const ids = store.publish(
        { id: `k3f9a1-${n}`, topic: 'news', body, bodyBytes: body.length },
        receivers,
        n,
      );
      return ids.map((id, i): Task => ({
        id,
        endpoint: receivers[i]!.key,
        message: { id: '', topic: '', body: '', bodyBytes: 0 },
        attempts: 0,
        spent: 0,
        createdMs: n,
        dueMs: n,
      }));
    };
    const fromMs = performance.now();
    while (events * perEvent < deliveries) {
      for (let i = 0; i < 64; i++) {
        for (const task of publish()) {
          const dead = task.id % 1000 === 0;
          store.settle(
            task,
            {
              attempt: 1,
              atMs: task.createdMs,
              latencyMs: 1.5,
              status: dead ? 500 : 204,
              failure: undefined,
              answer: '',
              truncated: false,
              nextMs: undefined,
            },
            dead ? 'exhausted' : 'delivered',
          );
        }
      }
      await store.committed();
    }
    const filledS = (performance.now() - fromMs) / 1000;
    const total = events * perEvent;
    console.log(
      `${total} deliveries of ${events} events stored and settled: ${Math.round(total / filledS)} a ` +
        'second, 64 events a commit',
    );
    store.db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    console.log(
      `size: ${Math.round(statSync(file).size / total)} bytes per delivery, with one attempt and a share ` +
        `of its event (280 bytes, ${perEvent} deliveries an event)`,
    );

    await timeAll(store, keys, total, publish);
  } finally {
    await store.close();
    rmSync(folder, { recursive: true });
  }
}

/** Times each use of a store that holds `total` deliveries; `publish` adds one event to it. */
async function timeAll(
  store: DeliveryDatabase,
  keys: readonly number[],
  total: number,
  publish: () => unknown,
): Promise<void> {
  await time('publish one event to four endpoints, to the end of its commit', async () => {
    publish();
    await store.committed();
  });
  await time('list the newest 50', () => store.list({ limit: 50 }));
  await time('list 50 in the middle', () => store.list({ cursor: total >> 1, limit: 50 }));
  await time("list an endpoint's 50", () => store.list({ endpoint: keys[7], cursor: total >> 1, limit: 50 }));
  await time('list 50 dead letters', () => store.list({ state: 'exhausted', limit: 50 }));
  await time("list an endpoint's dead letters", () =>
    store.list({ state: 'exhausted', endpoint: keys[99], limit: 50 }),
  );
  await time('list 50 events', () => store.events({ limit: 50 }));
  await time('one delivery with its log', () => store.delivery(total >> 1));
  await time('depth and age of the oldest', () => store.depth());
  let id = 1;
  await time('replay one, to the end of its commit', async () => {
    store.replay(id++, total);
    await store.committed();
  });
  await time(
    "recover an endpoint's dead letters, to the end of the commit",
    async () => {
      store.recover(keys[99]!, 0, total, total, 10_000);
      await store.committed();
    },
    1,
  );
  for (let i = 0; i < behind; i += 100) {
    store.publish(
      { id: `behind-${i}`, topic: 'news', body: '{}', bodyBytes: 2 },
      Array.from({ length: 100 }, () => ({ key: keys[0]!, state: 'pending' as const })),
      total,
    );
  }
  await store.committed();
  await time(`list an endpoint's pending, with ${behind} of another's before them`, () =>
    store.list({ state: 'pending', endpoint: keys[1], limit: 50 }),
  );
  await time('prune 512 of the oldest, to the end of the commit', async () => {
    store.prune(-1, 10_000, 512);
    await store.committed();
  });
}

async function time(what: string, run: () => unknown, times = samples): Promise<void> {
  const ms: number[] = [];
  for (let i = 0; i < times; i++) {
    const from = performance.now();
    await run();
    ms.push(performance.now() - from);
  }
  console.log(
    `${what}: ${median(ms).toFixed(2)} ms${times > 1 ? `, at most ${Math.max(...ms).toFixed(1)}` : ''}`,
  );
}
