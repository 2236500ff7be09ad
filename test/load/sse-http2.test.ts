// Subscribers of SSE over HTTP/2, many streams on a connection, against node's own server.

import assert from 'node:assert/strict';
import {
  createSecureServer,
  createServer as createHttp2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { test } from 'vitest';
import { sse } from '../../load/sse.ts';
import { certificate, key } from './certificate.ts';
import { listen, testContext, until } from './context.ts';
import { event, options, start } from './sse-fixture.ts';

for (const over of ['h2', 'h2c'] as const) {
  test(`over ${over}, a hundred streams share a connection, and a lost one is made again`, async (t) => {
    const lastIds: (string | undefined)[] = [];
    const [sessions, streams] = [new Set<ServerHttp2Session>(), new Set<ServerHttp2Stream>()];
    const server = over === 'h2' ? createSecureServer({ cert: certificate, key }) : createHttp2Server();
    server.on('session', (session: ServerHttp2Session) => {
      sessions.add(session);
      session.on('error', () => {});
    });
    server.on('stream', (stream: ServerHttp2Stream, headers) => {
      lastIds.push(headers['last-event-id'] as string | undefined);
      stream.on('error', () => {});
      stream.on('close', () => streams.delete(stream));
      streams.add(stream);
      assert.equal(headers[':path'], '/events?topics=news');
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write(`${event(lastIds.length > 250 ? 2 : 1)}: keep-alive\n\n`);
    });
    const url = (await listen(t, server)).replace('http:', over === 'h2' ? 'https:' : 'http:');
    const seen = testContext(url, { over, certificate });
    const running = await start(t, seen, 250);
    await until(() => seen.counters.events === 250 && seen.counters.heartbeats === 250);
    assert.equal(sessions.size, 3);
    assert.deepEqual(
      [seen.counters.handshakes, seen.counters.connectionsOpened, seen.problems],
      [250, 3, []],
    );

    [...sessions][0]!.destroy();
    await until(() => seen.counters.events === 350);
    // One that comes back before the old connection is quite gone is cut off twice.
    assert.ok(lastIds.length >= 350 && lastIds.slice(250).every((id) => id === 'abc123-1'));
    assert.equal(sessions.size, 4);
    assert.ok(seen.lost.length >= 100 && seen.counters.reconnects >= 100);

    await running.close(2000);
    await until(() => streams.size === 0);
    assert.deepEqual([seen.counters.connectionsOpened, seen.counters.connectionsClosed], [4, 4]);
  });

  test(`over ${over}, both ends count the same bytes`, async (t) => {
    const sockets: Socket[] = [];
    const server = over === 'h2' ? createSecureServer({ cert: certificate, key }) : createHttp2Server();
    server.on(
      over === 'h2' ? 'secureConnection' : 'connection',
      (socket: Socket) => void sockets.push(socket),
    );
    server.on('stream', (stream: ServerHttp2Stream) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      stream.write(event(1));
    });
    const url = (await listen(t, server)).replace('http:', over === 'h2' ? 'https:' : 'http:');
    const seen = testContext(url, { over, certificate });
    const running = await start(t, seen, 120);
    await until(() => seen.counters.events === 120);
    const fromMs = performance.now();
    await running.close(20_000);
    assert.ok(performance.now() - fromMs < 10_000, 'nobody had to be forced');
    await until(() => sockets.every((socket) => socket.destroyed));
    const sum = (values: number[]) => values.reduce((a, b) => a + b);
    assert.equal(seen.counters.bytesIn, sum(sockets.map((socket) => socket.bytesWritten)));
    assert.equal(seen.counters.bytesOut, sum(sockets.map((socket) => socket.bytesRead)));
  });
}

test('over HTTP/2, a refusal is a problem and a stop is a stop', async (t) => {
  let requests = 0;
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    requests++;
    stream.respond({ ':status': requests === 1 ? 503 : 204 }, { endStream: true });
  });
  const seen = testContext(await listen(t, server), { over: 'h2c' });
  await start(t, seen);
  await until(() => seen.problems.length === 2);
  assert.deepEqual(
    seen.problems.map(({ code }) => code),
    ['http-status', 'sse-stopped'],
  );
});

test('over HTTP/2, a refused connection is reported and tried again', async (t) => {
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    stream.write(event(1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const seen = testContext(`http://127.0.0.1:${port}`, { over: 'h2c' });
  const running = await start(t, seen, 3);
  await until(() => seen.problems.length > 1);
  assert.ok(seen.problems.every(({ code }) => code === 'ECONNREFUSED'));
  server.listen(port, '127.0.0.1');
  await until(() => seen.counters.events === 3);
  await running.close(2000);
  server.close();
});

test('over HTTP/2, closing does not wait for a connection that never stands', async (t) => {
  const url = await listen(
    t,
    createTcpServer({ allowHalfOpen: true }, (socket) => void socket.on('error', () => {}).resume()),
  );
  const seen = testContext(url.replace('http:', 'https:'), { over: 'h2', certificate });
  const running = await sse.start(seen.context, options);
  running.open(0);
  await running.close(50);
});

test('over HTTP/2, a connection that is reset is one problem, not one for each of its streams', async (t) => {
  const sockets: Socket[] = [];
  const server = createHttp2Server();
  server.on('connection', (socket: Socket) => void sockets.push(socket));
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
    stream.write(event(1));
  });
  const seen = testContext(await listen(t, server), { over: 'h2c' });
  await start(t, seen, 10);
  await until(() => seen.counters.events === 10);
  sockets[0]!.resetAndDestroy();
  await until(() => seen.counters.events === 20);
  assert.deepEqual([seen.problems.map(({ code }) => code), seen.lost.length], [['ECONNRESET'], 10]);
});

test('over HTTP/2, a certificate that is not the one given is refused', async (t) => {
  const seen = testContext(
    (await listen(t, createSecureServer({ cert: certificate, key }))).replace('http:', 'https:'),
    { over: 'h2' },
  );
  await start(t, seen);
  await until(() => seen.problems.length > 0);
  assert.deepEqual([seen.problems[0]!.code, seen.ready], ['DEPTH_ZERO_SELF_SIGNED_CERT', []]);
});
