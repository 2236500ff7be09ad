// WebSocket as other people's clients see it (`ws`, and the one built into Node), and what our server makes of
// handshakes and frames that no client would send. What `ws` itself decides is tested where our code depends on it.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { WebSocket as WsClient, type ClientOptions } from 'ws';
import { decodeEnvelope } from '../../core/envelope.ts';
import { readUpstream } from '../../servers/upstream.ts';
import { websocket } from '../../servers/websocket.ts';
import { rawClient, talk, until } from './raw-http.ts';
import { bulk, getRequest, serve } from './streams.ts';

const handshake = (path: string, ...fields: string[]) =>
  getRequest(path, 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==', ...fields);

/** A `ws` client, with what it got. */
async function open(t: TestContext, url: string, query: string, options: ClientOptions = {}) {
  const ws = new WsClient(`${url.replace('http', 'ws')}/ws?${query}`, { perMessageDeflate: false, ...options });
  t.after(() => ws.terminate());
  const got: string[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) => ws.on('close', (code, reason) => resolve({ code, reason: String(reason) })));
  ws.on('message', (data) => got.push(String(data)));
  ws.on('error', () => {});
  await Promise.race([once(ws, 'open'), closed]);
  return { ws, got, closed, saw: (count: number) => until(`${count} messages, got ${got.length}`, () => got.length >= count) };
}

type Frame = { first: number; payload: Buffer };

/** Frames of a server, unmasked, out of what a socket has received behind the handshake. */
function framesOf(received: Buffer): Frame[] {
  const frames: Frame[] = [];
  let at = received.indexOf('\r\n\r\n') + 4;
  while (at + 2 <= received.length) {
    let length = received[at + 1]!;
    let from = at + 2;
    if (length === 126) {
      length = received.readUInt16BE(from);
      from += 2;
    } else if (length === 127) {
      length = Number(received.readBigUInt64BE(from));
      from += 8;
    }
    if (from + length > received.length) break;
    frames.push({ first: received[at]!, payload: received.subarray(from, from + length) });
    at = from + length;
  }
  return frames;
}

/** A frame of a client. */
function masked(first: number, payload: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(payload);
  const head = bytes.length < 126 ? [first, 0x80 | bytes.length] : [first, 0x80 | 126, bytes.length >> 8, bytes.length & 255];
  return Buffer.concat([Buffer.from(head), Buffer.from([1, 2, 3, 4]), bytes.map((byte, i) => byte ^ ((i % 4) + 1))]);
}

/** A client that shakes hands and then does as the test says, byte by byte. */
async function rawSocket(url: string, query = 'topics=a', ...fields: string[]) {
  const { socket, saw, text, closed } = await rawClient(url);
  socket.write(handshake(`/ws?${query}`, ...fields));
  await saw(/"socket":"open"/);
  return { socket, frames: () => framesOf(Buffer.from(text(), 'latin1')), closed };
}

const closeCodeOf = (frames: Frame[]) => frames.findLast(({ first }) => first === 0x88)?.payload.readUInt16BE(0);

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
  const sent = [...Array.from({ length: 12 }, (_, i) => send(120 + i - around)), ...Array.from({ length: 12 }, (_, i) => send(65_530 + i - around))];
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
  assert.deepEqual(inTime.got, [`{"socket":"open","cursor":"${at(1)}"}`, ...events.slice(1).map(({ json }) => json)]);
  for (const since of [at(0), 'other-3']) {
    const late = await open(t, url, `topics=a&since=${since}`);
    await late.saw(3);
    assert.deepEqual(late.got, [`{"socket":"open","cursor":"${at(0)}","reset":true}`, ...events.slice(1).map(({ json }) => json)]);
  }
  assert.deepEqual(count('resets'), [2]);
});

test('a message from a client is acknowledged and reaches everybody, its body byte for byte', async (t) => {
  const { url, at, count } = await serve(t, 'websocket');
  const sender = await open(t, url, 'topics=quiet');
  const reader = await open(t, url, 'topics=news');
  const bodies = ['{"a": [1, 2],\t"publish":"x"}', '1.0e2', '12345678901234567890', '"a \\u00e9 \\"quoted\\" }{"', 'null', '[ ]', '{\n"two":"lines"\n}'];
  for (const [i, body] of bodies.entries()) sender.ws.send(`{"publish":"news","ref":${i},"body": ${body} }`);
  await sender.saw(1 + bodies.length);
  await reader.saw(1 + bodies.length);
  assert.deepEqual(sender.got.slice(1), bodies.map((_, i) => `{"ack":${i},"id":"${at(i + 1)}","seq":${i + 1}}`));
  assert.deepEqual(reader.got.slice(1).map((json) => decodeEnvelope(json).body), bodies);
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
    fc.property(fc.jsonValue(), fc.dictionary(fc.string().filter((name) => !['publish', 'ref', 'body', '__proto__'].includes(name)), fc.jsonValue()), spaces, fc.nat(2), (body, others, space, indent) => {
      const source = JSON.stringify(body, null, indent);
      const members = [...Object.entries(others).map(([name, value]) => [JSON.stringify(name), JSON.stringify(value)]), ['"body"', source], ['"pub\\u006cish"', '"a"'], ['"ref"', '1']];
      const text = `${space}{${members.map(([name, value]) => `${space}${name}${space}:${space}${value}${space}`).join(',')}}${space}`;
      assert.deepEqual(readUpstream(text, 1e6), { kind: 'publish', ref: 1, topic: 'a', body: source, stamps: {} });
    }),
  );
  assert.deepEqual(readUpstream('{"body":1,"ref":1,"publish":"a","body":[2]}', 10), { kind: 'publish', ref: 1, topic: 'a', body: '[2]', stamps: {} });
  assert.deepEqual(readUpstream('{"ref":1,"publish":"a","x":{"body":1}}', 10), { kind: 'refused', ref: 1, reason: 'there is no body' });
});

test('text of any kind is read without a crash', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (text) => typeof readUpstream(text, 100).kind === 'string'));
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
    ['a malformed protocol list', handshake('/ws?topics=a', 'Sec-WebSocket-Protocol: a,,b'), 400, /bad-handshake/],
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
  const refused = ['http://example.org', 'http://notlocalhost', 'null', 'http://localhost.example.org', 'http://127.0.0.1.example.org', 'file://', 'x'];
  for (const origin of refused) assert.match(await talk(url, handshake('/ws?topics=a', `Origin: ${origin}`)), /^HTTP\/1\.1 403 [^]*"origin"/, origin);
  for (const origin of ['http://localhost:3000', 'https://127.0.0.1', 'http://[::1]:8080']) await open(t, url, 'topics=a', { origin });
  await joined(3);
  assert.deepEqual(count('refusals', 'handshakes'), [refused.length, refused.length + 3]);
});

test('no subprotocol is promised', async (t) => {
  const { url } = await serve(t, 'websocket');
  assert.doesNotMatch((await rawResponse(url, 'Sec-WebSocket-Protocol: chat, superchat')).head, /Sec-WebSocket-Protocol/i);
});

async function rawResponse(url: string, ...fields: string[]) {
  const { socket, saw } = await rawClient(url);
  socket.write(handshake('/ws?topics=a', ...fields));
  const text = await saw(/"socket":"open"/);
  socket.destroy();
  return { head: text.slice(0, text.indexOf('\r\n\r\n')) };
}

test('one subscriber too many, and a topic too many, are told to come back later', async (t) => {
  const { url, publish, joined, count } = await serve(t, 'websocket', {}, { maxSubscribers: 2, maxTopics: 3 });
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

test('a client that answers no pings is cut off within three intervals, one that answers stays', async (t) => {
  const { url, joined, count } = await serve(t, 'websocket', { ping: '100ms' });
  const alive = await open(t, url, 'topics=a');
  const dead = await rawSocket(url);
  await joined(2);
  await dead.closed;
  await joined(1);
  assert.equal(dead.frames().filter(({ first, payload }) => first === 0x89 && payload.length === 0).length, 2);
  const pings = count('heartbeats')[0]!;
  await until('more pings', () => count('heartbeats')[0]! >= pings + 4);
  assert.equal(alive.ws.readyState, WsClient.OPEN);
  assert.deepEqual(count('errors'), [1]);
});

test('a message is as good a sign of life as a pong', async (t) => {
  const { url, joined, count } = await serve(t, 'websocket', { ping: '200ms' });
  const { socket } = await rawSocket(url);
  const timer = setInterval(() => socket.write(masked(0x81, '{"publish":"b","ref":1,"body":1}')), 20);
  t.after(() => clearInterval(timer));
  await until('six pings', () => count('heartbeats')[0]! >= 6);
  await joined(1);
});

test('a server that closes says 1001 and waits for the answer, but not for long', async (t) => {
  const { url, joined, close } = await serve(t, 'websocket');
  const { closed } = await open(t, url, 'topics=a');
  const mute = await rawSocket(url);
  await joined(2);
  const done = close();
  assert.deepEqual(await closed, { code: 1001, reason: 'the server is going away' });
  assert.match(await talk(url, handshake('/ws?topics=a')), /^HTTP\/1\.1 503 [^]*Retry-After: 1\r\n[^]*"closing"/);
  await done;
  await mute.closed;
  assert.equal(closeCodeOf(mute.frames()), 1001);
});

test('a disconnect is a cut: no close frame', async (t) => {
  const { url, joined, disconnect } = await serve(t, 'websocket');
  const clients = await Promise.all(Array.from({ length: 10 }, () => open(t, url, 'topics=a')));
  await joined(10);
  disconnect(0.5);
  await joined(5);
  await until('five know', () => clients.filter(({ ws }) => ws.readyState === WsClient.CLOSED).length === 5);
  const codes = await Promise.all(clients.filter(({ ws }) => ws.readyState === WsClient.CLOSED).map(({ closed }) => closed));
  assert.deepEqual(codes.map(({ code }) => code), Array(5).fill(1006));
});

test('malformed frames end the connection with the code of the standard, and no other', async (t) => {
  const { url, publish, joined, count } = await serve(t, 'websocket');
  const bystander = await open(t, url, 'topics=a');
  const cases: [string, Buffer, number][] = [
    ['unmasked', Buffer.from([0x81, 1, 0x31]), 1002],
    ['reserved bit 1', masked(0xc1, '1'), 1002],
    ['reserved bit 2', masked(0xa1, '1'), 1002],
    ['reserved bit 3', masked(0x91, '1'), 1002],
    ['reserved opcode 3', masked(0x83, '1'), 1002],
    ['reserved opcode 11', masked(0x8b, '1'), 1002],
    ['a ping of 126 bytes', masked(0x89, 'x'.repeat(126)), 1002],
    ['a fragmented ping', masked(0x09, '1'), 1002],
    ['a continuation of nothing', masked(0x80, '1'), 1002],
    ['a new message inside another', Buffer.concat([masked(0x01, '1'), masked(0x81, '2')]), 1002],
    ['text that is not UTF-8', masked(0x81, Buffer.from([0x22, 0xff, 0x22])), 1007],
    ['UTF-8 broken off at the end of a fragment', Buffer.concat([masked(0x01, Buffer.from([0x22, 0xc3])), masked(0x80, '"')]), 1007],
    ['a close with one byte', masked(0x88, 'x'), 1002],
    ['a close with the code 1005', masked(0x88, Buffer.from([0x03, 0xed])), 1002],
    ['a length above all limits', Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1009],
  ];
  for (const [what, bytes, expected] of cases) {
    const { socket, frames, closed } = await rawSocket(url);
    socket.write(bytes);
    await until(`${what}: a close frame`, () => closeCodeOf(frames()) !== undefined);
    publish('a', '"after the close"'); // not to be sent any more
    socket.end();
    await closed;
    assert.equal(closeCodeOf(frames()), expected, what);
    assert.equal(frames().at(-1)!.first, 0x88, what);
  }
  await joined(1);
  await bystander.saw(1 + cases.length);
  assert.deepEqual(count('errors'), [cases.length]);
});

test('a message in fragments with a ping between them is one message, and the ping is answered first', async (t) => {
  const { url } = await serve(t, 'websocket');
  const { socket, frames } = await rawSocket(url, 'topics=other');
  const message = Buffer.from('{"publish":"a","ref":1,"body":"é"}');
  const middle = message.indexOf(0xa9); // inside a character
  socket.write(Buffer.concat([masked(0x01, message.subarray(0, middle)), masked(0x89, 'so?'), masked(0x80, message.subarray(middle))]));
  await until('both answers', () => frames().length === 3);
  assert.deepEqual(frames().slice(1).map(({ first }) => first), [0x8a, 0x81]);
  assert.equal(String(frames()[1]!.payload), 'so?');
  assert.match(String(frames()[2]!.payload), /"ack":1/);
});

test('after a close of ours no event is sent, even before the client has answered', async (t) => {
  const { url, publish, joined } = await serve(t, 'websocket');
  const bystander = await open(t, url, 'topics=a');
  const { socket, frames } = await rawSocket(url);
  await joined(2);
  socket.write(masked(0x81, 'no JSON'));
  await until('a close frame', () => closeCodeOf(frames()) === 1007);
  publish('a', bulk(10), bulk(100_000));
  await bystander.saw(3);
  await joined(1);
  assert.equal(frames().at(-1)!.first, 0x88);
});

test('after the close of a client no event is sent, and one that leaves without any leaves nothing behind', async (t) => {
  const { url, hub, publish, joined } = await serve(t, 'websocket');
  const closing = await rawSocket(url);
  const halfClosing = await rawSocket(url);
  const vanishing = await rawSocket(url);
  await joined(3);
  closing.socket.write(masked(0x88, Buffer.from([0x03, 0xe8])));
  await until('the answer', () => closeCodeOf(closing.frames()) === 1000);
  publish('a', '1');
  closing.socket.end();
  halfClosing.socket.end();
  vanishing.socket.resetAndDestroy();
  await Promise.all([closing.closed, halfClosing.closed]);
  await joined(0);
  assert.equal(closing.frames().at(-1)!.first, 0x88);
  assert.equal(hub.subscriptions(), 0);
});

test('one that half-closes and does not read what is on the way is let go of', async (t) => {
  const { url, publish, joined } = await serve(t, 'websocket', { ping: '100ms' }, { slowBuffer: 64 * 1024 ** 2 });
  const { socket } = await rawSocket(url);
  socket.pause();
  for (let i = 0; i < 20; i++) publish('a', bulk(1e6));
  socket.end();
  await joined(0);
});

test('a client that is too slow is told 1008 behind what it was sent before', async (t) => {
  const { url, publish, joined, count } = await serve(t, 'websocket', {}, { slowBuffer: 300_000 });
  const { ws, got, closed, saw } = await open(t, url, 'topics=a');
  await saw(1);
  ws.pause();
  await until('cut off', () => {
    publish('a', bulk(500_000));
    return count('slowDisconnects')[0] === 1;
  });
  const sent = count('events')[0]!;
  publish('a', '"not sent any more"');
  ws.resume();
  assert.deepEqual(await closed, { code: 1008, reason: 'too slow' });
  assert.equal(got.length, 1 + sent);
  assert.deepEqual(count('events', 'slowDisconnects'), [sent, 1]);
  await joined(0);
});

test('a client that publishes but does not read its acknowledgements is cut off, whatever the policy', async (t) => {
  const { url, joined, count } = await serve(t, 'websocket', {}, { slowBuffer: 100_000, slow: 'drop', maxTopics: 1 });
  const { socket } = await rawSocket(url);
  await joined(1);
  socket.pause();
  const frames = Buffer.concat(Array.from({ length: 500 }, () => masked(0x81, '{"publish":"b","ref":1,"body":1}')));
  const timer = setInterval(() => socket.writableLength < 1e6 && socket.write(frames), 1);
  t.after(() => clearInterval(timer));
  await joined(0);
  assert.deepEqual(count('slowDisconnects'), [1]);
});

test('compressed: the same messages in fewer bytes, each by itself, and from the client too', async (t) => {
  const { url, publish, at, count } = await serve(t, 'websocket', { deflate: true });
  const history = publish('a', bulk(2000), '1');
  const { ws, got, saw } = await open(t, url, `topics=a&since=${at(0)}`, { perMessageDeflate: { threshold: 0 } });
  assert.equal(ws.extensions, 'permessage-deflate');
  const bodies = ['1', bulk(100), bulk(50_000), bulk(50_000), '{"é":"🎈"}', JSON.stringify(Array.from({ length: 40_000 }, (_, i) => i))];
  const events = [...history, ...publish('a', ...bodies)];
  await saw(1 + events.length);
  assert.deepEqual(got.slice(1), events.map(({ json }) => json));
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

test('a client that asks for a small window, or does not ask for compression, is sent messages as they are', async (t) => {
  const { url, publish, joined } = await serve(t, 'websocket', { deflate: true });
  const plain = await rawSocket(url);
  const small = await rawSocket(url, 'topics=a', 'Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9');
  const usual = await rawSocket(url, 'topics=a', 'Sec-WebSocket-Extensions: permessage-deflate');
  await joined(3);
  const [event] = publish('a', bulk(2000));
  for (const { frames } of [plain, small, usual]) await until('a frame', () => frames().length === 2);
  for (const { frames } of [plain, small]) assert.deepEqual(frames()[1], { first: 0x81, payload: Buffer.from(event!.json) });
  assert.equal(usual.frames()[1]!.first, 0xc1);
  assert.ok(usual.frames()[1]!.payload.length < 400);
});

test('a compressed message that unfolds beyond the limit is refused like any that is too big', async (t) => {
  const { url } = await serve(t, 'websocket', { deflate: true }, { maxBody: 10_000 });
  const { ws, closed } = await open(t, url, 'topics=a', { perMessageDeflate: { threshold: 0 } });
  ws.send(`{"publish":"a","ref":1,"body":${bulk(5_000_000)}}`);
  assert.equal((await closed).code, 1009);
});

test('clients that vanish in the middle of a large replay leave nothing behind', async (t) => {
  const { url, hub, publish, at, joined } = await serve(t, 'websocket');
  for (let i = 0; i < 60; i++) publish('a', bulk(500_000));
  const clients: Socket[] = [];
  for (let i = 0; i < 5; i++) {
    const { socket, saw } = await rawClient(url);
    socket.write(handshake(`/ws?topics=a&since=${at(0)}`));
    await saw(/xxx/);
    socket.pause();
    clients.push(socket);
  }
  await joined(5);
  for (const [i, socket] of clients.entries()) {
    if (i % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  await joined(0);
  assert.equal(hub.subscriptions(), 0);
});

test('the examples name the socket', () => {
  for (const { what, command } of websocket.examples) {
    assert.match(command('http://127.0.0.1:1', 'http://127.0.0.1:1'), what.startsWith('publish an event') ? /topics\/news$/ : /\/\/127\.0\.0\.1:1\/ws\?topics=news/, what);
  }
});
