// The listener over HTTP/1.1 and both kinds of HTTP/2: what it routes, what it counts, what it survives, and
// that nothing of it is left.

import assert from 'node:assert/strict';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { describe, test, type TestContext, vi } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import type { Endpoint } from '../../../core/protocol/control.ts';
import { TooManyTopics } from '../../../servers/hub/hub.ts';
import { listen, type ListenOptions } from '../../../servers/http/listen.ts';
import type { Handler, Response } from '../../../servers/pattern.ts';
import { endWith, RequestError } from '../../../servers/http/request.ts';
import { createTally } from '../../../servers/http/connection-counts.ts';
import { rawClient, talk, until } from './raw-http.ts';

const body = 'x'.repeat(5000);

/** The head and the first bytes of an answer. Node's two response types share no signature for this. */
function begin(response: Response): void {
  response.statusCode = 200;
  if ('stream' in response) response.write('begun');
  else response.write('begun');
}

const routes: Record<string, Handler> = {
  'GET /here': (_request, response) => void response.end(body),
  'PUT /here': (_request, response) => void response.end('put'),
  'GET /held': (_request, response) => {
    begin(response);
  },
  'GET /things/*': (_request, response, url) => void response.end(url.pathname),
  'GET /throws': () => {
    throw new Error('a defect');
  },
  'GET /rejects': async (_request, response) => {
    begin(response);
    await Promise.reject(new Error('a defect, later'));
  },
  'GET /refuses': () => {
    throw new RequestError(400, 'bad-thing', 'no such thing');
  },
  'GET /full': () => {
    throw new TooManyTopics('too many');
  },
};
const publishRoutes: Record<string, Handler> = {
  'POST /topics/*': (request, response) => {
    request.resume().on('end', () => endWith(response, 201, {}, 'published'));
  },
};

async function setUp(t: TestContext, over: Endpoint['over'], more: Partial<ListenOptions> = {}) {
  const counters = newCounters();
  const tally = createTally(counters);
  const listener = await listen({
    over,
    pattern: { routes },
    publishRoutes,
    tally,
    counters,
    allowHosts: ['a'],
    ...more,
  });
  t.onTestFinished(() => listener.close());
  return { ...listener, counters, read: tally.read, url: listener.endpoint.url };
}

/** One request over a connection of its own, closed by the client; with the bytes its socket counted. */
function ask(
  url: string,
  path: string,
  method = 'GET',
  payload?: string,
): Promise<{
  status: number;
  headers: IncomingMessage['headers'];
  text: string;
  bytesRead: number;
  bytesWritten: number;
}> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}${path}`, { method, agent: false }, (response) => {
      const { socket } = response;
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', reject).on('end', () => {
        const { bytesRead, bytesWritten } = socket;
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          bytesRead,
          bytesWritten,
        });
      });
    });
    request.on('error', reject);
    request.end(payload);
  });
}

type Session = {
  session: ClientHttp2Session;
  socket: Socket;
  get(path: string, headers?: Record<string, string>): Promise<{ status: number; text: string }>;
};

async function openSession({ url, certificate }: Endpoint): Promise<Session> {
  const { port } = new URL(url);
  const at = { host: '127.0.0.1', port: Number(port) };
  const socket =
    certificate === undefined
      ? connectTcp(at)
      : connectTls({ ...at, ca: certificate, ALPNProtocols: ['h2'] });
  const session = connectHttp2(url, { createConnection: () => socket });
  session.on('error', () => {});
  await new Promise((resolve) => session.once('remoteSettings', resolve));
  return {
    session,
    socket,
    get: (path, headers = {}) =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': path, ...headers });
        let status = 0;
        let text = '';
        stream.on('response', (answer) => (status = Number(answer[':status'])));
        stream.setEncoding('utf8').on('data', (part: string) => (text += part));
        stream.on('end', () => resolve({ status, text })).on('error', reject);
      }),
  };
}

function silenceErrors(): string[] {
  const said: string[] = [];
  vi.spyOn(console, 'error').mockImplementation((error: unknown) => said.push(String(error)));
  return said;
}

describe('routing', () => {
  test('paths are matched whole, a star is one segment, and methods are told apart', async (t) => {
    const { url } = await setUp(t, 'h1');
    const rows: [string, string, number, RegExp][] = [
      ['GET', '/here', 200, /^x+$/],
      ['GET', '/here?with=query', 200, /^x+$/],
      ['PUT', '/here', 200, /^put$/],
      ['GET', '/here/', 404, /"error":"not-found".*nothing at \/here\//],
      ['GET', '/her', 404, /nothing at \/her;/],
      ['GET', '//here', 404, /nothing at \/\/here/],
      ['GET', '/things/7', 200, /^\/things\/7$/],
      ['GET', '/things/', 404, /nothing at/],
      ['GET', '/things/7/parts', 404, /nothing at/],
      ['DELETE', '/here', 405, /"error":"method".*GET, PUT/],
      ['POST', '/topics/a', 201, /published/],
      ['GET', '/topics/a', 405, /takes POST/],
    ];
    for (const [method, path, status, text] of rows) {
      const answer = await ask(url, path, method);
      assert.equal(answer.status, status, `${method} ${path}`);
      assert.match(answer.text, text);
      if (status === 405) assert.equal(answer.headers.allow, path === '/here' ? 'GET, PUT' : 'POST');
    }
  });

  test('a target that is no path is answered 400', async (t) => {
    const { url } = await setUp(t, 'h1');
    for (const target of ['*', 'nonsense', 'http://%zz/']) {
      const text = await talk(url, `OPTIONS ${target} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`);
      assert.match(text, /^HTTP\/1.1 400 /, target);
    }
  });

  test('what a handler throws becomes the answer, and the server lives on', async (t) => {
    const { url, counters } = await setUp(t, 'h1');
    const said = silenceErrors();
    const refused = await ask(url, '/refuses');
    assert.deepEqual(
      [refused.status, JSON.parse(refused.text)],
      [400, { error: 'bad-thing', message: 'no such thing' }],
    );
    const full = await ask(url, '/full');
    assert.deepEqual([full.status, full.headers['retry-after'], counters.refusals], [503, '1', 1]);
    const thrown = await ask(url, '/throws');
    assert.deepEqual([thrown.status, JSON.parse(thrown.text).error], [500, 'internal']);
    await assert.rejects(
      ask(url, '/rejects'),
      /aborted|socket hang up/,
      'an answer that has begun is cut off, not ended as if whole',
    );
    assert.deepEqual(said, ['Error: a defect', 'Error: a defect, later']);
    assert.equal(counters.errors, 3);
    assert.equal((await ask(url, '/here')).status, 200);
  });
});

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
      `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n`;
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

describe('malformed requests', () => {
  const head = 'GET /here HTTP/1.1\r\nhost: a\r\n';
  const rows: [string, string, RegExp][] = [
    ['garbage', 'abc\r\n\r\n', /^HTTP\/1.1 400 Bad Request\r\nConnection: close\r\n/],
    ['binary garbage', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', /^HTTP\/1.1 400 /],
    ['a header without a name', `${head}: value\r\n\r\n`, /^HTTP\/1.1 400 /],
    ['two lengths', `${head}content-length: 1\r\ncontent-length: 2\r\n\r\n`, /^HTTP\/1.1 400 /],
    [
      'length and chunks',
      `${head}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n`,
      /^HTTP\/1.1 400 /,
    ],
    [
      'a header above 16 KiB',
      `${head}large: ${'x'.repeat(16 * 1024)}\r\n\r\n`,
      /^HTTP\/1.1 431 Request Header Fields Too Large\r\n/,
    ],
    ['a header without an end', `${head}large: ${'x'.repeat(2 * 1024 ** 2)}`, /^HTTP\/1.1 431 /],
    ['a target above 16 KiB', `GET /${'x'.repeat(16 * 1024)} HTTP/1.1\r\nhost: a\r\n\r\n`, /^HTTP\/1.1 431 /],
    [
      'chunk extensions above 16 KiB',
      'POST /topics/a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n' +
        `1;${'x'.repeat(20_000)}\r\n1\r\n0\r\n\r\n`,
      /^HTTP\/1.1 413 /,
    ],
  ];
  for (const [what, text, expected] of rows) {
    test(`${what}: told why, cut off, counted, and others are served`, async (t) => {
      const { url, read } = await setUp(t, 'h1');
      assert.match(await talk(url, Buffer.from(text, 'latin1')), expected);
      assert.equal(read().errors, 1);
      assert.equal((await ask(url, '/here')).status, 200);
    });
  }

  test(
    'a peer that closes its half in the middle of a request is answered 400; ' +
      'between two requests the connection just ends',
    async (t) => {
      const { url, read } = await setUp(t, 'h1');
      const middle = await rawClient(url, { allowHalfOpen: true });
      middle.socket.end(head);
      assert.match(await middle.closed, /^HTTP\/1.1 400 /);
      const between = await rawClient(url, { allowHalfOpen: true });
      between.socket.write(`${head}\r\n`);
      await between.saw(/x{5000}/);
      between.socket.end();
      await between.closed;
      assert.equal(read().errors, 1);
      await until('both are gone', () => read().connectionsClosed === 2);
    },
  );

  test(
    'garbage behind a request whose answer has begun cuts the ' + 'answer off and does not run into it',
    async (t) => {
      const { url, read } = await setUp(t, 'h1');
      const client = await rawClient(url);
      client.socket.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
      await client.saw(/begun/);
      client.socket.write('garbage\r\n\r\n');
      assert.doesNotMatch(await client.closed, / 400 /);
      assert.equal(read().errors, 1);
    },
  );

  test('a request that does not come is answered 408, at any point', async (t) => {
    const { url, read } = await setUp(t, 'h1', { requestMs: 50 });
    const parts = [
      '',
      'GET /he',
      head,
      'POST /topics/a HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\n123',
    ];
    const answers = await Promise.all(parts.map((part) => talk(url, part)));
    for (const answer of answers) assert.match(answer, /^HTTP\/1.1 408 Request Timeout\r\n/);
    assert.equal(read().errors, parts.length);
  });

  test('an answer that nobody reads ends the connection', async (t) => {
    const bytes = Buffer.alloc(24 * 1024 ** 2);
    const { url, read } = await setUp(t, 'h1', {
      answerMs: 100,
      pattern: { routes: { 'GET /large': (_request, response) => endWith(response, 200, {}, bytes) } },
    });
    const { socket } = await rawClient(url);
    socket.pause().write('GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await until('the server has given up', () => read().connectionsClosed === 1);
    socket.resume(); // the end stands behind what the kernel holds
    await until('the client knows', () => socket.closed);
    assert.ok(socket.bytesRead < bytes.length);
  });

  test('an answer may take longer than a request', async (t) => {
    const { url } = await setUp(t, 'h1', { requestMs: 50 });
    const client = await rawClient(url);
    client.socket.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
    await client.saw(/begun/);
    assert.match(await talk(url, 'GET'), / 408 /); // by now the limit has been enforced
    assert.equal(client.socket.closed, false);
  });

  for (const over of ['h2', 'h2c'] as const) {
    test(`${over}: garbage, HTTP/1.1 and oversized headers hurt nobody else`, async (t) => {
      const { endpoint, read } = await setUp(t, over);
      const { get, session } = await openSession(endpoint);
      await talk(endpoint.url.replace('https', 'http'), 'garbage'.repeat(1000));
      await talk(endpoint.url.replace('https', 'http'), `${head}\r\n`);
      await until('both were errors', () => read().errors >= 2);
      const named = (host: string) => get('/here', { ':authority': 'localhost', host });
      assert.deepEqual(
        [(await named('evil.example')).status, (await named('localhost')).status],
        [400, 200],
        'RFC 9113, section 8.3.1',
      );
      await assert.rejects(get('/here', { large: 'x'.repeat(17_000) }), /NGHTTP2_ENHANCE_YOUR_CALM/);
      assert.equal((await get('/here')).text, body);
      const cut = await openSession(endpoint);
      cut.session.request({ ':path': '/held' }).on('error', () => {});
      await until('it is counted', () => read().connectionsOpened >= 2);
      cut.socket.destroy();
      assert.equal((await get('/here')).text, body);
      session.close();
    });
  }

  test('the certificate is trusted by itself and for localhost alone', async (t) => {
    const { endpoint } = await setUp(t, 'h2');
    const tls = (options: { ca?: string; servername?: string }) =>
      new Promise<string>((resolve) => {
        const socket = connectTls({
          host: '127.0.0.1',
          port: Number(new URL(endpoint.url).port),
          ALPNProtocols: ['h2'],
          ...options,
        });
        socket
          .on('secureConnect', () => resolve(socket.alpnProtocol || 'none'))
          .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
        t.onTestFinished(() => void socket.destroy());
      });
    assert.equal(await tls({ ca: endpoint.certificate! }), 'h2');
    assert.equal(await tls({ ca: endpoint.certificate!, servername: 'localhost' }), 'h2');
    assert.equal(await tls({}), 'DEPTH_ZERO_SELF_SIGNED_CERT');
    assert.equal(
      await tls({ ca: endpoint.certificate!, servername: 'example.org' }),
      'ERR_TLS_CERT_ALTNAME_INVALID',
    );
  });
});

describe('the end', () => {
  test("a taken port is the system's error, and nothing stays open", async (t) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    t.onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    for (const over of ['h1', 'h2', 'h2c'] as const)
      await assert.rejects(setUp(t, over, { port }), { code: 'EADDRINUSE' });
  });

  for (const over of ['h1', 'h2', 'h2c'] as const) {
    test(`${over}: closing ends idle, silent and held connections, and frees the port`, async (t) => {
      const { endpoint, close, read } = await setUp(t, over);
      const { url } = endpoint;
      const silent = await rawClient(url.replace('https', 'http'));
      const publisher = await rawClient(endpoint.publishUrl);
      publisher.socket.write('POST /topics/a HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\n\r\n1');
      await publisher.saw(/published/);
      let ended: Promise<unknown>;
      if (over === 'h1') {
        const held = await rawClient(url);
        held.socket.write('GET /held HTTP/1.1\r\nhost: a\r\n\r\n');
        await held.saw(/begun/);
        ended = held.closed;
      } else {
        const { session } = await openSession(endpoint);
        const stream = session.request({ ':path': '/held' });
        stream.on('error', () => {});
        await new Promise((resolve) => stream.once('response', resolve));
        ended = new Promise((resolve) => session.once('close', resolve));
      }
      await close();
      await Promise.all([ended, silent.closed, publisher.closed]);
      await close(); // twice is once
      assert.equal(read().connectionsClosed, read().connectionsOpened);
      const again = await setUp(t, over, { port: Number(new URL(url).port) });
      assert.equal(again.url, url);
    });
  }
});
