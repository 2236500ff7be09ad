// Sticky sessions of a real HAProxy, with subscribers that keep its cookie: whose connection is cut comes
// back to the same server, and who had a server that is gone or drained is given another.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { skipWhen } from '../../skip.ts';
import { absent, behindHaproxy, moveServer, until } from './behind-haproxy.ts';

describe.concurrent('streams and sockets', () => {
  test.for(['http-stream', 'sse', 'websocket'] as const)('%s', async (pattern, t) => {
    skipWhen(t, absent);
    const { servers, haproxy, seen, subscribe } = await behindHaproxy(t, pattern, { sticky: true });
    const counts = () => servers.map((server) => server.subscribers());
    await subscribe(0, 8);
    assert.deepEqual(counts(), [4, 4]);

    // Without the cookie leastconn would bring most of them to the empty one.
    servers[0]!.disconnect(1);
    servers[1]!.disconnect(0.5);
    await until(() => seen.ready.length === 14);
    assert.deepEqual(counts(), [4, 4], 'each is back where it was');

    await haproxy.drain(1);
    servers[0]!.disconnect(1);
    await until(() => seen.ready.length === 18);
    assert.deepEqual(counts(), [0, 8], 'a drained server gets not even those who know it');

    await haproxy.ready(1);
    servers[1]!.disconnect(1);
    await until(() => seen.ready.length === 26);
    assert.deepEqual(counts(), [0, 8], 'and they stay with the server that they were given then');

    await subscribe(8, 12);
    assert.deepEqual(counts(), [4, 8]);
    await moveServer(haproxy, 2, 1); // nothing listens there
    servers[1]!.disconnect(1);
    await until(() => servers[0]!.subscribers() === 12);
  });
});

describe.concurrent('polls', () => {
  test.for([
    ['polling', { every: '20ms' }],
    ['long-polling', { hold: '50ms' }],
  ] as const)('%s: every poll goes to the same server, until it is gone', async ([pattern, options], t) => {
    skipWhen(t, absent);
    const { servers, seen, subscribe } = await behindHaproxy(t, pattern, { sticky: true, options });
    const polls = () => servers.map((server) => server.counters().emptyPolls + server.counters().fullPolls);
    await subscribe(0, 1);
    await until(() => Math.max(...polls()) >= 10);
    const own = polls()[0]! > 0 ? 0 : 1;
    assert.equal(polls()[1 - own], 0);
    assert.equal(seen.counters.resets, 0, 'its cursor means something there');
    servers[own]!.disconnect(1);
    const before = polls()[own]!;
    await until(() => polls()[own]! >= before + 10);
    assert.equal(polls()[1 - own], 0, 'back on another connection, and at the same server');
    await servers[own]!.close();
    await until(() => polls()[1 - own]! >= 10);
    assert.equal(
      seen.counters.resets,
      1,
      'nothing connects these servers: the new one says that it is too late',
    );
  });

  test('without stickiness polls go from server to server', async (t) => {
    skipWhen(t, absent);
    const { servers, subscribe } = await behindHaproxy(t, 'polling', { options: { every: '20ms' } });
    await subscribe(0, 1);
    await until(() => servers.every((server) => server.counters().emptyPolls >= 5));
  });
});
