// The stores of a receiver against one contract: in memory, and the examples for SQL and Redis.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { describe, onTestFinished, test, type TestContext } from 'vitest';
import {
  createReceiver,
  createSeen,
  createStoredSequencer,
  sign,
  type DeliveryStore,
  type SequenceStore,
  type StoredSequenceOptions,
  type Step,
} from '../../receiver/index.ts';
import { noRedis, startRedis } from '../servers/webhook/redis/redis-server.ts';
import { skipWhen } from '../skip.ts';
import { good } from './odd-options.ts';

const rememberMs = 300;

type Example<Client, Name extends string> = {
  [Key in `${Name}Store`]: (client: Client, options: { rememberMs: number }) => DeliveryStore;
} & { [Key in `${Name}SequenceStore`]: (client: Client) => SequenceStore<number> };

const example = (name: string): Promise<unknown> =>
  import(new URL(`../../docs/examples/receiver-${name}.mjs`, import.meta.url).href);
// JavaScript, for every Node that the library runs on.
const { sqlStore, sqlSequenceStore } = (await example('sql')) as Example<DatabaseSync, 'sql'>;
const { redisStore, redisSequenceStore } = (await example('redis')) as Example<Redis, 'redis'>;

/** `reopened`: as another process sees it, or the same after a restart. */
type Opened = {
  store: DeliveryStore;
  sequence: SequenceStore<number>;
  reopened: () => Omit<Opened, 'reopened'>;
};

const opened: Record<string, (t: TestContext) => Promise<Opened>> = {
  async SQL() {
    const folder = mkdtempSync(join(tmpdir(), 'pushbench-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const open = () => {
      const db = new DatabaseSync(join(folder, 'webhooks.db'));
      onTestFinished(() => db.close());
      return { store: sqlStore(db, { rememberMs }), sequence: sqlSequenceStore(db) };
    };
    return { ...open(), reopened: open };
  },
  async Redis(t) {
    skipWhen(t, noRedis);
    const server = await startRedis();
    onTestFinished(() => server.stop());
    const open = () => {
      const redis = new Redis(server.url);
      onTestFinished(() => redis.disconnect());
      return { store: redisStore(redis, { rememberMs }), sequence: redisSequenceStore(redis) };
    };
    return { ...open(), reopened: open };
  },
};

async function keepsTheContract(store: DeliveryStore, other: DeliveryStore): Promise<void> {
  assert.equal(await store.begin('a', 60_000), 'new');
  assert.equal(await other.begin('a', 60_000), 'under-way');
  await store.forget('a');
  assert.equal(await other.begin('a', 60_000), 'new', 'after it was given back');
  await other.finish('a');
  await store.forget('a');
  assert.equal(await store.begin('a', 60_000), 'done', 'and stays so when it is given back');
  assert.equal(await store.begin('b', 20), 'new');
  await setTimeout(40);
  assert.equal(await other.begin('b', 60_000), 'new', 'after its lease');
  const claims = await Promise.all(
    Array.from({ length: 20 }, (_, i) => [store, other][i % 2]!.begin('c', 60_000)),
  );
  assert.equal(claims.filter((claim) => claim === 'new').length, 1, 'of many at once, one');
}

test('memory keeps the contract of a store', async () => {
  const seen = createSeen({ maxKeys: 100, maxAgeMs: 60_000 });
  await keepsTheContract(seen, seen);
});

describe.each(Object.entries(opened))('%s', (_name, open) => {
  test('keeps the contract of a store, between processes', async (t) => {
    const { store, reopened } = await open(t);
    await keepsTheContract(store, reopened().store);
  });

  test('forgets what was acted upon when its time is over', async (t) => {
    const { store } = await open(t);
    await store.begin('a', 60_000);
    await store.finish('a');
    assert.equal(await store.begin('a', 60_000), 'done');
    await setTimeout(rememberMs + 50);
    assert.equal(await store.begin('a', 60_000), 'new');
  });

  test('a receiver with it knows after a restart what was acted upon', async (t) => {
    const { store, reopened } = await open(t);
    let times = 0;
    const body = '{}';
    const headers = sign({ scheme: 'standard', secret: good.secrets[0]!, body });
    for (const one of [store, reopened().store]) {
      const receiver = createReceiver({ ...good, store: one, onDelivery: () => void times++ });
      assert.equal((await receiver.receive({ headers, body })).status, 204);
    }
    assert.equal(times, 1);
  });

  test('events come in order though processes end, and what was not acted upon comes again', async (t) => {
    const { sequence, reopened } = await open(t);
    const words: string[] = [];
    const clock = { nowMs: 1000 };
    let isBroken = false;
    const options = (store: SequenceStore<number>): StoredSequenceOptions<number> => ({
      store,
      maxHeld: 10,
      maxWaitMs: 500,
      first: 1,
      nowMs: () => clock.nowMs,
      onStep(step) {
        if (isBroken) throw new Error('the database is away');
        words.push(inWords(step));
      },
    });
    const one = createStoredSequencer(options(sequence));
    const other = createStoredSequencer(options(reopened().sequence));
    await one.accept('a', 1, 1);
    await one.accept('a', 3, 3);
    await other.accept('b', 2, 2);
    await other.accept('a', 3, 3);
    isBroken = true;
    await assert.rejects(other.accept('a', 2, 2), /the database is away/);
    isBroken = false;
    await other.accept('a', 2, 2);
    assert.deepEqual(words, ['a event 1', 'a repeated 3', 'a event 2', 'a event 3']);
    clock.nowMs = 1499;
    await one.tick();
    clock.nowMs = 1500;
    await Promise.all([one.tick(), other.tick()]);
    await other.accept('b', 1, 1);
    assert.deepEqual(words.slice(4), ['b missing 1-1', 'b event 2', 'b late 1']);
  });
});

function inWords(step: Step<number>): string {
  return `${step.topic} ${step.kind} ${step.kind === 'missing' ? `${step.from}-${step.to}` : step.seq}`;
}

test('a stored sequencer is not made without bounds, a store or somebody to act', () => {
  const store: SequenceStore<number> = { update: async () => {}, waiting: async () => [] };
  const whole = { store, maxHeld: 1, maxWaitMs: 1, onStep() {} };
  const rows: [options: object, says: RegExp][] = [
    [{ maxHeld: undefined }, /^maxHeld must be a whole number .*; it is undefined$/],
    [{ maxWaitMs: Number.NaN }, /^maxWaitMs must be .*; it is NaN$/],
    [{ onStep: undefined }, /^onStep must be a function; it is undefined$/],
    [{ store: undefined }, /^store must be an object with update and waiting; it is undefined$/],
    [{ store: { update() {} } }, /^store\.waiting must be a function; it is undefined$/],
    [{ nowMs: 5 }, /^nowMs must be a function; /],
    [{ maxTopics: 5 }, /^a stored sequencer has no option "maxTopics"; there are /],
  ];
  for (const [options, says] of rows)
    assert.throws(
      () => createStoredSequencer({ ...whole, ...options }),
      (error: Error) => says.test(error.message) || assert.fail(error.message),
    );
});

test('a clock that gives no time takes no event', async () => {
  const sequencer = createStoredSequencer<number>({
    store: { update: (_topic, change) => change(undefined), waiting: async () => [] },
    maxHeld: 1,
    maxWaitMs: 1,
    onStep: () => assert.fail('acted upon'),
    nowMs: () => Number.NaN,
  });
  await assert.rejects(sequencer.accept('a', 1, 1), RangeError);
  await assert.rejects(sequencer.accept('a', 0.5, 1), RangeError);
  await assert.rejects(sequencer.tick(), RangeError);
});
