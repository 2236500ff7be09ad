// Checks that what has happened is not forgotten while the store takes nothing: outcomes of attempts.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test } from 'vitest';
import { realTimers } from '../../../servers/webhook/sending/timers.ts';
import { receiver, until } from '../receivers.ts';
import { virtualTimers } from '../virtual-timers.ts';
import { full, serveFailing } from './failing-store.ts';

describe('an outcome that the store cannot take', () => {
  test('is not forgotten, and its attempt not made again', async (t) => {
    const timers = virtualTimers();
    const at = await receiver(t, (_, count) => (count === 1 ? 500 : 204));
    const server = await serveFailing(t, timers, { retries: ['10s', '10s'] });
    await server.register(at.url);
    await server.publish();
    await until('the first attempt failed', () => timers.waiting() > 0 && server.counters.errors === 1);
    await server.database.committed();
    await server.publish();
    await until('the second event came', () => at.got.length === 2);
    server.failWith(full);
    timers.next();
    await until('it is tried again, and its outcome cannot be stored', () => at.got.length === 3);
    await until('both are delivered', () => server.database.pending() === 0);
    const { depth, delivered, attempts } = await server.stats();
    assert.deepEqual({ depth, delivered, attempts }, { depth: 0, delivered: 2, attempts: 3 });
    assert.equal((await server.delivery('1')).state, 'delivered');
    // A look at what is due meanwhile finds nothing.
    assert.equal((await server.publish()).status, 503);
    while (timers.waiting() > 0) timers.next();
    await sleep(20);
    assert.equal(at.got.length, 3);
    server.failWith();
    await server.database.recovered();
    assert.equal(server.database.unsaved(), 0);
    assert.equal((await server.delivery('1')).attemptLog.length, 2);
    assert.equal((await server.publish()).seq, 3);
    await until('the next one came', () => at.got.length === 4);
  });

  for (const fifo of [true, false]) {
    test(`${fifo ? 'holds up' : 'does not hold up'} the next one with fifo: ${fifo}`, async (t) => {
      const first = Promise.withResolvers<number>();
      const at = await receiver(t, (_, count) => (count === 1 ? first.promise : 204));
      const server = await serveFailing(t, realTimers, { fifo, concurrency: 1 });
      await server.register(at.url);
      await Promise.all(Array.from({ length: 5 }, () => server.publish()));
      await until('the first is under way', () => at.got.length === 1);
      server.failWith(full);
      first.resolve(204);
      await until('its outcome was refused, and tried again', () => server.failures() > 1);
      if (fifo) assert.equal(at.got.length, 1);
      else await until('all came', () => at.got.length === 5);
      server.failWith();
      await until('all are stored', () => server.database.pending() === 0 && server.database.unsaved() === 0);
      assert.equal(at.got.length, 5);
    });
  }

  test('stops attempts when there are a thousand of them', async (t) => {
    const at = await receiver(t);
    const server = await serveFailing(t, realTimers, { concurrency: 16, endpointConcurrency: 16 });
    const { id } = await server.register(at.url);
    await server.change(id, { enabled: false });
    await Promise.all(Array.from({ length: 1500 }, () => server.service.publish('news', '1', {})));
    await server.change(id, { enabled: true });
    await server.recover(id, { since: '2000-01-01T00:00:00Z' });
    server.failWith(full);
    await until('the bound is reached', () => server.database.unsaved() >= 1000, 30_000);
    await sleep(300);
    assert.ok(at.got.length <= 1000 + 64, `${at.got.length} attempts`);
    server.failWith();
    await until('all came', () => at.got.length === 1500, 30_000);
    await until('all are stored', () => server.database.pending() === 0 && server.database.unsaved() === 0);
    assert.equal(new Set(at.got.map(({ headers }) => headers['webhook-id'])).size, 1500);
  });

  test('of a rule that disabled the endpoint is kept too', async (t) => {
    const answer = Promise.withResolvers<number>();
    const at = await receiver(t, () => answer.promise);
    const server = await serveFailing(t, realTimers);
    const { id } = await server.register(at.url);
    await server.publish();
    await until('it is under way', () => at.got.length === 1);
    server.failWith(full);
    answer.resolve(410);
    await until('it is disabled', () => server.service.enabled() === 0);
    await until('that was refused, and tried again', () => server.failures() > 1);
    assert.equal((await server.endpoint(id)).disabled, 'answered 410 Gone');
    server.failWith();
    await server.database.recovered();
    assert.equal(server.database.endpoints()[0]!.disabled, 'answered 410 Gone');
    assert.equal((await server.delivery('1')).state, 'cancelled');
  });
});
