// Shakes hands with a WebSocket server in right and wrong ways, and agrees with it on compression.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { rawClient, talk, until } from './http/raw-http.ts';
import { bulk, getRequest, serve } from './streams.ts';
import { handshake, open, rawSocket } from './websocket-clients.ts';

test('handshakes that cannot be accepted are refused in HTTP', async (t) => {
  const { url, count } = await serve(t, 'websocket');
  const without = (name: string, text: string) => text.replace(new RegExp(`${name}: .*\r\n`), '');
  const good = handshake('/ws?topics=a');
  const cases: [string, string, number, RegExp][] = [
    ['another path', handshake('/sockets?topics=a'), 404, /not-found/],
    ['no topics', handshake('/ws'), 400, /no-topics/],
    ['a bad topic', handshake('/ws?topics=a/b'), 400, /bad-topic/],
    ['a bad cursor', handshake('/ws?topics=a&since=now'), 400, /bad-cursor/],
    ['an old version', good.replace('Version: 13', 'Version: 8'), 426, /Sec-WebSocket-Version: 13\r\n/],
    ['no version', without('Sec-WebSocket-Version', good), 426, /websocket-version/],
    [
      'another protocol',
      good
        .replace('Upgrade: websocket', 'Upgrade: h2c')
        .replace('Connection: Upgrade', 'Connection: Upgrade, close'),
      426,
      /\r\nUpgrade: websocket\r\n/,
    ],
    ['no key', without('Sec-WebSocket-Key', good), 400, /bad-handshake/],
    ['a key that is none', good.replace('ZQ==', ''), 400, /bad-handshake/],
    ['another method', good.replace('GET', 'PUT'), 405, /\r\nAllow: GET, HEAD, OPTIONS\r\n/],
    [
      'a malformed list of extensions',
      handshake('/ws?topics=a', 'Sec-WebSocket-Extensions: permessage-deflate; =9'),
      400,
      /bad-handshake/,
    ],
    [
      'a malformed protocol list',
      handshake('/ws?topics=a', 'Sec-WebSocket-Protocol: a,,b'),
      400,
      /bad-handshake/,
    ],
    ['no upgrade', getRequest('/ws?topics=a', 'Connection: close'), 426, /\nConnection: close, Upgrade\r/],
  ];
  for (const [what, request, status, rest] of cases) {
    const answer = await talk(url, request);
    assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `), what);
    assert.match(answer, rest, what);
    assert.match(answer, /\r\n\r\n\{"error":"[a-z-]+","message":"[^]{10}/, what);
  }
  assert.deepEqual(count('errors', 'refusals', 'connectionsOpened'), [cases.length, 0, cases.length]);
  assert.deepEqual((await open(t, url, 'topics=a')).ws.readyState, WsClient.OPEN);
});

test('pages from elsewhere may not connect', async (t) => {
  const { url, count, joined } = await serve(t, 'websocket');
  const refused = [
    'http://example.org',
    'http://notlocalhost',
    'null',
    'http://localhost.example.org',
    'http://127.0.0.1.example.org',
    'file://',
    'x',
  ];
  for (const origin of refused)
    assert.match(
      await talk(url, handshake('/ws?topics=a', `Origin: ${origin}`)),
      /^HTTP\/1\.1 403 [^]*"cross-origin"/,
      origin,
    );
  for (const origin of ['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:8080'])
    await open(t, url, 'topics=a', { origin });
  await joined(3);
  assert.deepEqual(count('refusals', 'handshakes'), [refused.length, 3]);
});

test('no subprotocol is promised', async (t) => {
  const { url } = await serve(t, 'websocket');
  assert.doesNotMatch(
    (await rawResponse(url, 'Sec-WebSocket-Protocol: chat, superchat')).head,
    /Sec-WebSocket-Protocol/i,
  );
});

async function rawResponse(url: string, ...fields: string[]) {
  const { socket, saw } = await rawClient(url);
  socket.write(handshake('/ws?topics=a', ...fields));
  const text = await saw(/"socket":"open"/);
  socket.destroy();
  return { head: text.slice(0, text.indexOf('\r\n\r\n')) };
}

test('one subscriber too many, and a topic too many, are told to come back later', async (t) => {
  const { url, publish, joined, count } = await serve(
    t,
    'websocket',
    {},
    { maxSubscribers: 2, maxTopics: 3 },
  );
  const first = await open(t, url, 'topics=a,b');
  const crowded = await open(t, url, 'topics=c,d');
  assert.deepEqual(await crowded.closed, { code: 1013, reason: 'too-many-topics' });
  const second = await open(t, url, 'topics=a');
  const third = await open(t, url, 'topics=a');
  assert.deepEqual(await third.closed, { code: 1013, reason: 'too-many-subscribers' });
  publish('a', '1');
  await first.saw(2);
  await second.saw(2);
  assert.deepEqual([third.got, crowded.got], [[], []]);
  second.ws.close();
  await joined(1);
  const fourth = await open(t, url, 'topics=a');
  await fourth.saw(1);
  assert.deepEqual(count('refusals', 'handshakes'), [2, 5]);
});

test('compressed: the same messages in fewer bytes, each by itself, and from the client too', async (t) => {
  const { url, publish, at, count } = await serve(t, 'websocket', { deflate: true });
  const history = publish('a', bulk(2000), '1');
  const { ws, got, saw } = await open(t, url, `topics=a&since=${at(0)}`, {
    perMessageDeflate: { threshold: 0 },
  });
  assert.equal(ws.extensions, 'permessage-deflate');
  const bodies = [
    '1',
    bulk(100),
    bulk(50_000),
    bulk(50_000),
    '{"é":"🎈"}',
    JSON.stringify(Array.from({ length: 40_000 }, (_, i) => i)),
  ];
  const events = [...history, ...publish('a', ...bodies)];
  await saw(1 + events.length);
  assert.deepEqual(
    got.slice(1),
    events.map(({ json }) => json),
  );
  const { socket, head } = await negotiate(url, 'permessage-deflate; client_max_window_bits');
  assert.match(head, /permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n/);
  socket.destroy();
  const written = events.reduce((sum, { json }) => sum + json.length, 0);
  assert.ok(count('bytesOut')[0]! < written / 2);
  ws.send(`{"publish":"b","ref":1,"body":${bulk(10_000)}}`);
  await saw(2 + events.length);
  assert.match(got.at(-1)!, /"ack":1/);
});

async function negotiate(url: string, offer: string) {
  const { socket, saw } = await rawClient(url);
  socket.write(handshake('/ws?topics=a', `Sec-WebSocket-Extensions: ${offer}`));
  const text = await saw(/"socket":"open"/);
  return { socket, head: text.slice(0, text.indexOf('\r\n\r\n') + 2) };
}

test('what cannot be agreed on is declined, and the connection goes on (RFC 7692, 5.1)', async (t) => {
  const usual = /\nSec-WebSocket-Extensions: permessage-deflate;[^\r]* server_no_context_takeover[^\r]*\r\n/;
  const rows: [offer: string, agreed: RegExp | undefined][] = [
    ['permessage-deflate', usual],
    ['x-webkit-deflate-frame', undefined],
    ['permessage-deflate; unknown', undefined],
    ['permessage-deflate; unknown=1, permessage-deflate', usual],
    ['permessage-deflate; server_no_context_takeover=1', undefined],
    ['permessage-deflate; client_max_window_bits=7', undefined],
    ['permessage-deflate; client_max_window_bits=08', undefined],
    ['permessage-deflate; server_max_window_bits', undefined],
    ['permessage-deflate; client_max_window_bits; client_max_window_bits', undefined],
    ['other; a="b;c,d\\"", permessage-deflate; client_max_window_bits="15"', usual],
    ['permessage-deflate; server_max_window_bits=99, permessage-deflate; client_max_window_bits', usual],
  ];
  const deflating = await serve(t, 'websocket', { deflate: true });
  const plain = await serve(t, 'websocket');
  for (const [offer, agreed] of rows) {
    for (const { url } of [deflating, plain]) {
      const { socket, head } = await negotiate(url, offer); // which waits for the first message
      const expected = url === deflating.url ? agreed : undefined;
      if (expected) assert.match(head, expected, offer);
      else assert.doesNotMatch(head, /extensions/i, offer);
      socket.destroy();
    }
  }
  assert.deepEqual([deflating.count('errors'), plain.count('errors')], [[0], [0]]);
});

test(
  'a client that asks for a small window, or does not ask for ' + 'compression, is sent messages as they are',
  async (t) => {
    const { url, publish, joined } = await serve(t, 'websocket', { deflate: true });
    const plain = await rawSocket(url);
    const small = await rawSocket(
      url,
      'topics=a',
      'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9',
    );
    const usual = await rawSocket(url, 'topics=a', 'Sec-WebSocket-Extensions: permessage-deflate');
    await joined(3);
    const [event] = publish('a', bulk(2000));
    for (const { frames } of [plain, small, usual]) await until('a frame', () => frames().length === 2);
    for (const { frames } of [plain, small])
      assert.deepEqual(frames()[1], { first: 0x81, payload: Buffer.from(event!.json) });
    assert.equal(usual.frames()[1]!.first, 0xc1);
    assert.ok(usual.frames()[1]!.payload.length < 400);
  },
);

test('a compressed message that unfolds beyond the limit is refused like any that is too big', async (t) => {
  const { url } = await serve(t, 'websocket', { deflate: true }, { maxBody: 10_000 });
  const { ws, closed } = await open(t, url, 'topics=a', { perMessageDeflate: { threshold: 0 } });
  ws.send(`{"publish":"a","ref":1,"body":${bulk(5_000_000)}}`);
  assert.equal((await closed).code, 1009);
});
