// Checks when attempts that failed are made again, and when not, in virtual time.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'vitest';
import { bareReceiver, receiver, until } from '../receivers.ts';
import { serveVirtually } from './webhook-server.ts';

describe('retries', () => {
  /** Answers attempt after attempt with these statuses, then with 204, and goes through the waits. */
  async function retried(t: TestContext, statuses: number[], options: Record<string, unknown>) {
    const at = await receiver(t, (_, count) => statuses[count - 1] ?? 204);
    const server = await serveVirtually(t, { options });
    await server.register(at.url);
    const event = await server.publish('news');
    const waits: number[] = [];
    for (;;) {
      await until('answered', () => at.got.length === waits.length + 1);
      await until('judged', () => server.counters.errors === Math.min(at.got.length, statuses.length));
      await sleep(10);
      if (server.timers.waiting() === 0) return { ...server, got: at.got, waits, event };
      waits.push(server.timers.next());
    }
  }

  test(
    'come at the times of the schedule until one succeeds, ' + 'same id, new timestamp and signature',
    async (t) => {
      const { got, waits, event, counters, list } = await retried(t, [500, 503, 404], {
        retries: ['5s', '5m', '30m', '2h'],
        jitter: '0%',
      });
      assert.deepEqual(waits, [5000, 300_000, 1_800_000]);
      assert.deepEqual(
        got.map(({ headers }) => headers['pushbench-attempt']),
        ['1', '2', '3', '4'],
      );
      assert.deepEqual(new Set(got.map(({ headers }) => headers['webhook-id'])), new Set([event.id]));
      const stamps = got.map(({ headers }) => Number(headers['webhook-timestamp']));
      assert.deepEqual(
        stamps.map((stamp) => stamp - stamps[0]!),
        [0, 5, 305, 2105],
      );
      assert.equal(new Set(got.map(({ headers }) => headers['webhook-signature'])).size, 4);
      assert.equal(new Set(got.map(({ body }) => body)).size, 1);
      const { deliveryRequests, retries, events, errors } = counters;
      assert.deepEqual(
        { deliveryRequests, retries, events, errors },
        { deliveryRequests: 1, retries: 3, events: 4, errors: 3 },
      );
      const [row] = (await list()).rows;
      assert.deepEqual([row!.pending, row!.delivered, row!.givenUp, row!.lastFailure], [0, 1, 0, undefined]);
    },
  );

  test('end with the schedule, and the event is given up', async (t) => {
    const { got, waits, list } = await retried(t, Array(9).fill(500), {
      retries: ['1s', '5s', '30s'],
      jitter: '0%',
    });
    assert.deepEqual(waits, [1000, 5000, 30_000]);
    assert.equal(got.length, 4);
    const [row] = (await list()).rows;
    assert.deepEqual([row!.pending, row!.delivered, row!.givenUp], [0, 0, 1]);
  });

  test('come after a redirect as after any failure', async (t) => {
    const { got } = await retried(t, [301, 302, 307], { retries: ['1s', '1s', '1s'] });
    assert.equal(got.length, 4);
  });

  test('are none when the schedule has none', async (t) => {
    const { got } = await retried(t, [500], { retries: [] });
    assert.equal(got.length, 1);
  });

  test('wait for as long as Retry-After asks, up to the longest wait', async (t) => {
    const asks = ['20', '999999'];
    const { url, requests } = await bareReceiver(t, (socket, before) => {
      socket.write(
        `HTTP/1.1 429 Slow down\r\ncontent-length: 0\r\nretry-after: ${asks[before] ?? '0'}\r\n\r\n`,
      );
    });
    const { register, publish, timers } = await serveVirtually(t, {
      options: { retries: ['1s', '2s', '30s'], jitter: '0%' },
    });
    await register(url);
    await publish('news');
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      await until('failed', () => requests() === i + 1 && timers.waiting() === 1);
      waits.push(timers.next());
    }
    assert.deepEqual(waits, [20_000, 30_000, 30_000]);
  });

  test('stop at 410, which disables the endpoint with all that waits for it', async (t) => {
    const { got, url } = await receiver(t, (_, count) => (count <= 3 ? 500 : 410));
    const { register, publish, timers, list, running, counters } = await serveVirtually(t);
    const { id } = await register(url);
    await Promise.all(Array.from({ length: 3 }, () => publish('news')));
    await until('all failed', () => counters.errors === 3 && timers.waiting() === 1);
    assert.equal(running.subscribers(), 1);
    await publish('news');
    await until('gone', () => timers.waiting() === 0);
    await publish('news');
    await sleep(30);
    assert.equal(got.length, 4);
    assert.equal(running.subscribers(), 0);
    const [row] = (await list()).rows;
    assert.deepEqual(
      [row!.id, row!.disabled, row!.pending, row!.lastFailure],
      [id, 'answered 410 Gone', 0, 'answered 410'],
    );
  });

  test('of a removed endpoint do not come', async (t) => {
    const { url } = await receiver(t, () => 500);
    const { register, publish, remove, timers } = await serveVirtually(t);
    const { id } = await register(url);
    await publish('news');
    await until('failed', () => timers.waiting() === 1);
    await remove(id);
    assert.equal(timers.waiting(), 0);
  });
});
