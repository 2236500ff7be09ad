// Holds long polling to its bounds on held requests, and to letting go of them whichever way they end.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { rawClient, until } from './http/raw-http.ts';
import { setUp } from './long-polling-server.ts';

const heldRequest = (since: string) =>
  `GET /long-poll?topics=a&since=${since} HTTP/1.1\r\nhost: localhost\r\n\r\n`;

test(
  'requests above maxSubscribers are answered 503, and ' + 'there is room again when one is over',
  async (t) => {
    const { endpoint, ask, held, at, counters, publish } = await setUp(t, {}, { maxSubscribers: 2 });
    const clients = await Promise.all([1, 2].map(() => rawClient(endpoint.url)));
    for (const { socket } of clients) socket.write(heldRequest(at(0)));
    await held(2);
    const refused = await ask(`topics=a&since=${at(0)}`);
    assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
    assert.match(await refused.text(), /"too-many-subscribers".*2 requests are held/);
    assert.equal(counters().refusals, 1);
    clients[0]!.socket.destroy();
    await held(1);
    const third = ask(`topics=a&since=${at(0)}`);
    await held(2);
    publish('a', '1');
    assert.equal((await third).status, 200);
    await clients[1]!.saw(/"events"/);
    clients[1]!.socket.destroy();
  },
);

test('topics that nobody publishes to are limited too: 503, and nothing is held', async (t) => {
  const { ask, subscribers, hub, at, held } = await setUp(t, {}, { maxTopics: 2 });
  const refused = await ask(`topics=a,b,c&since=${at(0)}`);
  assert.deepEqual([refused.status, refused.headers.get('retry-after')], [503, '1']);
  assert.deepEqual([subscribers(), hub.subscriptions()], [0, 0]);
  const served = ask(`topics=a,b&since=${at(0)}`);
  await held(1);
  hub.publish('b', '1', {});
  assert.equal((await served).status, 200);
});

test(
  'a client that goes away frees its hold at once: abort, reset, half-close, and what waits behind it in ' +
    'a pipeline is never held',
  async (t) => {
    const { endpoint, held, at, hub, counters, publish } = await setUp(t);
    const ways: ((client: Awaited<ReturnType<typeof rawClient>>) => void)[] = [
      ({ socket }) => socket.destroy(),
      ({ socket }) => socket.resetAndDestroy(),
      ({ socket }) => socket.end(),
    ];
    for (const leave of ways) {
      const client = await rawClient(endpoint.url, { allowHalfOpen: true });
      client.socket.write(heldRequest(at(0)).repeat(3));
      await held(1);
      assert.equal(hub.subscriptions(), 1);
      leave(client);
      await held(0);
      assert.equal(hub.subscriptions(), 0);
      client.socket.destroy();
    }
    publish('a', '1');
    const { fullPolls, emptyPolls, events } = counters();
    assert.deepEqual([fullPolls, emptyPolls, events], [0, 0, 0]);
  },
);

test(
  'requests of a pipeline are held one after another, each ' + 'when the one before it was answered',
  async (t) => {
    const { endpoint, held, at, publish } = await setUp(t);
    const client = await rawClient(endpoint.url);
    client.socket.write(heldRequest(at(0)) + heldRequest(at(1)));
    await held(1);
    const [first] = publish('a', '1');
    await client.saw(new RegExp(first!.id));
    await held(1);
    const [second] = publish('a', '2');
    const text = await client.saw(new RegExp(`"id":"${second!.id}"`));
    assert.equal(text.match(/HTTP\/1\.1 200/g)?.length, 2);
    assert.equal(text.split(`"id":"${first!.id}"`).length, 2);
  },
);

test('a fault cuts the share of held requests without an answer', async (t) => {
  const { endpoint, held, at, disconnect, hub } = await setUp(t);
  const clients = await Promise.all(Array.from({ length: 10 }, () => rawClient(endpoint.url)));
  for (const { socket } of clients) socket.write(heldRequest(at(0)));
  await held(10);
  disconnect(0.4);
  await held(6);
  await until('four are cut off', () => clients.filter(({ socket }) => socket.closed).length === 4);
  assert.ok(clients.every((client) => client.text() === ''));
  assert.equal(hub.subscriptions(), 6);
});

test('with a connection for each request the server says so', async (t) => {
  const { endpoint, at, counters } = await setUp(t, { connection: 'close', hold: '10ms' });
  const client = await rawClient(endpoint.url);
  client.socket.write(heldRequest(at(0)));
  assert.match(await client.closed, /^HTTP\/1.1 204 [^]*\r\nconnection: close\r\n/i);
  await until('it is counted', () => counters().connectionsClosed === 1);
});

test('closing answers held requests with their cursor and holds no more', async (t) => {
  const { endpoint, held, at, close, hub, publish } = await setUp(t);
  publish('b', '1');
  const client = await rawClient(endpoint.url);
  client.socket.write(heldRequest(at(0)));
  await held(1);
  const another = await rawClient(endpoint.url);
  another.socket.write('GET /lo');
  await sleep(20);
  const closed = close();
  another.socket.write(heldRequest(at(0)).slice('GET /lo'.length));
  assert.match(await client.closed, new RegExp(`^HTTP/1.1 204 [^]*pushbench-cursor: ${at(1)}\r\n`));
  assert.match(await another.closed, /^(HTTP\/1.1 503 [^]*"closing"|$)/);
  await closed;
  assert.equal(hub.subscriptions(), 0);
});
