// WebSocket as other people's clients see it (`ws`, and the one built into Node): messages, publishing,
// handshakes and compression. What `ws` itself decides is tested where our code depends on it; how
// connections end is websocket-ends.test.ts.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { decodeEnvelope } from '../../core/event/envelope.ts';
import { readUpstream } from '../../servers/streams/upstream.ts';
import { websocket } from '../../servers/websocket.ts';
import { rawClient, talk, until } from './http/raw-http.ts';
import { bulk, getRequest, serve } from './streams.ts';
import { handshake, open, rawSocket } from './websocket-clients.ts';

test('the opening message, then each event of the topics in a message, as published', async (t) => {
  const { url, publish, at, count } = await serve(t, 'websocket');
  publish('a', '"before"');
  const { got, saw, ws } = await open(t, url, 'topics=a,b');
  assert.deepEqual([ws.protocol, ws.extensions], ['', '']);
  const events = publish('a', '{ "x" : 1 }', '', 'two\nlines', bulk(30), bulk(300), bulk(70_000), '"é 🎈"');
  publish('c', '"of no interest"');
  await saw(8);
  assert.deepEqual(got, [`{"socket":"open","cursor":"${at(1)}"}`, ...events.map(({ json }) => json)]);
  assert.deepEqual(count('handshakes', 'events', 'errors', 'refusals'), [1, 7, 0, 0]);
});

test('messages of every length around those where the frame changes arrive whole', async (t) => {
  const { url, hub } = await serve(t, 'websocket');
  const { got, saw } = await open(t, url, 'topics=a');
  const send = (bytes: number) => hub.publish('a', bulk(bytes), { plannedUs: 0, sentUs: 0 }).json;
  const around = send(0).length;
  const sent = [
    ...Array.from({ length: 12 }, (_, i) => send(120 + i - around)),
    ...Array.from({ length: 12 }, (_, i) => send(65_530 + i - around)),
  ];
  assert.ok([125, 126, 127, 65_535, 65_536].every((length) => sent.some((json) => json.length === length)));
  await saw(2 + sent.length);
  assert.deepEqual(got.slice(2), sent);
});

test("Node's own WebSocket agrees", async (t) => {
  const { url, publish, at, joined } = await serve(t, 'websocket', { deflate: true });
  const [missed] = publish('a', '1');
  const got: string[] = [];
  const ws = new WebSocket(`${url.replace('http', 'ws')}/ws?topics=a&since=${at(0)}`);
  ws.onmessage = ({ data }) => void got.push(data as string);
  await joined(1);
  const [live] = publish('a', bulk(1000));
  await until('three messages', () => got.length === 3);
  assert.deepEqual(got, [`{"socket":"open","cursor":"${at(0)}"}`, missed!.json, live!.json]);
  ws.close();
  await joined(0);
});

test('a resume gets what was missed; one that comes too late is told so and gets what is held', async (t) => {
  const { url, publish, at, count } = await serve(t, 'websocket', {}, { history: 2 });
  const events = publish('a', '1', '2', '3');
  const inTime = await open(t, url, `topics=a&since=${at(1)}`);
  await inTime.saw(3);
  assert.deepEqual(inTime.got, [
    `{"socket":"open","cursor":"${at(1)}"}`,
    ...events.slice(1).map(({ json }) => json),
  ]);
  for (const since of [at(0), 'other-3']) {
    const late = await open(t, url, `topics=a&since=${since}`);
    await late.saw(3);
    assert.deepEqual(late.got, [
      `{"socket":"open","cursor":"${at(0)}","reset":true}`,
      ...events.slice(1).map(({ json }) => json),
    ]);
  }
  assert.deepEqual(count('resets'), [2]);
});

test('a message from a client is acknowledged and reaches everybody, its body byte for byte', async (t) => {
  const { url, at, count } = await serve(t, 'websocket');
  const sender = await open(t, url, 'topics=quiet');
  const reader = await open(t, url, 'topics=news');
  const bodies = [
    '{"a": [1, 2],\t"publish":"x"}',
    '1.0e2',
    '12345678901234567890',
    '"a \\u00e9 \\"quoted\\" }{"',
    'null',
    '[ ]',
    '{\n"two":"lines"\n}',
  ];
  for (const [i, body] of bodies.entries()) sender.ws.send(`{"publish":"news","ref":${i},"body": ${body} }`);
  await sender.saw(1 + bodies.length);
  await reader.saw(1 + bodies.length);
  assert.deepEqual(
    sender.got.slice(1),
    bodies.map((_, i) => `{"ack":${i},"id":"${at(i + 1)}","seq":${i + 1}}`),
  );
  assert.deepEqual(
    reader.got.slice(1).map((json) => decodeEnvelope(json).body),
    bodies,
  );
  assert.deepEqual(count('upstreamMessages', 'errors', 'refusals'), [bodies.length, 0, 0]);
});

test('a client that follows what it publishes gets the event and then the acknowledgement', async (t) => {
  const { url, at } = await serve(t, 'websocket');
  const { ws, got, saw } = await open(t, url, 'topics=news');
  ws.send('{"publish":"news","ref":7,"body":true}');
  await saw(3);
  assert.equal(decodeEnvelope(got[1]!).body, 'true');
  assert.equal(got[2], `{"ack":7,"id":"${at(1)}","seq":1}`);
});

test('a message that cannot be published is refused with a reason, and the client may go on', async (t) => {
  const { url, publish, count } = await serve(t, 'websocket', {}, { maxBody: 100, maxTopics: 1 });
  publish('news', '1');
  const { ws, got, saw } = await open(t, url, 'topics=news');
  const refused: [string, RegExp][] = [
    ['{"publish":"a/b","ref":1,"body":1}', /no topic/],
    ['{"publish":5,"ref":1,"body":1}', /no topic/],
    ['{"publish":"news","ref":1}', /no body/],
    [`{"publish":"news","ref":1,"body":${bulk(100)}}`, /larger than 100 bytes/],
    ['{"publish":"another","ref":1,"body":1}', /takes no more/],
  ];
  for (const [i, [message, reason]] of refused.entries()) {
    ws.send(message);
    await saw(i + 2);
    const answer = JSON.parse(got.at(-1)!) as { refused: number; reason: string };
    assert.equal(answer.refused, 1, message);
    assert.match(answer.reason, reason);
  }
  ws.send(`{"publish":"news","ref":2,"body":${bulk(98)}}`);
  await saw(refused.length + 3);
  assert.match(got.at(-1)!, /"ack":2/);
  assert.deepEqual(count('refusals'), [refused.length]);
});

test('what is no message of ours ends the connection with the code that says why', async (t) => {
  const { url, hub, count } = await serve(t, 'websocket', {}, { maxBody: 1000 });
  const cases: [string, string | Buffer, number][] = [
    ['binary', Buffer.from('{"publish":"a","ref":1,"body":1}'), 1003],
    ['no JSON', '{"publish":"a","ref":1,"body":}', 1007],
    ['empty', '', 1007],
    ['no object', '5', 1008],
    ['null', 'null', 1008],
    ['no publish', '{"ref":1,"body":1}', 1008],
    ['no ref', '{"publish":"a","body":1}', 1008],
    ['a ref that is no whole number', '{"publish":"a","ref":"1","body":1}', 1008],
    ['a ref with a fraction', '{"publish":"a","ref":1.5,"body":1}', 1008],
    ['too big', `{"publish":"a","ref":1,"body":${bulk(3000)}}`, 1009],
  ];
  for (const [what, message, expected] of cases) {
    const { ws, got, closed } = await open(t, url, 'topics=a');
    ws.send(message);
    ws.send('{"publish":"a","ref":2,"body":"behind it"}');
    const { code } = await closed;
    assert.equal(code, expected, what);
    assert.equal(got.length, 1, what);
  }
  assert.equal(hub.published(), 0);
  assert.deepEqual(count('errors'), [cases.length]);
});

test('reading a message finds what JSON.parse finds, and its very bytes', () => {
  const spaces = fc.stringMatching(/^[ \t\n\r]{0,3}$/);
  fc.assert(
    fc.property(
      fc.jsonValue(),
      fc.dictionary(
        fc.string().filter((name) => !['publish', 'ref', 'body', '__proto__'].includes(name)),
        fc.jsonValue(),
      ),
      spaces,
      fc.nat(2),
      (body, others, space, indent) => {
        const source = JSON.stringify(body, null, indent);
        const members = [
          ...Object.entries(others).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]),
          ['"body"', source],
          ['"pub\\u006cish"', '"a"'],
          ['"ref"', '1'],
        ];
        const text =
          `${space}{` +
          members.map(([name, value]) => `${space}${name}${space}:${space}${value}${space}`).join(',') +
          `}${space}`;
        assert.deepEqual(readUpstream(text, 1e6), {
          kind: 'publish',
          ref: 1,
          topic: 'a',
          body: source,
          stamps: {},
        });
      },
    ),
  );
  assert.deepEqual(readUpstream('{"body":1,"ref":1,"publish":"a","body":[2]}', 10), {
    kind: 'publish',
    ref: 1,
    topic: 'a',
    body: '[2]',
    stamps: {},
  });
  assert.deepEqual(readUpstream('{"ref":1,"publish":"a","x":{"body":1}}', 10), {
    kind: 'refused',
    ref: 1,
    reason: 'there is no body',
  });
});

test('text of any kind is read without a crash', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof readUpstream(text, 100).kind === 'string'),
  );
});

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
    ['another protocol', good.replace('Upgrade: websocket', 'Upgrade: h2c'), 426, /upgrade-required/],
    ['no key', without('Sec-WebSocket-Key', good), 400, /bad-handshake/],
    ['a key that is none', good.replace('ZQ==', ''), 400, /bad-handshake/],
    ['another method', good.replace('GET', 'PUT'), 400, /bad-handshake/],
    [
      'a malformed protocol list',
      handshake('/ws?topics=a', 'Sec-WebSocket-Protocol: a,,b'),
      400,
      /bad-handshake/,
    ],
    ['no upgrade', getRequest('/ws?topics=a', 'Connection: close'), 426, /\r\nupgrade: websocket\r\n/i],
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

test('the examples name the socket', () => {
  for (const { what, command } of websocket.examples) {
    assert.match(
      command('http://127.0.0.1:1', 'http://127.0.0.1:1'),
      what.startsWith('publish an event') ? /topics\/news$/ : /\/\/127\.0\.0\.1:1\/ws\?topics=news/,
      what,
    );
  }
});
