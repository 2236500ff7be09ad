// Clients that ask and never read, over real sockets: whatever their way in, what is held for them is
// bounded, they are cut off, and others are served.

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { createServer, ServerResponse } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { describe, test, type TestContext, vi } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { cutUnread, unreadMs } from '../../../core/http/unread.ts';
import { mostPipelined } from '../../../servers/http/connections.ts';
import { createHub } from '../../../servers/hub/hub.ts';
import { createRouter } from '../../../servers/http/router.ts';
import type { Service } from '../../../servers/webhook/service.ts';
import { webhookStream } from '../../../servers/webhook/http/stream.ts';
import { rawClient, talk, until } from './raw-http.ts';
import { getRequest, serve } from '../streams.ts';
import { handshake, masked } from '../websocket-clients.ts';

/** More than the socket buffers of both ends take, whose sizes are the kernel's. */
const moreThanKernelBytes = 24 * 1024 ** 2;

/** A body that no coding makes much smaller. */
const noise = JSON.stringify(randomBytes(75_000).toString('base64'));

/** A client that sends and never reads. */
async function deafClient(t: TestContext, url: string, request: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.pause().on('error', () => {}); // a reset is an end like others
  t.onTestFinished(() => void socket.destroy());
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(request);
  return socket;
}

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

describe('requests in a pipeline whose answers nobody reads', () => {
  const rows = [
    ['polling', 'polling', '/poll'],
    ['long polling', 'long-polling', '/long-poll'],
  ] as const;
  for (const [name, pattern, path] of rows) {
    test(`${name}: one answer is made at a time`, async (t) => {
      const { url, publish, at, count } = await serve(t, pattern);
      for (let i = 0; i < 30; i++) publish('a', noise);
      const asked = 90;
      await deafClient(t, url, getRequest(`${path}?topics=a&since=${at(0)}`).repeat(asked));
      // Answers are made until the kernel takes no more.
      let [before, same] = [-1, 0];
      await until('no more are made', () => {
        const [made] = count('fullPolls') as [number];
        same = made > 0 && made === before ? same + 1 : 0;
        before = made;
        return same === 50;
      });
      assert.ok(before * defaultLimits.slowBuffer < moreThanKernelBytes, `${before} answers were made`);
      assert.match(await talk(url, getRequest('/', 'Connection: close')), /^HTTP\/1.1 200/);
    });

    test(`${name}: one who reads gets all answers, in order`, async (t) => {
      const { url, publish, at } = await serve(t, pattern);
      for (let i = 0; i < 60; i++) publish('a', `"number ${i}"`);
      const text = await talk(
        url,
        Array.from({ length: 50 }, (_, i) =>
          getRequest(`${path}?topics=a&since=${at(i)}`, ...(i === 49 ? ['Connection: close'] : [])),
        ).join(''),
      );
      const firsts = text
        .split('HTTP/1.1 200')
        .slice(1)
        .map((answer) => /"seq":(\d+)/.exec(answer)?.[1]);
      assert.deepEqual(
        firsts,
        Array.from({ length: 50 }, (_, i) => String(i + 1)),
      );
    });
  }

  test(
    'requests behind a stream that does not end wait, and ' + 'too many of them end the connection',
    async (t) => {
      for (const [pattern, path] of [
        ['http-stream', '/stream?topics=a&since='],
        ['long-polling', '/long-poll?topics=a&since='],
      ] as const) {
        const { url, hub, at, count, joined } = await serve(t, pattern);
        const socket = await deafClient(t, url, getRequest(path + at(0)).repeat(mostPipelined / 2));
        await joined(1);
        assert.equal(hub.subscriptions(), 1);
        socket.resume().write(getRequest(path + at(0)).repeat(mostPipelined));
        await until('it is cut', () => socket.destroyed);
        assert.deepEqual(count('errors'), [1], pattern);
        await joined(0);
        assert.match(await talk(url, getRequest('/', 'Connection: close')), /^HTTP\/1.1 200/);
      }
    },
  );

  test('a publisher that never reads its answers is read no further', async (t) => {
    const { url, hub, count } = await serve(t, 'polling', {}, { history: 1 });
    const socket = await deafClient(t, url, '');
    const requests = Buffer.from(
      'POST /topics/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\n1'.repeat(1000),
    );
    let [before, same] = [-1, 0];
    await until(
      'nothing is taken any more',
      () => {
        while (socket.writableLength < 1e6) socket.write(requests);
        same = hub.published() > 0 && hub.published() === before ? same + 1 : 0;
        before = hub.published();
        return same === 50;
      },
      60_000,
    );
    assert.ok(hub.published() * 300 < moreThanKernelBytes, `${hub.published()} events were taken`);
    assert.equal(count('bytesOut')[0]! < moreThanKernelBytes, true);
  });
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

describe('an answer that does not leave', () => {
  async function cutting(t: TestContext, ms: number, answer: (response: ServerResponse) => void) {
    const sockets: Socket[] = [];
    const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => answer(response)).on(
      'connection',
      (socket) => void sockets.push(socket),
    );
    cutUnread(server, ms);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets };
  }

  test('ends its connection, with others behind it or none', async (t) => {
    const { url, sockets } = await cutting(
      t,
      200,
      (response) => void response.end(Buffer.alloc(moreThanKernelBytes)),
    );
    for (const [i, requests] of [1, 3].entries()) {
      const socket = await deafClient(t, url, getRequest('/').repeat(requests));
      await until('the server has given up', () => sockets[i]?.closed === true);
      socket.resume(); // the end stands behind what the kernel holds
      await until('the client knows', () => socket.closed);
      assert.ok(socket.bytesRead < moreThanKernelBytes, `${socket.bytesRead} bytes came`);
    }
  });

  test(
    'a connection on which nothing waits may be silent: before a ' +
      'request, during a held one, between two',
    async (t) => {
      const held: ServerResponse[] = [];
      const { url } = await cutting(t, 50, (response) => void held.push(response));
      const clients = await Promise.all([rawClient(url), rawClient(url)]);
      clients[0]!.socket.write(getRequest('/'));
      await until('held', () => held.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 300));
      held[0]!.end('late');
      await clients[0]!.saw(/late/);
      await new Promise((resolve) => setTimeout(resolve, 300));
      for (const { socket } of clients) socket.write(getRequest('/'));
      await until('both are still there', () => held.length === 3);
    },
  );
});
