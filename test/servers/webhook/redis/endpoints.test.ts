// What a server believes of an endpoint while changes are on their way, its own and those of others.

import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { test } from 'vitest';
import { collectGarbage } from '../../../../core/protocol/self.ts';
import { schemes } from '../../../../core/signature/schemes.ts';
import { createGuard } from '../../../../servers/webhook/sending/guard.ts';
import { patterns } from '../../../../core/pattern/registry.ts';
import { TooManyTopics } from '../../../../servers/hub/hub.ts';
import { newEndpoint, type WebhookEndpoint } from '../../../../servers/webhook/endpoints.ts';
import { markerField } from '../../../../servers/webhook/redis/identify.ts';
import { createRedisEndpoints } from '../../../../servers/webhook/redis/endpoints.ts';
import { createWrites } from '../../../../servers/webhook/redis/writes.ts';

const rules = {
  scheme: schemes.standard,
  guard: createGuard(patterns.webhook.options.parse({})),
  breaker: false,
};
const make = () => newEndpoint({ url: 'http://127.0.0.1:9/', events: ['news'] }, rules, 0).endpoint;

/** Endpoints over a Redis that holds `stored` and answers at once, but for changes. */
function endpointsOver(
  stored: ReadonlyMap<string, string>,
  change: Promise<string>,
  follow: (endpoint: WebhookEndpoint, topics: readonly string[]) => () => void = () => () => {},
) {
  const redis = {
    defineCommand() {},
    pushbenchChange: () => change,
    incr: async () => 2,
    get: async (key: string) => (key === 'marker' ? 'this-store' : '1'),
    hget: async (_key: string, field: string) => stored.get(field) ?? null,
    hgetall: async () => Object.fromEntries(stored),
  } as unknown as Redis; // what endpoints use of it
  return createRedisEndpoints({
    link: {
      redis,
      ready: () => true,
      ask: (commands) => commands(redis),
      during: (work) => work(),
      close() {},
    },
    prefix: 'test',
    marker: 'marker',
    identity: 'this-store',
    rules,
    follow,
    emptied: () => new Error('emptied'),
    report() {},
    changed() {},
  });
}

test('an endpoint that cannot be followed here keeps no other from being known', async () => {
  const [one, other] = [make(), make()];
  const stored = new Map([
    [markerField, 'this-store'],
    ...[one, other].map(({ id, stored: kept }): [string, string] => [id, JSON.stringify(kept)]),
  ]);
  const shared = endpointsOver(stored, Promise.resolve('done'), ({ id }) => {
    if (id === one.id) throw new TooManyTopics('too many');
    return () => {};
  });
  await assert.rejects(shared.reload(), TooManyTopics);
  assert.deepEqual([...shared.all.keys()], [other.id]);
});

test('a write that is over holds on to nothing', async () => {
  const writes = createWrites();
  const results = [new WeakRef({}), new WeakRef({})];
  for (const result of results) writes.add(Promise.resolve(result.deref()));
  await writes.done();
  await new Promise((resolve) => setImmediate(resolve)); // what is weakly held stays to the end of a turn
  collectGarbage();
  assert.deepEqual(
    results.map((result) => result.deref()),
    [undefined, undefined],
  );
});

test(
  'what another server has enabled is not held to be disabled because ' +
    'a change of another endpoint is on its way',
  async () => {
    const [one, other] = [make(), make()];
    const stored = new Map([
      [markerField, 'this-store'],
      [one.id, JSON.stringify({ ...one.stored, key: 1, disabled: 'by request' })],
    ]);
    const change = Promise.withResolvers<string>();
    const shared = endpointsOver(stored, change.promise);
    await shared.reload();
    assert.equal(shared.all.get(one.id)?.disabled, 'by request');
    const adding = shared.add(other);
    await new Promise((resolve) => setImmediate(resolve)); // its change is on its way now
    stored.set(one.id, JSON.stringify({ ...one.stored, key: 1 }));
    assert.equal((await shared.current(one.id))?.disabled, undefined);
    change.resolve('done');
    await adding;
  },
);
