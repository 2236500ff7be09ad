// Holds what a listener counts, connections, bytes and errors, against what its clients did.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { rawClient, talk, until } from './raw-http.ts';
import { body, routes, setUp, ask, openSession, silenceErrors } from './test-listener.ts';

describe('counting', () => {
  test(
    'bytes and connections of HTTP/1.1 are what the clients ' + 'counted, while they live and afterwards',
    async (t) => {
      const { url, read } = await setUp(t, 'h1');
      const a = await rawClient(url);
      const b = await rawClient(url);
      a.socket.write('GET /here HTTP/1.1\r\nhost: a\r\n\r\n');
      b.socket.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
      await a.saw(/x{5000}/);
      await b.saw(/begun/);
      const bytes = (name: 'bytesRead' | 'bytesWritten') => a.socket[name] + b.socket[name];
      const seen = () => {
        const { connectionsOpened, connectionsClosed, bytesIn, bytesOut } = read();
        return { connectionsOpened, connectionsClosed, bytesIn, bytesOut };
      };
      assert.deepEqual(seen(), {
        connectionsOpened: 2,
        connectionsClosed: 0,
        bytesIn: bytes('bytesWritten'),
        bytesOut: bytes('bytesRead'),
      });
      a.socket.end();
      b.socket.destroy();
      await until('both are closed', () => seen().connectionsClosed === 2);
      assert.deepEqual(seen(), {
        connectionsOpened: 2,
        connectionsClosed: 2,
        bytesIn: bytes('bytesWritten'),
        bytesOut: bytes('bytesRead'),
      });
    },
  );

  for (const over of ['h2', 'h2c'] as const) {
    test(`bytes and connections of ${over} are what the client counted, plaintext in TLS`, async (t) => {
      const { endpoint, read } = await setUp(t, over);
      const { session, socket, get } = await openSession(endpoint);
      assert.equal((await get('/here')).text, body);
      assert.equal((await get('/nowhere')).status, 404);
      await until('acknowledgements have come', () => read().bytesIn === socket.bytesWritten);
      const live = read();
      assert.deepEqual(
        [live.connectionsOpened, live.connectionsClosed, live.bytesOut],
        [1, 0, socket.bytesRead],
      );
      assert.ok(live.bytesOut > body.length && live.bytesOut < body.length + 1000);
      session.close();
      await until('it is closed', () => read().connectionsClosed === 1 && socket.closed);
      assert.deepEqual([read().bytesIn, read().bytesOut], [socket.bytesWritten, socket.bytesRead]);
    });
  }

  test('a publisher on the same port is not counted, whatever it asks for later', async (t) => {
    const { url, read } = await setUp(t, 'h1');
    const publisher = await rawClient(url);
    const silent = await rawClient(url);
    const other = await rawClient(url);
    publisher.socket.write(
      'POST /topics/a HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1GET /here HTTP/1.1\r\nhost: a\r\n\r\n',
    );
    await publisher.saw(/x{5000}/);
    assert.deepEqual([read().connectionsOpened, read().bytesIn, read().bytesOut], [0, 0, 0]);
    // The first request decides, so that no counter ever falls.
    other.socket.write('GET /here HTTP/1.1\r\nhost: a\r\n\r\n');
    await other.saw(/x{5000}/);
    other.socket.write('POST /topics/a HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1');
    await other.saw(/published/);
    assert.deepEqual([read().connectionsOpened, read().bytesIn], [1, other.socket.bytesWritten]);
    for (const { socket } of [publisher, other, silent]) socket.end();
    await until('the others are closed', () => read().connectionsClosed === 2);
    assert.deepEqual(
      [read().connectionsOpened, read().bytesIn, read().bytesOut],
      [2, other.socket.bytesWritten, other.socket.bytesRead],
    );
  });

  test('beside HTTP/2 the publisher has an HTTP/1.1 port of its own, which is not counted', async (t) => {
    for (const over of ['h2', 'h2c'] as const) {
      const { endpoint, read } = await setUp(t, over);
      assert.notEqual(new URL(endpoint.publishUrl).port, new URL(endpoint.url).port);
      assert.equal((await ask(endpoint.publishUrl, '/topics/a', 'POST', '1')).status, 201);
      assert.equal((await ask(endpoint.publishUrl, '/here')).status, 404);
      assert.deepEqual([read().connectionsOpened, read().bytesIn], [0, 0]);
    }
  });

  test('an upgraded connection is counted to its end', async (t) => {
    const { url, read } = await setUp(t, 'h1', {
      pattern: {
        routes,
        upgrade(_request, socket, head, { pathname }) {
          if (pathname === '/throws') throw new Error('a defect');
          socket.write(`HTTP/1.1 101 Switching Protocols\r\n\r\n${head.toString()}`);
          socket.on('data', (piece) => socket.write(piece)).on('end', () => socket.end());
        },
      },
    });
    const said = silenceErrors();
    const upgrade = (path: string) =>
      `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n`;
    const client = await rawClient(url);
    client.socket.write(`${upgrade('/echo')}early`);
    await client.saw(/early/);
    client.socket.write('late');
    await client.saw(/late/);
    client.socket.end();
    await client.closed;
    await until('it is closed', () => read().connectionsClosed === 1);
    assert.deepEqual(
      [read().bytesIn, read().bytesOut],
      [client.socket.bytesWritten, client.socket.bytesRead],
    );
    assert.match(await talk(url, upgrade('/throws')), /^HTTP\/1.1 500 /);
    for (const target of ['nonsense', '*'])
      assert.match(await talk(url, upgrade(target)), /^HTTP\/1.1 400 /, target);
    const fields: [string, number][] = [
      ['host: b', 400],
      ['content-length: 5', 400],
      ['transfer-encoding: chunked', 400],
      ['transfer-encoding: gzip, chunked', 501],
    ];
    for (const [field, status] of fields)
      assert.match(
        await talk(url, upgrade('/echo').replace('\r\n\r\n', `\r\n${field}\r\n\r\n`)),
        new RegExp(`^HTTP/1.1 ${status} `),
        field,
      );
    assert.deepEqual(said, ['Error: a defect']);
  });
});
