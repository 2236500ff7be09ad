// Subscribers of a target over WebSocket, with `ws` as the oracle.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, test, type TestContext } from 'vitest';
import { WebSocketServer } from 'ws';
import { listen, until } from '../context.ts';
import { access, event, subscribe } from './fixture.ts';

describe('websocket', () => {
  async function socketServer(
    t: TestContext,
    more: { handleProtocols?: () => string | false; perMessageDeflate?: boolean } = {},
  ) {
    const server = createServer();
    const sockets = new WebSocketServer({ server, ...more });
    const url = await listen(t, server);
    return { url, sockets };
  }

  test(
    'says what the file says to say, asks for the ' + 'subprotocol, and finds events in text and binary',
    async (t) => {
      const { url, sockets } = await socketServer(t, { handleProtocols: () => 'feed.v1' });
      const said: string[] = [];
      sockets.on('connection', (socket, request) => {
        said.push(request.url!);
        socket.on('message', (message) => {
          said.push(String(message));
          if (said.length < 4) return;
          socket.send(`{"pub":${event(1)}}\n{"pub":${event(2)}}`);
          socket.send(Buffer.from(event(3)), { binary: true });
        });
      });
      const yaml =
        `subscribe: { websocket: { url: "ws://127.0.0.1:${new URL(url).port}/ws", protocol: feed.v1, send: ` +
        `['{"connect":{}}', '{"subscribe":"{topic}"}'] } }\ntopics: fixed`;
      const seen = await subscribe(t, 'websocket', access(url, yaml), { deflate: false }, ['news', 'mail']);
      await until(() => seen.bodies.get(0)?.length === 3);
      assert.deepEqual(said, ['/ws', '{"connect":{}}', '{"subscribe":"news"}', '{"subscribe":"mail"}']);
      assert.deepEqual([seen.ready, seen.problems, seen.counters.upstreamMessages], [[0], [], 3]);
    },
  );

  test('compressed, and reconnecting after a close', async (t) => {
    const { url, sockets } = await socketServer(t, { perMessageDeflate: true });
    let connections = 0;
    sockets.on('connection', (socket) => {
      connections++;
      socket.send(`{"wrapped":${event(connections)},"pad":"${'x'.repeat(2000)}"}`);
      if (connections === 1) setTimeout(() => socket.close(1001), 20);
    });
    const seen = await subscribe(t, 'websocket', access(url, 'subscribe: { websocket: /ws }'), {
      deflate: true,
    });
    await until(() => seen.bodies.get(0)?.length === 2);
    assert.deepEqual([seen.ready, seen.lost, seen.counters.reconnects], [[0, 0], [0], 1]);
    assert.ok(seen.counters.bytesIn < 2000);
  });

  for (const [code, problems] of [
    [1001, ['the server closed the connection with code 1001']],
    [1012, []],
    [1013, ['the server closed the connection with code 1013']],
  ] as const) {
    test(`after close code ${code} the subscriber comes back`, async (t) => {
      const { url, sockets } = await socketServer(t);
      const codes: number[] = [];
      let connections = 0;
      sockets.on('connection', (socket) => {
        socket.on('close', (given) => codes.push(given));
        if (++connections === 1) socket.close(code);
      });
      const seen = await subscribe(t, 'websocket', access(url, 'subscribe: { websocket: /ws }'), {
        deflate: false,
      });
      await until(() => seen.ready.length === 2);
      assert.deepEqual(
        [codes, seen.problems.map(({ message }) => message), seen.counters.reconnects],
        [[code], problems, 1],
      );
    });
  }
});
