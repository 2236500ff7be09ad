// Requests over kept connections, against node:http and against raw servers that end badly.

import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import { gzipSync } from 'node:zlib';
import { test, type TestContext } from 'vitest';
import { largestAnswerBytes } from '../../../core/event/body-size.ts';
import { createHttpClients, type HttpClients } from '../../../load/wire/http-client.ts';
import { encodeRequest } from '../../../load/wire/http-head.ts';
import { listen, rawServer, testContext, until, type Seen } from '../context.ts';

type Log = string[];
type Setup = Seen & { clients: HttpClients<Log>; get(path: string): Buffer };

async function setup(
  t: TestContext,
  url: string | RequestListener,
  answered = (_log: Log) => {},
): Promise<Setup> {
  const base =
    typeof url === 'string' ? url : await listen(t, createServer({ keepAliveTimeout: 60_000 }, url));
  const seen = testContext(base);
  const clients = createHttpClients<Log>(seen.context, {
    response(log, head, bytes, from, to) {
      log.push(`${head.status} ${head.headers.get('etag') ?? '-'} ${bytes.toString('latin1', from, to)}`);
      answered(log);
    },
    failed: (log, { code }) => void log.push(`failed ${code}`),
  });
  return { ...seen, clients, get: (path) => encodeRequest(new URL(base), path, {}) };
}

/** Sends the requests one after another. */
async function ask(
  { clients, get }: Setup,
  log: Log,
  paths: string[],
): Promise<ReturnType<typeof clients.add>> {
  const client = clients.add(log, 0);
  for (const path of paths) {
    const before = log.length;
    clients.send(client, get(path));
    await until(() => log.length > before);
  }
  return client;
}

/** Text in which every place tells where it is. */
const counted = (length: number) =>
  Array.from({ length: Math.ceil(length / 5) }, (_, i) => (i === 0 ? '01234' : String(i).padStart(5, '.')))
    .join('')
    .slice(0, length);

test('one connection carries request after request, whatever the framing of the answers', async (t) => {
  const given = await setup(t, (request, response) => {
    response.setHeader('ETag', '"e"');
    if (request.url === '/chunked') {
      response.write('ab');
      response.write('cd');
      setTimeout(() => response.end('ef'), 5);
    } else if (request.url === '/none') {
      response.writeHead(304).end();
    } else {
      response.end(counted(Number(request.url!.slice(1))));
    }
  });
  const log: Log = [];
  const client = await ask(given, log, ['/3', '/chunked', '/none', '/0', '/200000', '/1']);
  assert.deepEqual(log, [
    '200 "e" 012',
    '200 "e" abcdef',
    '304 "e" ',
    '200 "e" ',
    `200 "e" ${counted(200_000)}`,
    '200 "e" 0',
  ]);
  assert.equal(given.counters.connectionsOpened, 1);
  given.clients.drop(client);
  await until(() => given.counters.connectionsClosed === 1);
  assert.deepEqual(given.problems, []);
});

test(
  'a connection that the server will not keep is left to ' + 'it, and the next request has a new one',
  async (t) => {
    const given = await setup(
      t,
      (_, response) => void response.setHeader('connection', 'close').end('ok'),
      (log) => {
        if (log.length < 3) given.clients.send(client, given.get('/'));
      },
    );
    const log: Log = [];
    const client = given.clients.add(log, 0);
    given.clients.send(client, given.get('/'));
    await until(() => given.counters.connectionsClosed === 3);
    assert.deepEqual(log, ['200 - ok', '200 - ok', '200 - ok']);
    assert.equal(given.counters.connectionsOpened, 3);
    assert.equal(given.counters.bytesOut, 3 * given.get('/').length, 'none was sent twice');
    assert.deepEqual(given.problems, []);
  },
);

// A machine that takes more than 10 ms for it makes a loss of the race, so it is run again.
test(
  'a request that meets an idle connection as the ' + 'server closes it is sent again',
  { retry: 5 },
  async (t) => {
    const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
    const url = await rawServer(t, (socket, _, connection) => {
      socket.write(answer);
      // The second request on the first connection finds it closed.
      if (connection === 0) socket.once('data', () => socket.end());
    });
    const given = await setup(t, url);
    const log: Log = [];
    const client = await ask(given, log, ['/', '/']);
    assert.deepEqual(log, ['200 - ok', '200 - ok']);
    assert.equal(given.counters.connectionsOpened, 2);
    given.clients.drop(client);
  },
);

for (const [what, reply, result] of [
  ['without an answer', '', 'failed ended'],
  ['in the middle of an answer', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nok', 'failed ended'],
  ['with an answer that is malformed', 'what?\r\n\r\n', 'failed http-head'],
  ['with an answer without framing', 'HTTP/1.1 200 OK\r\n\r\nall', '200 - all'],
] as const) {
  test(`a first request whose connection ends ${what}`, async (t) => {
    const given = await setup(t, await rawServer(t, (socket) => socket.end(reply)));
    const log: Log = [];
    await ask(given, log, ['/']);
    assert.deepEqual(log, [result]);
  });
}

test('an answer that nobody asked for is a protocol error', async (t) => {
  const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
  const given = await setup(t, await rawServer(t, (socket) => socket.write(answer + answer)));
  const log: Log = [];
  await ask(given, log, ['/']);
  await until(() => given.problems.length > 0);
  assert.deepEqual(log, ['200 - ok']);
  assert.deepEqual(given.problems, [
    { code: 'http-unasked', message: 'the server sent an answer that no request had asked for' },
  ]);
});

test('a body beyond the limit is refused', async (t) => {
  const given = await setup(t, (_, response) => {
    response.end(Buffer.alloc(largestAnswerBytes + 1));
  });
  const log: Log = [];
  await ask(given, log, ['/']);
  assert.deepEqual(log, ['failed http-body-too-large']);
  assert.deepEqual(
    given.problems.map(({ message }) => message),
    [`an answer's body is larger than ${largestAnswerBytes} bytes`],
  );
});

test(
  'an answer that comes compressed is inflated, whatever its framing; what cannot be is a failure, also ' +
    'at the end of a connection',
  async (t) => {
    const long = gzipSync(counted(300_000));
    const damaged = Buffer.from('no gzip');
    const given = await setup(t, (request, response) => {
      response.setHeader('content-encoding', request.url === '/br' ? 'br' : 'gzip');
      switch (request.url) {
        case '/chunked':
          response.write(long.subarray(0, 100));
          setTimeout(() => response.end(long.subarray(100)), 5);
          break;
        case '/none':
          response.writeHead(304).end();
          break;
        case '/close':
          response.useChunkedEncodingByDefault = false;
          response.setHeader('connection', 'close').end(damaged);
          break;
        case '/bomb':
          response.end(gzipSync(Buffer.alloc(largestAnswerBytes + 1)));
          break;
        default:
          response.end(request.url === '/damaged' ? damaged : gzipSync('small'));
      }
    });
    const log: Log = [];
    await ask(given, log, ['/', '/chunked', '/none', '/damaged', '/close', '/bomb', '/br', '/']);
    assert.deepEqual(log, [
      '200 - small',
      `200 - ${counted(300_000)}`,
      '304 - ',
      'failed gzip',
      'failed gzip',
      'failed http-body-too-large',
      'failed http-coding',
      '200 - small',
    ]);
    assert.deepEqual(
      given.problems.map(({ message }) => message),
      [
        'a compressed answer cannot be read: incorrect header check',
        'a compressed answer cannot be read: incorrect header check',
        `an answer's body is larger than ${largestAnswerBytes} bytes when it is inflated`,
        'the answer has the content coding "br", which was not asked for',
      ],
    );
  },
);

test('a request that is dropped is never answered', async (t) => {
  let asked = 0;
  const given = await setup(t, () => void asked++);
  const log: Log = [];
  const client = given.clients.add(log, 0);
  given.clients.send(client, given.get('/'));
  await until(() => asked === 1);
  given.clients.drop(client);
  await until(() => given.counters.connectionsClosed === 1);
  assert.deepEqual(log, []);
});
