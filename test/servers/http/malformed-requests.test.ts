// Sends a listener requests that no HTTP library would send, and holds it to a clear answer and a bound.

import assert from 'node:assert/strict';
import { connect as connectTls } from 'node:tls';
import { describe, test } from 'vitest';
import { endWith } from '../../../servers/http/request.ts';
import { rawClient, talk, until } from './raw-http.ts';
import { body, setUp, ask, openSession } from './test-listener.ts';

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
