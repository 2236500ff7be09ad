// Reads Server-Sent Events over HTTP/2, in clear text and over TLS, with Node's own client.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { test, type TestContext } from 'vitest';
import { until } from './http/raw-http.ts';
import { serve } from './streams.ts';
import { reader } from './sse-clients.ts';

async function overHttp2(
  t: TestContext,
  { url, certificate }: { url: string; certificate?: string },
): Promise<ClientHttp2Session> {
  const session = connectHttp2(url, certificate === undefined ? {} : { ca: certificate });
  session.on('error', () => {});
  t.onTestFinished(() => session.destroy());
  await once(session, 'connect');
  return session;
}

async function ask(session: ClientHttp2Session, path: string, headers: Record<string, string> = {}) {
  const stream: ClientHttp2Stream = session.request({ ':path': path, ...headers });
  const got = reader();
  stream.on('data', got.feed);
  stream.on('error', () => {});
  const [response] = (await once(stream, 'response')) as [Record<string, string | number>];
  return { stream, response, ...got };
}

for (const over of ['h2', 'h2c'] as const) {
  test(`${over}: streams of one connection, each with its own topics, framing and end`, async (t) => {
    const { endpoint, publish, joined, at, close, count } = await serve(t, 'sse', { over });
    const session = await overHttp2(t, endpoint);
    const streams = await Promise.all(
      Array.from({ length: 20 }, (_, i) => ask(session, `/events?topics=all,own.${i}`)),
    );
    await joined(20);
    for (const { response } of streams) {
      assert.equal(response[':status'], 200);
      assert.equal(response['content-type'], 'text/event-stream');
      assert.equal(response['connection'], undefined);
      assert.equal(response['transfer-encoding'], undefined);
    }
    const [all] = publish('all', '"é"');
    const [own] = publish('own.7', JSON.stringify('x'.repeat(200_000)));
    await until('delivered', () => streams.every(({ events }, i) => events.length === (i === 7 ? 2 : 1)));
    assert.deepEqual(
      streams[7]!.events.map(({ id, data }) => [id, data]),
      [
        [at(1), all!.json],
        [at(2), own!.json],
      ],
    );
    assert.deepEqual(streams[3]!.retries, [1000]);
    const resumed = await ask(session, '/events?topics=own.7', { 'last-event-id': at(1) });
    await until('resumed', () => resumed.events.length === 1);
    assert.deepEqual(count('connectionsOpened', 'handshakes', 'events'), [1, 21, 22]);
    const ended = Promise.all(streams.map(({ stream }) => once(stream, 'end')));
    const done = close();
    await ended;
    const late = await ask(session, '/events?topics=all');
    assert.equal(late.response[':status'], 204);
    await done;
  });

  test(
    `${over}: a disconnect cuts streams, not everybody on the connection; ` +
      'a client that resets one leaves nothing behind',
    async (t) => {
      const { endpoint, hub, publish, joined, disconnect } = await serve(t, 'sse', { over });
      const session = await overHttp2(t, endpoint);
      const streams = await Promise.all(Array.from({ length: 10 }, () => ask(session, '/events?topics=a')));
      await joined(10);
      disconnect(0.5);
      await joined(5);
      await until('five know', () => streams.filter(({ stream }) => stream.closed).length === 5);
      publish('a', '1');
      await until('the others go on', () => streams.filter(({ events }) => events.length === 1).length === 5);
      for (const { stream } of streams) stream.close();
      await joined(0);
      assert.equal(hub.subscriptions(), 0);
    },
  );

  test(
    `${over}: a stream whose client takes nothing is cut off, ` + 'and the others of the connection go on',
    async (t) => {
      const { endpoint, publish, joined, count } = await serve(t, 'sse', { over }, { slowBuffer: 200_000 });
      const session = await overHttp2(t, endpoint);
      const slow = await ask(session, '/events?topics=a');
      const other = await ask(session, '/events?topics=a');
      await joined(2);
      slow.stream.pause();
      for (let i = 0; i < 60; i++) {
        publish('a', JSON.stringify('x'.repeat(20_000)));
        await until('read', () => other.events.length === i + 1);
      }
      await joined(1);
      assert.deepEqual(count('slowDisconnects'), [1]);
    },
  );
}
