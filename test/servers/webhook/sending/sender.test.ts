// One attempt against receivers of every kind: what counts as an answer, what does not, and that connections
// are reused, bounded and closed.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, test, type TestContext } from 'vitest';
import { newCounters } from '../../../../core/result/counters.ts';
import { createTally } from '../../../../servers/http/connection-counts.ts';
import { testCertificate, testKey } from '../../../../servers/http/test-certificate.ts';
import { createGuard } from '../../../../servers/webhook/sending/guard.ts';
import {
  createSender,
  targetOf,
  type Answer,
  type SenderOptions,
} from '../../../../servers/webhook/sending/sender.ts';
import { bareReceiver, receiver, until } from '../../receivers.ts';

const loopback = createGuard({ receivers: 'listed', allow: ['127.0.0.0/8', '::1/128'] });

function setUp(t: TestContext, options: Partial<SenderOptions> = {}) {
  const counters = newCounters();
  const tally = createTally(counters);
  const sender = createSender({
    counters,
    countConnection: tally.add,
    random: () => 0.5,
    timeoutMs: 5000,
    maxIdle: 16,
    guard: loopback,
    ...options,
  });
  t.onTestFinished(() => sender.close());
  let sent = 0;
  const postWhole = (url: string, body = 'hello') =>
    new Promise<Answer>((done) =>
      sender.post({
        target: targetOf(new URL(url)),
        headers: { 'content-type': 'text/plain', 'content-length': String(Buffer.byteLength(body)) },
        body,
        sent: () => sent++,
        done,
      }),
    );
  /** Without what the log keeps of the answer. */
  const post = async (url: string, body?: string) => {
    const answer = await postWhole(url, body);
    return answer.kind === 'answered'
      ? { kind: answer.kind, status: answer.status, retryAfter: answer.retryAfter }
      : { kind: answer.kind, reason: answer.reason };
  };
  return { sender, post, postWhole, tally, sent: () => sent };
}

const head = (more = '') => `HTTP/1.1 200 OK\r\n${more}\r\n`;

describe('an answer', () => {
  for (const status of [200, 204, 302, 400, 404, 410, 429, 500, 503]) {
    test(`of status ${status} is reported as it is, with its Retry-After`, async (t) => {
      const { got, url } = await receiver(t, () => status);
      const { post, sent } = setUp(t);
      assert.deepEqual(await post(`${url}/hook/1?a=b`, 'grüße'), {
        kind: 'answered',
        status,
        retryAfter: '0',
      });
      assert.deepEqual(
        got.map(({ path, body }) => [path, body]),
        [['/hook/1?a=b', 'grüße']],
      );
      assert.equal(sent(), 1);
    });
  }

  test('that redirects is not followed', async (t) => {
    const elsewhere = await receiver(t);
    const { url } = await bareReceiver(t, (socket) =>
      socket.write(`HTTP/1.1 307 Go\r\nlocation: ${elsewhere.url}/\r\ncontent-length: 0\r\n\r\n`),
    );
    const { post } = setUp(t);
    assert.deepEqual(await post(url), { kind: 'answered', status: 307, retryAfter: undefined });
    assert.equal(elsewhere.connections(), 0);
  });

  test('with an endless body is cut, and its status counts', async (t) => {
    let written = 0;
    const { url, open } = await bareReceiver(t, (socket) => {
      const more = (): void => {
        written += 16_384;
        if (!socket.destroyed) socket.write(Buffer.alloc(16_384), () => setImmediate(more));
      };
      socket.write(head());
      more();
    });
    const { post } = setUp(t);
    assert.deepEqual(await post(url), { kind: 'answered', status: 200, retryAfter: undefined });
    await until('the connection is gone', () => open() === 0);
    assert.ok(written > 64 * 1024);
  });
});

describe('no answer:', () => {
  const ended = /aborted|ECONNRESET|closed before the end/;
  const dribble = (socket: Socket, text: string) => {
    let at = 0;
    const timer = setInterval(
      () => (socket.destroyed ? clearInterval(timer) : socket.write(text[at++ % text.length]!)),
      5,
    );
  };
  const rows: [what: string, reason: RegExp, answer: (socket: Socket) => void][] = [
    ['silence', /no whole answer within 150 ms/, () => {}],
    [
      'a head that comes slowly and never ends',
      /no whole answer within 150 ms/,
      (socket) => (socket.write('HTTP/1.1 200 OK\r\n'), dribble(socket, 'x-a: b\r\n')),
    ],
    [
      'a body that comes slowly and never ends',
      /no whole answer within 150 ms/,
      (socket) => (socket.write(head('content-length: 99999\r\n')), dribble(socket, 'x')),
    ],
    ['closed at once', /hang up/, (socket) => socket.end()],
    ['reset', /ECONNRESET|hang up/, (socket) => socket.resetAndDestroy()],
    [
      'reset in the middle of the answer',
      ended,
      (socket) =>
        socket.write(`${head('content-length: 100\r\n')}half`, () =>
          setTimeout(() => socket.resetAndDestroy(), 20),
        ),
    ],
    [
      'closed in the middle of the answer',
      ended,
      (socket) => socket.end(`${head('content-length: 100\r\n')}half`),
    ],
    [
      'closed in the middle of a chunk',
      ended,
      (socket) => socket.end(`${head('transfer-encoding: chunked\r\n')}ff\r\nhalf`),
    ],
    ['not HTTP', /Parse Error/, (socket) => socket.end('220 smtp.example.com ESMTP\r\n')],
    [
      'a head of more than 16 KiB',
      /Header overflow/,
      (socket) => socket.end(head(`x: ${'y'.repeat(20_000)}\r\n`)),
    ],
    [
      'another protocol',
      /closed before the end of an answer|hang up/,
      (socket) => socket.write('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'),
    ],
  ];
  for (const [what, reason, answer] of rows) {
    test(what, async (t) => {
      const { url, open, requests } = await bareReceiver(t, answer);
      const { post, sent } = setUp(t, { timeoutMs: 150 });
      const result = await post(url);
      assert.equal(result.kind, 'failed');
      assert.match(result.kind === 'failed' ? result.reason : '', reason);
      assert.equal(sent(), 1);
      assert.equal(requests(), 1);
      await until('the connection is gone', () => open() === 0);
    });
  }

  test('nobody listens', async (t) => {
    const { url, close } = await receiver(t);
    await close();
    const { post, sent, tally } = setUp(t);
    const result = await post(url);
    assert.match(result.kind === 'failed' ? result.reason : '', /ECONNREFUSED/);
    assert.equal(sent(), 0, 'a request that was never written is not counted');
    assert.equal(tally.read().connectionsOpened, 0);
  });
});

describe('connections', () => {
  test('are reused, and their bytes are those of the other end', async (t) => {
    const { url, connections, open } = await receiver(t);
    const { sender, post, tally } = setUp(t);
    for (let i = 0; i < 5; i++) await post(url);
    assert.equal(connections(), 1);
    const { connectionsOpened, connectionsClosed, bytesIn, bytesOut } = tally.read();
    assert.deepEqual([connectionsOpened, connectionsClosed], [1, 0]);
    assert.ok(bytesIn > 0 && bytesOut > 0);
    await sender.close();
    await until('closed', () => open() === 0);
    assert.equal(tally.read().connectionsClosed, 1);
  });

  test('that stand idle are bounded over all receivers', async (t) => {
    const receivers = await Promise.all(Array.from({ length: 6 }, () => receiver(t)));
    const { sender, post } = setUp(t, { maxIdle: 2 });
    await Promise.all(receivers.map(({ url }) => post(url)));
    await until('two are kept', () => receivers.reduce((sum, { open }) => sum + open(), 0) === 2);
    // Using and losing a kept one makes room for another.
    await Promise.all(receivers.map(({ url }) => post(url)));
    await until('two are kept again', () => receivers.reduce((sum, { open }) => sum + open(), 0) === 2);
    await sender.close();
    await until('none', () => receivers.every(({ open }) => open() === 0));
  });

  test('that the receiver closed just as a request went out are replaced within the attempt', async (t) => {
    const { url, requests, connections } = await bareReceiver(t, (socket, before) => {
      if (before === 1) socket.resetAndDestroy();
      else socket.write('HTTP/1.1 204 OK\r\n\r\n');
    });
    const { post, tally } = setUp(t);
    assert.equal((await post(url)).kind, 'answered');
    assert.equal((await post(url)).kind, 'answered');
    assert.equal(requests(), 3);
    assert.equal(connections(), 2);
    assert.equal(tally.read().errors, 1);
  });

  test('that are cut as a fault end their attempts, which are not sent again', async (t) => {
    const { url, requests } = await bareReceiver(t, (socket, before) => {
      if (before < 2) socket.write('HTTP/1.1 204 OK\r\n\r\n');
    });
    const { sender, post } = setUp(t);
    await Promise.all([post(url), post(url)]);
    const both = Promise.all([post(url), post(url)]);
    await until('both are under way', () => requests() === 4);
    sender.cut(1);
    assert.deepEqual(await both, Array(2).fill({ kind: 'failed', reason: 'the connection was cut' }));
    assert.equal(requests(), 4);
  });

  test('are all closed at the end, those with a request under way too', async (t) => {
    const { url, requests, open } = await bareReceiver(t, (socket, before) => {
      if (before === 0) socket.write('HTTP/1.1 204 OK\r\n\r\n');
    });
    const { sender, post } = setUp(t);
    await post(url);
    const hanging = [post(url), post(url)];
    await until('both are under way', () => requests() === 3);
    await sender.close();
    assert.deepEqual(
      await Promise.all(hanging),
      Array(2).fill({ kind: 'failed', reason: 'the server is closing' }),
    );
    await until('closed', () => open() === 0);
  });
});

test('the guard decides who is connected to; localhost by name is reached', async (t) => {
  const { url, got, connections } = await receiver(t);
  const { post } = setUp(t);
  assert.equal((await post(url.replace('127.0.0.1', 'localhost'))).kind, 'answered');
  assert.deepEqual([got.length, connections()], [1, 1]);
  const guard = createGuard({ receivers: 'public', allow: [] });
  for (const host of ['127.0.0.1', 'localhost']) {
    const refused = setUp(t, { guard });
    const result = await refused.post(url.replace('127.0.0.1', host));
    assert.match(
      result.kind === 'failed' ? result.reason : '',
      /is loopback; deliveries go to public addresses/,
    );
    assert.deepEqual([refused.sent(), connections()], [0, 1]);
  }
});

describe('https', () => {
  const server = createHttpsServer({ cert: testCertificate, key: testKey }, (request, response) => {
    request.resume().on('end', () => response.writeHead(204).end());
  });
  let url = '';
  beforeAll(async () => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  test('a certificate that nobody vouches for is refused', async (t) => {
    const { post, sent } = setUp(t);
    const result = await post(url);
    assert.match(result.kind === 'failed' ? result.reason : '', /self-signed certificate/);
    assert.equal(sent(), 0);
  });

  test('one that is trusted is accepted', async (t) => {
    const trusted = getCACertificates('default');
    setDefaultCACertificates([...trusted, testCertificate]);
    const { post } = setUp(t);
    assert.deepEqual(await post(url), { kind: 'answered', status: 204, retryAfter: undefined });
    setDefaultCACertificates(trusted);
  });
});
