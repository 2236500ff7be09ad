// What a server believes of an endpoint while changes are on their way, its own and those of others.

import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import { describe, test } from 'vitest';
import { collectGarbage } from '../../../../core/protocol/self.ts';
import { schemes } from '../../../../core/signature/schemes.ts';
import { createGuard } from '../../../../servers/webhook/sending/guard.ts';
import { patterns } from '../../../../core/pattern/registry.ts';
import { TooManyTopics } from '../../../../servers/hub/hub.ts';
import type { EndpointEvent } from '../../../../servers/webhook/api.ts';
import { editEndpoint, newEndpoint, type WebhookEndpoint } from '../../../../servers/webhook/endpoints.ts';
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
  change: (given: string[]) => Promise<string>,
  follow: (endpoint: WebhookEndpoint, topics: readonly string[]) => () => void = () => () => {},
  version: () => number = () => 1,
  changed: (endpoint: WebhookEndpoint, change: EndpointEvent) => void = () => {},
) {
  const redis = {
    defineCommand() {},
    pushbenchChange: change,
    incr: async () => 2,
    hdel: async () => 1,
    get: async (key: string) => (key === 'marker' ? 'this-store' : String(version())),
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
    changed,
  });
}

test('an endpoint that cannot be followed here keeps no other from being known', async () => {
  const [one, other] = [make(), make()];
  const stored = new Map([
    [markerField, 'this-store'],
    ...[one, other].map(({ id, stored: kept }): [string, string] => [id, JSON.stringify(kept)]),
  ]);
  const shared = endpointsOver(
    stored,
    async () => 'done',
    ({ id }) => {
      if (id === one.id) throw new TooManyTopics('too many');
      return () => {};
    },
  );
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
    const shared = endpointsOver(stored, () => change.promise);
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

/** Endpoints over a Redis that takes changes, as long as it does not refuse or keep them back. */
async function oneEndpoint() {
  const { stored: kept, id } = make();
  const stored = new Map([
    [markerField, 'this-store'],
    [id, JSON.stringify({ ...kept, key: 1 })],
  ]);
  const redis = { asked: 0, version: 1, isFull: false, gate: Promise.resolve() };
  const events: string[] = [];
  const shared = endpointsOver(
    stored,
    async ([, , , , of, , text]) => {
      redis.asked++;
      await redis.gate;
      if (redis.isFull) throw Object.assign(new Error('OOM'), { name: 'ReplyError' });
      if (!stored.has(of!)) return 'gone';
      stored.set(of!, text!); // changes alone are made here
      redis.version++;
      return 'done';
    },
    undefined,
    () => redis.version,
    (_endpoint, change) => void events.push(change),
  );
  await shared.reload();
  const endpoint = shared.all.get(id)!;
  return {
    shared,
    redis,
    stored,
    events,
    endpoint,
    /** What Redis has of it. */
    inRedis: () => {
      const { disabled, config } = JSON.parse(stored.get(id)!) as typeof kept;
      return { disabled, topics: (JSON.parse(config) as { events: string[] }).events };
    },
    /** Looks as a server does now and then, and waits for what comes of it. */
    async look() {
      await shared.reload();
      await shared.upToDate();
    },
    /** Another server changes its topics, and whether it is disabled. */
    changeElsewhere(topics: string[], disabled?: string) {
      const text = JSON.parse(stored.get(id)!) as typeof kept;
      const config = JSON.stringify({ ...(JSON.parse(text.config) as object), events: topics });
      stored.set(id, JSON.stringify({ ...text, config, disabled }));
      redis.version++;
    },
    removeElsewhere() {
      stored.delete(id);
      redis.version++;
    },
  };
}

describe('an endpoint that is disabled while Redis takes no writes', () => {
  const disabled = async () => {
    const one = await oneEndpoint();
    one.redis.isFull = true;
    one.shared.disable(one.endpoint, 'it answered 410');
    await one.look();
    assert.equal(one.inRedis().disabled, undefined);
    return one;
  };

  test('stays disabled whatever is read meanwhile, until Redis has it', async () => {
    const { endpoint, redis, shared, events, inRedis, look, changeElsewhere } = await disabled();
    assert.equal(endpoint.disabled, 'it answered 410');
    changeElsewhere(['other']);
    await look();
    assert.deepEqual([endpoint.disabled, endpoint.topics], ['it answered 410', ['other']]);
    assert.equal(await shared.current(endpoint.id), endpoint);
    redis.isFull = false;
    await look();
    assert.deepEqual(inRedis(), { disabled: 'it answered 410', topics: ['other'] });
    const { asked } = redis;
    await look();
    assert.equal(redis.asked, asked, 'it is told once');
    assert.equal(endpoint.disabled, 'it answered 410');
    assert.deepEqual(events, ['disabled']);
  });

  test('is no more when another server has removed it', async () => {
    const { endpoint, redis, shared, stored, look, removeElsewhere } = await disabled();
    removeElsewhere();
    redis.isFull = false;
    await look();
    await look();
    assert.equal(shared.all.size, 0);
    assert.ok(!stored.has(endpoint.id));
  });

  test('is enabled when a client enables it', async () => {
    const { endpoint, redis, shared, events, inRedis, look, changeElsewhere } = await disabled();
    redis.isFull = false;
    await shared.change(endpoint, (copy) => editEndpoint(copy, { enabled: true }));
    changeElsewhere(['other']);
    await look();
    assert.deepEqual([endpoint.disabled, inRedis().disabled], [undefined, undefined]);
    assert.deepEqual(events, ['disabled', 'enabled']);
  });
});

test('an endpoint that is disabled while a change of it is on its way is changed and disabled', async () => {
  const { endpoint, redis, shared, events, inRedis, look } = await oneEndpoint();
  const gate = Promise.withResolvers<void>();
  redis.gate = gate.promise;
  const changing = shared.change(endpoint, (copy) => editEndpoint(copy, { events: ['other'] }));
  await new Promise((resolve) => setImmediate(resolve)); // it is on its way now
  shared.disable(endpoint, 'it answered 410');
  gate.resolve();
  await changing;
  await look();
  assert.deepEqual(inRedis(), { disabled: 'it answered 410', topics: ['other'] });
  assert.deepEqual([endpoint.disabled, endpoint.topics], ['it answered 410', ['other']]);
  assert.deepEqual(events, ['disabled']);
});

test('an endpoint that another server disabled and enabled is not disabled by a change here', async () => {
  const { endpoint, shared, inRedis, look, changeElsewhere } = await oneEndpoint();
  changeElsewhere(['news'], 'by request');
  await look();
  assert.equal(endpoint.disabled, 'by request');
  changeElsewhere(['news']);
  await look();
  assert.equal(endpoint.disabled, undefined);
  await shared.change(endpoint, (copy) => editEndpoint(copy, { events: ['other'] }));
  assert.deepEqual(inRedis(), { disabled: undefined, topics: ['other'] });
});
