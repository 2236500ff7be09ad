// Holds single doors of the servers to the rule about pages of other origins: sockets, webhooks, refused
// bodies, clients without a Host.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { rawClient, talk, until } from './raw-http.ts';
import { receiver } from '../receivers.ts';
import { handshake, open } from '../websocket-clients.ts';
import { serve, ask, rebound, foreign, simple } from './gate-clients.ts';

test('a socket opens for pages of this machine to read, and takes events from its own alone', async (t) => {
  const server = await serve(t, 'websocket');
  const { url } = server.endpoint;
  for (const headers of [...rebound, ...foreign]) {
    const { host = 'localhost', ...rest } = headers;
    const request = handshake(
      '/ws?topics=news',
      ...Object.entries(rest).map(([name, value]) => `${name}: ${value}`),
    ).replace('Host: localhost', `Host: ${host}`);
    assert.match(
      await talk(url, request),
      headers['host'] === undefined
        ? /^HTTP\/1\.1 403 [^]*"cross-origin"/
        : /^HTTP\/1\.1 421 Misdirected Request\r\n[^]*--allow-host/,
      JSON.stringify(headers),
    );
  }
  assert.equal(server.counters().handshakes, 0);
  const page = await open(t, url, 'topics=news', { origin: 'http://localhost:1' });
  const own = await open(t, url, 'topics=news', { origin: url });
  const program = await open(t, url, 'topics=news');
  for (const { ws } of [page, own, program]) ws.send('{"publish":"news","ref":1,"body":"b"}');
  await Promise.all([own.saw(4), program.saw(4), page.saw(4)]);
  assert.deepEqual(
    page.got.filter((text) => text.startsWith('{"refused"')),
    ['{"refused":1,"reason":"pages of another origin may read here, but not publish"}'],
  );
  assert.equal(
    page.got.filter((text) => text.includes('"body":"b"')).length,
    2,
    'it reads what the others publish',
  );
  assert.equal(server.hub.published(), 2);
});

test('a refused handshake whose client does not close its side holds no connection', async (t) => {
  const server = await serve(t, 'websocket');
  const { origin, host } = new URL(server.endpoint.url);
  const refused = [
    handshake('/ws?topics=news', 'Origin: http://evil.example').replace('Host: localhost', `Host: ${host}`),
    handshake('/ws?topics=a%20b', `Origin: ${origin}`).replace('Host: localhost', `Host: ${host}`),
  ];
  for (const request of refused) {
    const client = await rawClient(server.endpoint.url, { allowHalfOpen: true });
    t.onTestFinished(() => void client.socket.destroy());
    client.socket.write(request);
    await client.saw(/^HTTP\/1\.1 40[03] /);
    // To a connection that is gone nothing can be sent: its system says so.
    await until('the connection is gone', () => {
      if (!client.socket.destroyed) client.socket.write('x');
      return client.socket.destroyed;
    });
  }
});

test('what a page of another origin posts is not signed and not delivered', async (t) => {
  const server = await serve(t, 'webhook');
  const { url, got } = await receiver(t);
  assert.equal(
    (await ask(server, 'POST /webhooks', {}, JSON.stringify({ url, events: ['news'] }))).status,
    201,
  );
  for (const route of ['POST /topics/*', 'POST /messages/*'])
    assert.equal(
      (await ask(server, route, { origin: 'http://evil.example', ...simple }, 'evil')).status,
      403,
    );
  await ask(server, 'POST /topics/*', {}, '"good"');
  await until('the good one came', () => got.length > 0);
  assert.deepEqual(
    got.map(({ body }) => /evil|good/.exec(body)?.[0]),
    ['good'],
  );
});

test('a refused body is read to its end, so that what is pipelined behind it is answered', async (t) => {
  const { endpoint } = await serve(t, 'polling');
  const body = 'x'.repeat(50_000);
  const text = await talk(
    endpoint.url,
    'POST /topics/news HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n' +
      `Content-Length: ${body.length}\r\n\r\n` +
      `${body}GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1\.1 403 [^]*\nHTTP\/1\.1 200 /);
});

test('HTTP/1.0, which knows no Host, is served without one', async (t) => {
  const { endpoint } = await serve(t, 'polling');
  assert.match(await talk(endpoint.url, 'GET /poll?topics=news HTTP/1.0\r\n\r\n'), /^HTTP\/1\.1 200 /);
  assert.match(
    await talk(endpoint.url, 'GET /poll?topics=news HTTP/1.0\r\nHost: evil.example\r\n\r\n'),
    /^HTTP\/1\.1 421 /,
  );
});

test('what a page reads by polling with gzip depends on both', async (t) => {
  const server = await serve(t, 'polling', { gzip: true });
  const { headers } = await ask(server, 'GET /poll', {
    origin: 'http://localhost:1',
    'accept-encoding': 'gzip',
  });
  assert.deepEqual(
    [headers['vary'], headers['content-encoding'], headers['access-control-expose-headers']],
    ['origin, accept-encoding', 'gzip', 'etag, pushbench-cursor, retry-after'],
  );
});
