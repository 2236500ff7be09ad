// What a server believes of an endpoint while changes are on their way, its own and those of others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Redis } from 'ioredis';
import { schemes } from '../../../core/signature.ts';
import { createGuard } from '../../../servers/webhook/guard.ts';
import { patternOptions } from '../../../core/patterns.ts';
import { newEndpoint } from '../../../servers/webhook/endpoints.ts';
import { markerField } from '../../../servers/webhook/redis-batch.ts';
import { createRedisEndpoints } from '../../../servers/webhook/redis-endpoints.ts';

test('what another server has enabled is not held to be disabled because a change of another endpoint is on its way', async () => {
  const rules = { scheme: schemes.standard, guard: createGuard(patternOptions.webhook.parse({})) };
  const make = () => newEndpoint({ url: 'http://127.0.0.1:9/', events: ['news'] }, rules, 0, undefined).endpoint;
  const [one, other] = [make(), make()];
  const stored = new Map([[markerField, 'this-store'], [one.id, JSON.stringify({ ...one.stored, key: 1, disabled: 'by request' })]]);
  const change = Promise.withResolvers<string>();
  // Answers at once, but for changes.
  const redis = {
    defineCommand() {},
    pushbenchChange: () => change.promise,
    incr: async () => 2,
    get: async (key: string) => (key === 'marker' ? 'this-store' : '1'),
    hget: async (_key: string, field: string) => stored.get(field) ?? null,
    hgetall: async () => Object.fromEntries(stored),
  } as unknown as Redis; // what endpoints use of it
  const shared = createRedisEndpoints({
    link: { redis, ready: () => true, ask: (commands) => commands(redis), during: (work) => work(), close() {} },
    prefix: 'test', marker: 'marker', identity: 'this-store', scheme: rules.scheme,
    subscribe() {}, checkTopics() {}, emptied: () => new Error('emptied'),
  });
  await shared.reload();
  assert.equal(shared.all.get(one.id)?.disabled, 'by request');
  const adding = shared.add(other);
  await new Promise((resolve) => setImmediate(resolve)); // its change is on its way now
  stored.set(one.id, JSON.stringify({ ...one.stored, key: 1 }));
  assert.equal((await shared.current(one.id))?.disabled, undefined);
  change.resolve('done');
  await adding;
});
