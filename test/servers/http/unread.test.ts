// Opens clients that ask and never read, over real sockets: whatever their way in, what is held for them is
// bounded, they are cut off, and others are served.

import assert from 'node:assert/strict';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test, type TestContext, vi } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { unreadMs } from '../../../core/http/unread.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { createRouter } from '../../../servers/http/router.ts';
import type { Service } from '../../../servers/webhook/service.ts';
import { webhookStream } from '../../../servers/webhook/http/stream.ts';
import { rawClient, until } from './raw-http.ts';
import { getRequest, serve } from '../streams.ts';
import { handshake, masked } from '../websocket-clients.ts';
import { moreThanKernelBytes, noise, deafClient } from './unread-clients.ts';

/** A session that gives its streams no window at all, so that nothing but heads comes. */
function deafSession(t: TestContext, endpoint: { url: string; certificate?: string }): ClientHttp2Session {
  const session = connectHttp2(endpoint.url, {
    settings: { initialWindowSize: 0, enablePush: false },
    ...(endpoint.certificate && { ca: endpoint.certificate }),
  });
  session.on('error', () => {});
  session.setMaxListeners(0);
  t.onTestFinished(() => session.destroy());
  return session;
}

function ask(session: ClientHttp2Session, path: string) {
  const stream = session.request({ ':path': path });
  stream.on('error', () => {}); // a reset is an end like others
  return {
    stream,
    answered: new Promise<void>((resolve) =>
      stream.once('response', () => resolve()).once('close', () => resolve()),
    ),
  };
}

describe('a subscriber that never reads is cut off, whatever its way in', () => {
  const gzip = 'Accept-Encoding: gzip';
  const ways = [
    ['http-stream', 'http-stream', {}, (query: string) => getRequest(`/stream?${query}`)],
    [
      'http-stream in gzip',
      'http-stream',
      { gzip: true },
      (query: string) => getRequest(`/stream?${query}`, gzip),
    ],
    ['sse', 'sse', {}, (query: string) => getRequest(`/events?${query}`)],
    ['sse in gzip', 'sse', { gzip: true }, (query: string) => getRequest(`/events?${query}`, gzip)],
    ['sse over h2', 'sse', { over: 'h2' }, undefined],
    ['sse over h2c', 'sse', { over: 'h2c' }, undefined],
    ['websocket', 'websocket', {}, (query: string) => handshake(`/ws?${query}`)],
    [
      'websocket, deflated',
      'websocket',
      { deflate: true },
      (query: string) => handshake(`/ws?${query}`, 'Sec-WebSocket-Extensions: permessage-deflate'),
    ],
  ] as const;
  for (const [name, pattern, options, request] of ways) {
    test(name, async (t) => {
      const { endpoint, url, publish, at, joined, count } = await serve(t, pattern, options, {
        slowBuffer: 300_000,
      });
      for (let sent = 0; sent < moreThanKernelBytes / 2; sent += noise.length) publish('a', noise);
      const queries = ['topics=a', `topics=a&since=${at(0)}`, 'topics=a&since=last'];
      const session = request ? undefined : deafSession(t, endpoint);
      for (const query of queries) {
        if (session) await ask(session, `/events?${query}`).answered;
        else await deafClient(t, url, request!(query));
      }
      await joined(3);
      let published = 0;
      await until('all are cut off', () => {
        published += publish('a', noise).length * noise.length;
        return count('slowDisconnects')[0] === 3;
      });
      assert.ok(published < moreThanKernelBytes, `${published} bytes were published before`);
      await joined(0);
      assert.ok(count('bytesOut')[0]! < queries.length * moreThanKernelBytes);
    });
  }

  test('a thousand streams of one HTTP/2 session', async (t) => {
    const { endpoint, publish, at, joined, count } = await serve(
      t,
      'sse',
      { over: 'h2c' },
      { slowBuffer: 100_000 },
    );
    for (let i = 0; i < 20; i++) publish('a', noise);
    const session = deafSession(t, endpoint);
    await Promise.all(
      Array.from({ length: 1000 }, (_, i) => ask(session, `/events?topics=a&since=${at(i % 15)}`).answered),
    );
    await joined(1000);
    publish('a', noise, noise);
    await joined(0);
    assert.deepEqual(count('slowDisconnects'), [1000]);
  });
});

test('what asks over HTTP/2 and opens no window is reset, answers as well as streams', async (t) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const { endpoint, publish, at, joined, count } = await serve(t, 'sse', { over: 'h2c' });
  for (let i = 0; i < 5; i++) publish('a', noise);
  const session = deafSession(t, endpoint);
  const asked = ['/', '/nowhere', `/events?topics=a&since=${at(0)}`, '/events?topics=quiet'].map((path) =>
    ask(session, path),
  );
  await Promise.all(asked.map(({ answered }) => answered));
  await joined(2);
  for (let look = 0; look < 6; look++) vi.advanceTimersByTime(unreadMs / 4);
  await until('all are reset', () => asked.every(({ stream }) => stream.closed));
  assert.deepEqual(count('slowDisconnects'), [2]);
});

test('a client that floods a socket with pings and does not read is owed one answer', async (t) => {
  const { url, joined, count } = await serve(t, 'websocket');
  const socket = await deafClient(t, url, handshake('/ws?topics=a'));
  await joined(1);
  const pings = Buffer.concat(Array.from({ length: 1000 }, () => masked(0x89, 'x'.repeat(125))));
  let sent = 0;
  await until(
    'more pings were read than answers are held',
    () => {
      for (; socket.writableLength < 1e6 && sent < 3 * moreThanKernelBytes; sent += pings.length)
        socket.write(pings);
      return sent >= 3 * moreThanKernelBytes && socket.writableLength === 0;
    },
    60_000,
  );
  assert.ok(
    count('bytesOut')[0]! < moreThanKernelBytes,
    `${count('bytesOut')} bytes of answers to ${sent} bytes of pings`,
  );
  // When it reads again, the answer to its newest ping is the last.
  socket.write(masked(0x89, 'the newest'));
  let tail = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => (tail = Buffer.concat([tail, bytes]).subarray(-100)));
  socket.resume();
  await until('the newest is answered', () => tail.includes('the newest'));
});

test("one that watches a dashboard's stream and does not read is held no more than slowBuffer", async (t) => {
  let tell: (message: object) => void = () => {};
  const service = {
    watch(told: (message: object) => void) {
      tell = told;
      return () => {};
    },
    stats: () => ({}),
  } as unknown as Service; // all that the stream asks of it
  const stream = webhookStream(
    {
      hub: createHub(defaultLimits),
      limits: defaultLimits,
      counters: newCounters(),
      countConnection() {},
      random: Math.random,
    },
    service,
  );
  const sockets: Socket[] = [];
  const server = createServer(createRouter(stream.routes, newCounters())).on(
    'connection',
    (socket) => void sockets.push(socket),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await stream.close();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await deafClient(t, url, getRequest('/webhooks/stream'));
  await deafClient(t, url, getRequest('/webhooks/stream?since=other-1'));
  const reader = await rawClient(url);
  reader.socket.write(getRequest('/webhooks/stream'));
  await reader.saw(/: open/);
  await until('all are there', () => sockets.length === 3);
  const message = { kind: 'delivery', text: 'x'.repeat(10_000) };
  for (let sent = 0; sent < moreThanKernelBytes; sent += 10_000) {
    tell(message);
    for (const socket of sockets)
      assert.ok(socket.writableLength < 1024 ** 2 + 100_000, `${socket.writableLength} bytes are held`);
    if (sent % 1_000_000 === 0) await until('the reader has it', () => sockets[2]!.writableLength === 0);
  }
});
