// Asks for answers and does not read them, one behind another or one that is large: what the server holds is
// bounded, and the connection is cut.

import assert from 'node:assert/strict';
import { createServer, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, test, type TestContext } from 'vitest';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { cutUnread } from '../../../core/http/unread.ts';
import { mostPipelined } from '../../../servers/http/connections.ts';
import { rawClient, talk, until } from './raw-http.ts';
import { getRequest, serve } from '../streams.ts';
import { moreThanKernelBytes, noise, deafClient } from './unread-clients.ts';

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
