// Checks delivery as receivers see it: events come signed, to those who follow them, and nobody waits for
// another; and an end that leaves nothing open.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { describe, test, type TestContext } from 'vitest';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { type ServerLimits } from '../../../core/scenario/scenario.ts';
import { bareReceiver, receiver, until } from '../receivers.ts';
import { serve, serveVirtually } from './webhook-server.ts';

describe('delivery', () => {
  test('brings each event to the endpoints of its topic, signed over its bytes', async (t) => {
    const a = await receiver(t);
    const b = await receiver(t);
    const { register, publish, server } = await serve(t);
    const { secret } = await register(`${a.url}/hook/1?x=y`, ['news', 'sport']);
    await register(b.url, ['sport']);
    const bodies = ['{"n":1}', 'grüße 🎈', '{ "spaces" : 1 }\n'];
    const events = await Promise.all(bodies.map((body, i) => publish(i === 1 ? 'sport' : 'news', body)));
    await publish('weather');
    await until('all came', () => a.got.length === 3 && b.got.length === 1);
    for (const event of events) {
      const one = a.got.find(({ headers }) => headers['webhook-id'] === event.id)!;
      assert.equal(one.path, '/hook/1?x=y');
      assert.equal(one.body, event.json);
      assert.equal(decodeEnvelope(one.body).body, bodies[events.indexOf(event)]);
      assert.equal(one.headers['content-type'], 'application/json');
      assert.equal(one.headers['pushbench-attempt'], '1');
      new Webhook(secret).verify(one.body, one.headers as Record<string, string>);
      assert.ok(Math.abs(Number(one.headers['webhook-timestamp']) - Date.now() / 1000) < 5);
    }
    assert.throws(
      () => new Webhook(secret).verify(b.got[0]!.body, b.got[0]!.headers as Record<string, string>),
      /No matching signature/,
    );
    const { deliveryRequests, retries, events: delivered, errors } = server.counters();
    assert.deepEqual(
      { deliveryRequests, retries, delivered, errors },
      { deliveryRequests: 4, retries: 0, delivered: 4, errors: 0 },
    );
  });

  test('does not keep the publisher waiting', async (t) => {
    const { url, requests } = await bareReceiver(t, () => {});
    const { register, server } = await serve(t, { options: { concurrency: 1 } });
    await register(url);
    for (let i = 0; i < 20; i++) {
      const response = await fetch(`${server.endpoint.publishUrl}/topics/news`, {
        method: 'POST',
        body: `${i}`,
      });
      assert.equal(response.status, 201);
    }
    assert.ok(requests() <= 1, 'the one slot is taken by a receiver that never answers');
  });

  test('keeps to its concurrency over all endpoints', async (t) => {
    let open = 0;
    let most = 0;
    const { got, url, connections } = await receiver(t, async () => {
      most = Math.max(most, ++open);
      await sleep(5);
      open--;
      return 204;
    });
    const { register, publish } = await serve(t, { options: { concurrency: 3 } });
    for (let i = 0; i < 10; i++) await register(`${url}/${i}`);
    await Promise.all(Array.from({ length: 10 }, () => publish('news')));
    await until('all came', () => got.length === 100);
    assert.equal(most, 3);
    assert.equal(connections(), 3);
  });

  test('to a thousand endpoints is not held up by one that never answers', async (t) => {
    const live = await receiver(t);
    const dead = await bareReceiver(t, () => {});
    const { register, publish, list } = await serve(t, { options: { timeout: '60s', concurrency: 16 } });
    await register(dead.url);
    for (let i = 0; i < 1000; i++) await register(`${live.url}/${i}`);
    await Promise.all(Array.from({ length: 10 }, () => publish('news')));
    // Far below the dead one's timeout; it holds two of the sixteen slots until then.
    await until('all others have theirs', () => live.got.length === 10_000, 40_000);
    assert.equal(dead.requests(), 2);
    const { rows } = await list();
    assert.deepEqual([rows[0]!.pending, rows[0]!.delivered], [10, 0]);
    assert.ok(rows.slice(1).every(({ delivered, pending }) => delivered === 10 && pending === 0));
  });
});

describe('an endpoint that falls behind', () => {
  async function behind(t: TestContext, slow: ServerLimits['slow']) {
    const { url, requests } = await bareReceiver(t, () => {});
    const server = await serveVirtually(t, {
      limits: { slow, slowBuffer: 1000 },
      options: { concurrency: 1 },
    });
    await server.register(url);
    const body = JSON.stringify('x'.repeat(100));
    await server.publish('news', body);
    await until('the first is under way', () => requests() === 1);
    await Promise.all(Array.from({ length: 9 }, () => server.publish('news', body)));
    return { ...server, row: (await server.list()).rows[0]! };
  }

  test('is cut off, or loses what comes, or keeps the newest', async (t) => {
    const cut = await behind(t, 'disconnect');
    assert.equal(cut.row.disabled, 'more than 1000 bytes behind');
    assert.equal(cut.counters.slowDisconnects, 1);
    assert.equal(cut.running.subscribers(), 0);
    const fit = cut.counters.slowDrops - 1;
    assert.ok(fit >= 3 && fit <= 8, 'what waited is lost, and the one that was too much');

    const drop = await behind(t, 'drop');
    assert.deepEqual([drop.row.pending, drop.counters.slowDrops], [fit, 10 - fit]);
    assert.equal(drop.running.subscribers(), 1);

    const coalesce = await behind(t, 'coalesce');
    assert.equal(coalesce.counters.slowDrops + coalesce.row.pending, 10);
    assert.ok(coalesce.row.pending <= fit);
  });
});

describe('faults and the end', () => {
  test('cut connections fail their attempts, which are retried', async (t) => {
    const hung = new Set<() => void>();
    const { got, url, open } = await receiver(t, (_, count) =>
      count <= 5 ? new Promise((resolve) => hung.add(() => resolve(204))) : 204,
    );
    const { register, publish, server } = await serve(t, { options: { retries: ['10ms'] } });
    for (let i = 0; i < 5; i++) await register(`${url}/${i}`);
    await publish('news');
    await until('all are under way', () => hung.size === 5);
    assert.equal(open(), 5);
    server.disconnect(1);
    await until('all came again', () => got.length === 10);
    assert.deepEqual(
      got.slice(5).map(({ headers }) => headers['pushbench-attempt']),
      Array(5).fill('2'),
    );
    const { deliveryRequests, retries, events, errors } = server.counters();
    assert.deepEqual(
      { deliveryRequests, retries, events, errors },
      { deliveryRequests: 5, retries: 5, events: 10, errors: 5 },
    );
  });

  test('closing with deliveries under way, due and waiting for a retry leaves nothing open', async (t) => {
    const failing = await receiver(t, () => 500);
    const hanging = await bareReceiver(t, () => {});
    const { register, publish, server } = await serve(t, { options: { concurrency: 2 } });
    await register(failing.url);
    await register(hanging.url);
    await Promise.all(Array.from({ length: 10 }, () => publish('news')));
    await until('one failed and one hangs', () => failing.got.length > 0 && hanging.requests() === 1);
    const fromMs = performance.now();
    await server.close();
    assert.ok(performance.now() - fromMs < 5000);
    await until('no connection is left', () => failing.open() === 0 && hanging.open() === 0);
    const { connectionsOpened, connectionsClosed } = server.counters();
    assert.equal(connectionsOpened, connectionsClosed);
    const before = failing.got.length + hanging.requests();
    await sleep(1200); // the default schedule's first retry would come
    assert.equal(failing.got.length + hanging.requests(), before);
  });
});
