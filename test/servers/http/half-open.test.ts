// Opens connections that say nothing, or half of something: how long they may, who has to go when there is no
// room, and that others are served.

import assert from 'node:assert/strict';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type Socket } from 'node:net';
import { describe, test, type TestContext } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import type { Endpoint } from '../../../core/protocol/control.ts';
import { mostPipelined } from '../../../servers/http/connections.ts';
import { listen, type ListenOptions } from '../../../servers/http/listen.ts';
import { readBody } from '../../../servers/http/request.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';
import { forkFloodServer, type FloodServerOptions } from './flood-server.ts';
import { frameClient, frames } from './http2-frames.ts';
import { rawClient, talk, until, type RawClient } from './raw-http.ts';

async function setUp(t: TestContext, over: Endpoint['over'], more: Partial<ListenOptions>) {
  const counters = newCounters();
  const listener = await listen({
    over,
    counters,
    tally: createTally(counters),
    pattern: { routes: { 'GET /here': (_request, response) => void response.end('here') } },
    publishRoutes: {
      'POST /topics/*': async (request, response) =>
        void response.end(String((await readBody(request, 1000)).length)),
    },
    ...more,
  });
  t.onTestFinished(() => listener.close());
  return { url: listener.endpoint.url.replace('https', 'http'), counters };
}

const half = 'GET /here HTTP/1.1\r\nhost: localhost\r\n';
const whole = `${half}\r\n`;
const publish = 'POST /topics/a HTTP/1.1\r\nhost: localhost\r\ncontent-length: 3\r\n\r\n';

describe('over HTTP/1.1', () => {
  test(
    'a head that has begun must be whole in time, also the second ' +
      'one on a connection and one that drips',
    async (t) => {
      const { url, counters } = await setUp(t, 'h1', { headMs: 100 });
      const dripping = await rawClient(url);
      dripping.socket.write(`${half}x: `);
      const drip = setInterval(() => dripping.socket.write('x'), 20);
      t.onTestFinished(() => clearInterval(drip));
      const second = await rawClient(url);
      second.socket.write(whole);
      await second.saw(/here$/);
      second.socket.write(half);
      const answers = await Promise.all([talk(url, 'G'), talk(url, half), dripping.closed, second.closed]);
      for (const answer of answers)
        assert.match(answer, /HTTP\/1\.1 408 Request Timeout\r\nConnection: close\r\n/);
      assert.equal(counters.errors, 4);
    },
  );

  test(
    'a connection that has said nothing yet has more time, and all ' +
      'of the time for a head from its first byte on',
    async (t) => {
      const { url } = await setUp(t, 'h1', { headMs: 100 });
      const [early, late] = [await rawClient(url), await rawClient(url)];
      await talk(url, half); // their time for a head would be over by now
      assert.equal(early.socket.closed, false);
      early.socket.write(`${publish}abc`);
      await early.saw(/ 200 OK[^]*3$/);
      late.socket.write(half);
      assert.match(await late.closed, / 408 /);
    },
  );

  test('silence is bounded too', async (t) => {
    const { url, counters } = await setUp(t, 'h1', { headMs: 20, requestMs: 200 });
    assert.match(await talk(url, ''), / 408 /);
    assert.match(await talk(url, '\r\n'), / 408 /, 'empty lines are no beginning');
    assert.equal(counters.errors, 2);
  });

  test('an answer that is under way when a head behind it is late is not broken', async (t) => {
    const gate = Promise.withResolvers<void>();
    const { url } = await setUp(t, 'h1', {
      headMs: 50,
      pattern: {
        routes: {
          'GET /held': async (_request, response) => (await gate.promise, void response.end('held')),
          'GET /here': (_request, response) => void response.end('here'),
        },
      },
    });
    const client = await rawClient(url);
    client.socket.write('GET /held HTTP/1.1\r\nhost: localhost\r\n\r\nnonsense\r\n\r\n');
    await talk(url, half);
    assert.equal(client.text(), '');
    gate.resolve();
    assert.match(await client.closed, /^HTTP\/1\.1 200 OK[^]*held[^]*HTTP\/1\.1 400 Bad Request/);
  });
});

test('requests that wait behind a held one are bounded on each connection', async (t) => {
  let held = 0;
  const { url, counters } = await setUp(t, 'h1', {
    pattern: {
      routes: {
        'GET /held': () => void held++,
        'GET /here': (_request, response) => void response.end('here'),
      },
    },
  });
  const client = await rawClient(url);
  client.socket.write('GET /held HTTP/1.1\r\nhost: localhost\r\n\r\n'.repeat(mostPipelined + 100));
  await client.closed;
  assert.equal(counters.errors, 1);
  assert.ok(held <= mostPipelined + 1, `${held} requests`);
  assert.match(await talk(url, `${half}connection: close\r\n\r\n`), /here$/);
});

describe('over HTTP/2', () => {
  for (const over of ['h2c', 'h2'] as const) {
    test(`${over}: no handshake, no preface or half of it: closed in time, others are not`, async (t) => {
      const { url, counters } = await setUp(t, over, { requestMs: 300 });
      const hello =
        over === 'h2' ? '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' : 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
      const greeted = over === 'h2c' ? await frameClient(url) : undefined;
      for (const text of ['', hello.slice(0, 5), hello]) await talk(url, Buffer.from(text, 'latin1'));
      assert.ok(counters.errors >= 3);
      if (!greeted) return;
      assert.equal(greeted.closed(), false, 'it has sent its settings');
      greeted.socket.write(frames.get(0, '/here'));
      await until('it is answered', () => greeted.answers() === 1);
      greeted.socket.destroy();
    });
  }
});

async function fork(t: TestContext, options: FloodServerOptions) {
  const server = await forkFloodServer(options);
  t.onTestFinished(server.close);
  return server;
}

const descriptors = 128;

/**
 * Twice as many connections as the server can hold, which each send a text; some of them are closed by now.
 */
async function fill(t: TestContext, url: string, text: string): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: 2 * descriptors }, () =>
    connect({ host: hostname, port: Number(port) }, function send(this: Socket) {
      this.write(text);
    })
      .on('error', () => {})
      .resume(),
  );
  t.onTestFinished(() => sockets.forEach((socket) => socket.destroy()));
  const open = () => sockets.filter(({ closed }) => !closed).length;
  await until(
    'there is room for no more',
    () => open() < descriptors && sockets.every(({ connecting }) => !connecting),
  );
  return sockets;
}

describe('without descriptors', () => {
  const follow = 'GET /events?topics=a HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n';
  const index = 'GET / HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n';

  test(
    'who says nothing, half a head or half a body makes room for those ' +
      'who ask for something, and subscribers stay',
    async (t) => {
      const server = await fork(t, { descriptors });
      const { url } = server.endpoint;
      const subscriber = await rawClient(url);
      subscriber.socket.write(follow);
      await subscriber.saw(/ 200 OK/);
      for (const text of [
        '',
        'GET /events?topics=a HTTP/1.1\r\nhost: 127.0.0.1\r\n',
        'POST /topics/a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 10\r\n\r\nhalf',
      ]) {
        const sockets = await fill(t, url, text);
        for (let i = 0; i < 3; i++) assert.match(await talk(url, index), /^HTTP\/1\.1 200 /, text);
        assert.equal(subscriber.socket.closed, false);
        sockets.forEach((socket) => socket.destroy());
      }
    },
  );

  test('who sends no preface over HTTP/2, or no request, makes room', async (t) => {
    const server = await fork(t, { over: 'h2c', descriptors });
    const { url } = server.endpoint;
    for (const text of ['', `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frames.settings().toString('latin1')}`]) {
      const sockets = await fill(t, url, text);
      for (let i = 0; i < 3; i++) assert.equal(await askHttp2(url), 200, text);
      sockets.forEach((socket) => socket.destroy());
    }
  });

  test(
    'subscribers who take all there are do not end the server, ' + 'and when some leave others are served',
    async (t) => {
      const server = await fork(t, { descriptors });
      const { url } = server.endpoint;
      const followers: RawClient[] = [];
      t.onTestFinished(() => followers.forEach(({ socket }) => socket.destroy()));
      // One after the other: each has sent its whole request before the next comes, so that none has to go.
      for (let refused = false; !refused;) {
        const follower = await rawClient(url);
        follower.socket.write(follow);
        await until('it is served or refused', () => follower.socket.closed || follower.text() !== '');
        refused = follower.text() === '';
        if (!refused) followers.push(follower);
        assert.ok(followers.length < descriptors);
      }
      assert.equal(
        (await server.read()).subscribers,
        followers.length,
        'a sample can be taken without a descriptor',
      );
      followers.forEach(({ socket }) => socket.destroy());
      let answer = '';
      // Until it has seen them go.
      for (let i = 0; i < 1000 && answer === ''; i++) answer = await talk(url, index);
      assert.match(answer, /^HTTP\/1\.1 200 /);
    },
  );
});

function askHttp2(url: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2(url);
    session.on('error', reject);
    const stream = session.request({ ':path': '/' });
    let status = 0;
    stream.on('response', (fields) => (status = Number(fields[':status'])));
    stream
      .resume()
      .on('error', reject)
      .on('end', () => {
        session.close();
        resolve(status);
      });
  });
}

test(
  'half-sent bodies of all clients together have a bound, ' + 'behind which others are told to come again',
  async (t) => {
    const bodyBytes = 60 * 1024 ** 2;
    const server = await fork(t, { limits: { maxBody: bodyBytes } });
    const { url } = server.endpoint;
    const head = `POST /topics/a HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: ${bodyBytes}\r\n\r\n`;
    const body = Buffer.alloc(bodyBytes - 1, 0x20);
    const clients: RawClient[] = [];
    t.onTestFinished(() => clients.forEach(({ socket }) => socket.destroy()));
    for (let i = 0; i < 5; i++) {
      const client = await rawClient(url);
      client.socket.write(head);
      client.socket.write(body);
      clients.push(client);
      await until('it is sent', () => client.socket.writableLength === 0);
    }
    await clients[4]!.saw(/^HTTP\/1\.1 503 [^]*too-many-bodies/);
    assert.equal((await server.read()).counters.refusals, 1);
    clients[0]!.socket.destroy();
    await until('there is room again', () => clients[0]!.socket.closed);
    assert.match(
      await talk(
        url,
        'POST /topics/a HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok',
      ),
      /^HTTP\/1\.1 201 /,
    );
  },
);
