// Checks that what the store refuses exists nowhere: publications and changes.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { describe, test } from 'vitest';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { receiver, until } from '../receivers.ts';
import { damaged, full, ioError, serveFailing } from './failing-store.ts';
import { seqsOf, setUp } from './one-endpoint.ts';

describe('a publication that the store refuses', () => {
  for (const [what, code, name] of [
    ['a full disk', full, 'store-full'],
    ['a broken disk', ioError, 'store-failed'],
    ['a damaged file', damaged, 'store-damaged'],
  ] as const) {
    test(`for ${what} is answered 503 and exists nowhere`, async (t) => {
      const { publish, failWith, got, hub, counters, stats, events } = await setUp(t);
      assert.deepEqual([(await publish()).seq, (await publish()).seq], [1, 2]);
      await until('both came', () => got.length === 2);
      failWith(code);
      const refused = await Promise.all(Array.from({ length: 5 }, () => publish()));
      for (const { status, error, retryAfter } of refused)
        assert.deepEqual([status, error, retryAfter], [503, name, '1']);
      assert.equal(hub.published(), 2);
      assert.deepEqual([counters.refusals, counters.errors, counters.deliveryRequests], [5, 0, 2]);
      failWith();
      const next = await publish();
      assert.deepEqual([next.status, next.seq, next.id], [201, 3, `${hub.epoch}-3`]);
      await until('it came', () => got.length === 3);
      await sleep(50);
      assert.deepEqual(seqsOf(got), [1, 2, 3]);
      const { depth, delivered, attempts } = await stats();
      assert.deepEqual({ depth, delivered, attempts }, { depth: 0, delivered: 3, attempts: 3 });
      assert.equal((await events()).events.length, 3);
      assert.deepEqual(
        hub.since(['news'], `${hub.epoch}-0`).events.map(({ seq }) => seq),
        [1, 2, 3],
      );
    });
  }

  test('takes no topic from those who come later', async (t) => {
    const { publish, failWith, hub } = await setUp(t);
    failWith(full);
    assert.equal((await publish('news')).status, 503);
    failWith();
    assert.equal(hub.newest(['news']), `${hub.epoch}-0`);
    assert.equal((await publish('other')).id, `${hub.epoch}-1`);
  });

  for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
    test(`decides nothing for an endpoint that is behind (slow: ${slow})`, async (t) => {
      const hanging: (() => void)[] = [];
      let hangs = true;
      const at = await receiver(
        t,
        () => new Promise((resolve) => (hangs ? hanging.push(() => resolve(204)) : resolve(204))),
      );
      const server = await serveFailing(t, realTimers, { concurrency: 1 }, { slow, slowBuffer: 1000 });
      const { id } = await server.register(at.url);
      const body = JSON.stringify('x'.repeat(250));
      assert.equal((await server.publish('news', body)).status, 201);
      await until('the first is under way', () => at.got.length === 1);
      assert.equal((await server.publish('news', body)).status, 201);
      const before = await server.endpoint(id);
      assert.equal(before.pending, 2);
      server.failWith(full);
      // Together they are more than the buffer takes, so the policy would act.
      const answers = await Promise.all(Array.from({ length: 4 }, () => server.publish('news', body)));
      assert.deepEqual(
        answers.map(({ status }) => status),
        [503, 503, 503, 503],
      );
      assert.deepEqual(await server.endpoint(id), before);
      assert.deepEqual(
        [server.counters.slowDrops, server.counters.slowDisconnects, (await server.stats()).depth],
        [0, 0, 2],
      );
      server.failWith();
      const after = await Promise.all(Array.from({ length: 4 }, () => server.publish('news', body)));
      assert.deepEqual(
        after.map(({ seq }) => seq),
        [3, 4, 5, 6],
      );
      assert.equal(server.counters.slowDisconnects, slow === 'disconnect' ? 1 : 0);
      assert.ok(server.counters.slowDrops > 0);
      const { pending, disabled } = await server.endpoint(id);
      assert.equal(disabled !== undefined, slow === 'disconnect');
      // The one under way goes on.
      assert.equal((await server.stats()).depth, slow === 'disconnect' ? 1 : pending);
      hangs = false;
      for (const answer of hanging) answer();
      await until('nothing is pending', () => server.database.pending() === 0);
    });
  }
});

describe('a change that the store refuses is undone:', () => {
  test('a registration', async (t) => {
    const { call, failWith, at, endpoints, service, hub, counters } = await setUp(t);
    failWith(full);
    const answer = await call('POST', '/webhooks', { url: at, events: ['news', 'more'] });
    assert.deepEqual([answer.status, (answer.body as { error: string }).error], [503, 'store-full']);
    assert.deepEqual(
      [(await endpoints()).webhooks.length, service.enabled(), hub.subscriptions(), counters.registrations],
      [1, 1, 1, 1],
    );
    failWith();
    assert.equal((await call('POST', '/webhooks', { url: at, events: ['news', 'more'] })).status, 201);
    assert.deepEqual([service.enabled(), hub.subscriptions(), hub.followers('news').length], [2, 2, 2]);
  });

  test('disabling and enabling', async (t) => {
    const { call, failWith, id, endpoint, publish, got, change, service } = await setUp(t);
    failWith(full);
    assert.equal((await call('PATCH', `/webhooks/${id}`, { enabled: false })).status, 503);
    assert.deepEqual([(await endpoint(id)).disabled, service.enabled()], [undefined, 1]);
    failWith();
    await publish();
    await until('it is delivered', () => got.length === 1);
    await change(id, { enabled: false });
    failWith(full);
    assert.equal((await call('PATCH', `/webhooks/${id}`, { enabled: true })).status, 503);
    assert.deepEqual([(await endpoint(id)).disabled, service.enabled()], ['disabled by request', 0]);
    failWith();
    await publish();
    await sleep(30);
    assert.equal(got.length, 1);
  });

  test('new topics, and what was asked for with them', async (t) => {
    const { call, failWith, id, endpoint, publish, got, hub } = await setUp(t);
    failWith(full);
    assert.equal((await call('PATCH', `/webhooks/${id}`, { events: ['sport'], enabled: false })).status, 503);
    failWith();
    const { events, disabled } = await endpoint(id);
    assert.deepEqual(
      [events, disabled, hub.subscriptions(), hub.followers('sport')],
      [['news'], undefined, 1, []],
    );
    await publish('sport');
    await publish('news');
    await until('it is delivered', () => got.length === 1);
    assert.equal((JSON.parse(got[0]!.body) as { topic: string }).topic, 'news');
  });

  test('removing', async (t) => {
    const { call, failWith, id, publish, got, endpoints } = await setUp(t);
    failWith(full);
    assert.equal((await call('DELETE', `/webhooks/${id}`)).status, 503);
    failWith();
    assert.equal((await endpoints()).webhooks[0]!.id, id);
    await publish();
    await until('it is delivered', () => got.length === 1);
    assert.equal((await call('DELETE', `/webhooks/${id}`)).status, 204);
  });

  test('a new secret', async (t) => {
    const { call, failWith, id, secret, publish, got } = await setUp(t);
    failWith(full);
    assert.equal((await call('POST', `/webhooks/${id}/rotate`, { overlapS: 0 })).status, 503);
    failWith();
    await publish();
    await until('it is delivered', () => got.length === 1);
    new Webhook(secret).verify(got[0]!.body, got[0]!.headers as Record<string, string>);
  });

  test('a test event, a replay and a recovery', async (t) => {
    const { call, failWith, id, publish, got, delivery, stats } = await setUp(t, { retries: [] }, [500]);
    await publish();
    await until('it failed', () => got.length === 1);
    while ((await delivery('1')).state !== 'exhausted') await sleep(5);
    const before = await delivery('1');
    failWith(full);
    const range = { since: '2000-01-01T00:00:00Z' };
    const answers = [
      await call('POST', `/webhooks/${id}/test`),
      await call('POST', '/webhooks/deliveries/1/replay'),
      await call('POST', `/webhooks/${id}/recover`, range),
    ];
    assert.deepEqual(
      answers.map(({ status }) => status),
      [503, 503, 503],
    );
    assert.deepEqual(await delivery('1'), before);
    assert.equal((await stats()).depth, 0);
    failWith();
    await sleep(30);
    assert.equal(got.length, 1);
    assert.equal((await call('POST', '/webhooks/deliveries/1/replay')).status, 202);
    await until('it came again', () => got.length === 2);
  });

  test('a removal and a change that came before it, each alone', async (t) => {
    const { call, id, endpoints } = await setUp(t);
    const [patched, removed, again] = await Promise.all([
      call('PATCH', `/webhooks/${id}`, { events: ['sport'] }),
      call('DELETE', `/webhooks/${id}`),
      call('DELETE', `/webhooks/${id}`),
    ]);
    const statuses = [patched!.status, removed!.status, again!.status].sort();
    assert.ok(statuses.filter((status) => status === 204).length === 1, statuses.join());
    assert.ok(
      statuses.every((status) => [200, 204, 404].includes(status)),
      statuses.join(),
    );
    assert.deepEqual((await endpoints()).webhooks, []);
  });
});

test('an event of the server itself takes the same door', async (t) => {
  const { change, failWith, id, register, at, got, counters, hub } = await setUp(t);
  await register(at, ['webhook.endpoint.disabled']);
  await change(id, { enabled: false });
  failWith(full); // the announcement is made in the next turn
  await until('it was refused', () => counters.refusals === 1);
  failWith();
  await sleep(30);
  assert.deepEqual([got.length, hub.published()], [0, 0]);
});

test('in the handler nothing is stored, so nothing is refused', async (t) => {
  const { publish, failWith, got } = await setUp(t, { delivery: 'sync' });
  failWith(full);
  assert.equal((await publish()).status, 201);
  assert.equal(got.length, 1);
});
