// Holds WebSocket subscribers against the `ws` server. Servers that break the protocol are
// websocket-wrong.test.ts.

import assert from 'node:assert/strict';
import { createServer, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'vitest';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { envelope, listen, split, testContext, until } from './context.ts';
import { open, start } from './websocket-subscribers.ts';

type Accept = (socket: WebSocket, request: IncomingMessage, connection: number) => void;

/** The `ws` server, which is known to be right. */
async function wsServer(
  t: TestContext,
  accept: Accept,
  options: ServerOptions = {},
): Promise<{ url: string; protocolErrors: Error[]; tcp: Socket[] }> {
  const [protocolErrors, tcp]: [Error[], Socket[]] = [[], []];
  const http = createServer();
  let connections = 0;
  http.on('connection', (socket) => void tcp.push(socket));
  new WebSocketServer({ server: http, ...options }).on('connection', (socket, request) => {
    socket.on('error', (error) => protocolErrors.push(error));
    accept(socket, request, connections++);
  });
  return { url: await listen(t, http), protocolErrors, tcp };
}

test(
  'messages of every size, whole and in fragments, with pings ' +
    'between, arrive and the pings are answered',
  async (t) => {
    const sizes = [0, 1, 60, 125, 126, 1000, 65_400, 70_000, 300_000];
    const bodies = sizes.map((size) => `"${'x'.repeat(size)}é"`);
    const pongs: string[] = [];
    const { url, protocolErrors } = await wsServer(t, (socket) => {
      socket.on('pong', (data: Buffer) => pongs.push(data.toString()));
      socket.send(open());
      bodies.forEach((body, i) => {
        socket.send(envelope(2 * i + 1, body));
        const bytes = Buffer.from(envelope(2 * i + 2, body));
        const pieces = split(bytes, [Math.ceil(bytes.length / 3)]);
        pieces.forEach((piece, k) => {
          socket.send(piece, { binary: false, fin: k === pieces.length - 1 });
          if (i < 3) socket.ping(`${i}.${k}`);
        });
      });
    });
    const seen = testContext(url);
    await start(t, seen, { subscribers: 3 });
    await until(() => seen.counters.events === 3 * 2 * sizes.length && pongs.length === 27);
    for (const got of seen.bodies.values())
      assert.deepEqual(
        got,
        bodies.flatMap((body) => [body, body]),
      );
    assert.deepEqual(
      pongs.slice().sort(),
      Array.from({ length: 9 }, (_, i) => `${Math.floor(i / 3)}.${i % 3}`).flatMap((v) => [v, v, v]),
    );
    assert.deepEqual([seen.counters.heartbeats, seen.problems, protocolErrors], [27, [], []]);
  },
);

for (const [how, perMessageDeflate] of [
  ['with memory of earlier messages', { threshold: 0 }],
  ['each by itself', { threshold: 0, serverNoContextTakeover: true }],
  ['with a small window', { threshold: 0, serverMaxWindowBits: 9 }],
  ['only when they are large', { threshold: 500 }],
] as const) {
  test(`compressed messages, ${how}, are read`, async (t) => {
    const bodies = Array.from({ length: 50 }, (_, i) =>
      JSON.stringify({ i, text: `the same words again and again ${'and again '.repeat(i * 20)}` }),
    );
    let extensions = '';
    const { url } = await wsServer(
      t,
      (socket) => {
        extensions = socket.extensions;
        socket.send(open());
        bodies.forEach((body, i) => socket.send(envelope(i + 1, body)));
      },
      { perMessageDeflate },
    );
    const seen = testContext(url);
    await start(t, seen, { subscribers: 2, deflate: true });
    await until(() => seen.counters.events === 100);
    assert.equal(extensions, 'permessage-deflate');
    for (const got of seen.bodies.values()) assert.deepEqual(got, bodies);
    assert.deepEqual(seen.problems, []);
    assert.ok(seen.counters.bytesIn < 2 * bodies.join('').length, 'it was compressed');
  });
}

test('a subscriber that is cut off comes back from the last event it saw', async (t) => {
  const requests: string[] = [];
  const { url } = await wsServer(t, (socket, request, connection) => {
    requests.push(request.url!);
    socket.send(
      JSON.stringify({ socket: 'open', cursor: 'abc123-5', ...(connection === 1 && { reset: true }) }),
    );
    if (connection === 0) socket.send(envelope(6), () => socket.terminate());
    else socket.send(envelope(7));
  });
  const seen = testContext(url, { topicsOf: () => ['a', 'b.1'] });
  await start(t, seen);
  await until(() => seen.counters.events === 2);
  assert.deepEqual(requests, ['/ws?topics=a,b.1', '/ws?topics=a,b.1&since=abc123-6']);
  const { handshakes, reconnects, resets } = seen.counters;
  assert.deepEqual({ handshakes, reconnects, resets }, { handshakes: 2, reconnects: 1, resets: 1 });
  assert.equal(seen.resets.length, 1);
  assert.deepEqual([seen.ready, seen.lost], [[0, 0], [0]]);
});

for (const [code, comesBack, problem] of [
  [1000, true, undefined],
  [1012, true, undefined],
  [1013, true, 'the server closed the connection with code 1013'],
  [1008, true, 'the server closed the connection with code 1008'],
  [1001, false, 'the server closed the connection with code 1001'],
] as const) {
  test(`after close code ${code} the subscriber ${comesBack ? 'comes back' : 'stays away'}`, async (t) => {
    const codes: number[] = [];
    let connections = 0;
    const { url, protocolErrors } = await wsServer(t, (socket, _, connection) => {
      connections++;
      socket.on('close', (given) => codes.push(given));
      socket.send(open());
      if (connection === 0) socket.close(code, 'because');
    });
    const seen = testContext(url);
    await start(t, seen);
    await until(() => seen.lost.length === 1 && codes.length === 1 && seen.counters.connectionsClosed === 1);
    if (comesBack) await until(() => connections === 2);
    else await new Promise((resolve) => setTimeout(resolve, 150)); // three times the longest wait
    assert.equal(connections, comesBack ? 2 : 1);
    assert.deepEqual(codes, [code], 'the closing handshake was answered');
    assert.deepEqual(
      seen.problems.map(({ message }) => message),
      problem === undefined ? [] : [problem],
    );
    assert.deepEqual(protocolErrors, []);
  });
}

test('1013 asks for the longest wait of the own policy, and nobody comes back earlier', async (t) => {
  const connectedMs: number[] = [];
  const { url } = await wsServer(t, (socket) => {
    connectedMs.push(performance.now());
    socket.send(open());
    if (connectedMs.length === 1) socket.close(1013);
  });
  // No wait of its own on top.
  await start(t, testContext(url, { reconnect: { base: 10, cap: 500 }, random: () => 0 }));
  await until(() => connectedMs.length === 2);
  const waitedMs = connectedMs[1]! - connectedMs[0]!;
  assert.ok(waitedMs > 480, `${waitedMs} ms`);
});

test('closing says goodbye, reads the answer, and both ends count the same bytes', async (t) => {
  const codes: number[] = [];
  const { url, tcp } = await wsServer(t, (socket) => {
    socket.on('close', (code) => codes.push(code));
    socket.send(open());
  });
  const seen = testContext(url);
  const running = await start(t, seen, { subscribers: 20 });
  await until(() => seen.ready.length === 20);
  await running.close(2000);
  await until(() => tcp.every((socket) => socket.destroyed));
  assert.deepEqual(
    codes,
    Array.from({ length: 20 }, () => 1001),
  );
  const sum = (values: number[]) => values.reduce((a, b) => a + b);
  assert.equal(seen.counters.bytesIn, sum(tcp.map((socket) => socket.bytesWritten)));
  assert.equal(seen.counters.bytesOut, sum(tcp.map((socket) => socket.bytesRead)));
  assert.deepEqual([seen.counters.connectionsClosed, seen.problems], [20, []]);
});
