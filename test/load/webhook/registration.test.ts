// Registrations of webhook subscribers: made, tried again, and taken back at the end.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { describe, test } from 'vitest';
import { until } from '../context.ts';

import { accept, setUp } from './fixture.ts';

describe('registration', () => {
  test(
    'gives the server an address, the topics and a secret of ' + 'each subscriber, over a few connections',
    async (t) => {
      const { load, registered, ready, counters, connections } = await setUp(t, (count, response) =>
        setTimeout(accept, 2, count, response),
      );
      for (let i = 0; i < 200; i++) load.open(i);
      await until(() => ready.length === 200, 'all ready');
      assert.deepEqual(
        [...ready].sort((a, b) => a - b),
        Array.from({ length: 200 }, (_, i) => i),
      );
      for (const { url, events } of registered) {
        const subscriber = /^http:\/\/127\.0\.0\.1:\d+\/hook\/(\d+)$/.exec(url)![1];
        assert.deepEqual(events, ['news', `own.${subscriber}`]);
      }
      assert.equal(new Set(registered.map(({ secret }) => secret)).size, 200);
      assert.ok(connections() <= 32);
      assert.equal(counters.registrations, 200);
      assert.equal(counters.connectionsOpened, connections());
    },
  );

  test('is tried again when the server is full, fails, or answers nonsense', async (t) => {
    const { load, ready, counters, problems } = await setUp(t, (count, response) => {
      if (count === 0) response.writeHead(503, { 'retry-after': '0' }).end();
      else if (count === 1) response.writeHead(500).end();
      else if (count === 2) response.writeHead(201).end('{"id":7}');
      else if (count === 3) response.writeHead(201).end('ep_1');
      else if (count === 4) response.socket!.resetAndDestroy();
      else accept(count, response);
    });
    load.open(0);
    await until(() => ready.length === 1, 'ready');
    assert.equal(counters.refusals, 1);
    assert.equal(counters.registrations, 1);
    assert.deepEqual(problems.map(({ code, message }) => [code, message]).slice(0, 3), [
      ['registration-failed', 'a registration was answered with status 500'],
      ['registration-failed', 'a registration was answered without an id'],
      ['registration-failed', 'a registration was answered without an id'],
    ]);
  });
});

describe('closing', () => {
  test('takes every registration back and listens no more', async (t) => {
    const { load, ready, registered, removed, counters } = await setUp(t);
    for (let i = 0; i < 50; i++) load.open(i);
    await until(() => ready.length === 50, 'all ready');
    await fetch(registered[0]!.url); // leaves a kept-alive connection behind
    await load.close(2000);
    assert.deepEqual([...removed].sort(), Array.from({ length: 50 }, (_, i) => `ep_${i}`).sort());
    await assert.rejects(fetch(registered[0]!.url));
    await until(() => counters.connectionsOpened === counters.connectionsClosed, 'all connections closed');
  });

  test('is not held up by a server that does not answer, nor by a sender that does not finish', async (t) => {
    const { load, ready, registered } = await setUp(t, (count, response) => {
      if (count === 0) accept(count, response);
    });
    load.open(0);
    await until(() => ready.length === 1, 'ready');
    for (let i = 1; i < 20; i++) load.open(i);
    const { port } = new URL(registered[0]!.url);
    const half = connect(Number(port), '127.0.0.1', () =>
      half.write('POST /hook/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf'),
    );
    half.on('error', () => {});
    await until(() => registered.length > 1, 'others are registering');
    const fromMs = performance.now();
    await load.close(200);
    assert.ok(performance.now() - fromMs < 5000);
    await assert.rejects(fetch(registered[0]!.url));
    assert.deepEqual(ready, [0]);
  });
});
