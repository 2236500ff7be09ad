// Lets WebSocket connections stay and end: pings, closes from either side, frames that no client would send,
// clients that do not read, and those that vanish.

import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { test } from 'vitest';
import { WebSocket as WsClient } from 'ws';
import { rawClient, talk, until } from './http/raw-http.ts';
import { bulk, serve } from './streams.ts';
import { closeCodeOf, handshake, masked, open, rawSocket } from './websocket-clients.ts';

test(
  'a client that answers no pings is cut off within ' + 'three intervals, one that answers stays',
  async (t) => {
    const { url, joined, count } = await serve(t, 'websocket', { ping: '100ms' });
    const alive = await open(t, url, 'topics=a');
    const dead = await rawSocket(url);
    await joined(2);
    await dead.closed;
    await joined(1);
    assert.equal(
      dead.frames().filter(({ first, payload }) => first === 0x89 && payload.length === 0).length,
      2,
    );
    const pings = count('heartbeats')[0]!;
    await until('more pings', () => count('heartbeats')[0]! >= pings + 4);
    assert.equal(alive.ws.readyState, WsClient.OPEN);
    assert.deepEqual(count('errors'), [1]);
  },
);

test('a message is as good a sign of life as a pong', async (t) => {
  const { url, joined, count } = await serve(t, 'websocket', { ping: '200ms' });
  const { socket } = await rawSocket(url);
  const timer = setInterval(() => socket.write(masked(0x81, '{"publish":"b","ref":1,"body":1}')), 20);
  t.onTestFinished(() => clearInterval(timer));
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
  assert.match(
    await talk(url, handshake('/ws?topics=a')),
    /^HTTP\/1\.1 503 [^]*Retry-After: 1\r\n[^]*"closing"/,
  );
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
  const codes = await Promise.all(
    clients.filter(({ ws }) => ws.readyState === WsClient.CLOSED).map(({ closed }) => closed),
  );
  assert.deepEqual(
    codes.map(({ code }) => code),
    Array(5).fill(1006),
  );
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
    [
      'UTF-8 broken off at the end of a fragment',
      Buffer.concat([masked(0x01, Buffer.from([0x22, 0xc3])), masked(0x80, '"')]),
      1007,
    ],
    ['a close with one byte', masked(0x88, 'x'), 1002],
    ['a close with the code 1005', masked(0x88, Buffer.from([0x03, 0xed])), 1002],
    [
      'a length above all limits',
      Buffer.from([0x81, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
      1009,
    ],
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

test(
  'a message in fragments with a ping between them is one ' + 'message, and the ping is answered first',
  async (t) => {
    const { url } = await serve(t, 'websocket');
    const { socket, frames } = await rawSocket(url, 'topics=other');
    const message = Buffer.from('{"publish":"a","ref":1,"body":"é"}');
    const middle = message.indexOf(0xa9); // inside a character
    socket.write(
      Buffer.concat([
        masked(0x01, message.subarray(0, middle)),
        masked(0x89, 'so?'),
        masked(0x80, message.subarray(middle)),
      ]),
    );
    await until('both answers', () => frames().length === 3);
    assert.deepEqual(
      frames()
        .slice(1)
        .map(({ first }) => first),
      [0x8a, 0x81],
    );
    assert.equal(String(frames()[1]!.payload), 'so?');
    assert.match(String(frames()[2]!.payload), /"ack":1/);
  },
);

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

test(
  'after the close of a client no event is sent, and one that ' + 'leaves without any leaves nothing behind',
  async (t) => {
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
  },
);

test('one that half-closes and does not read what is on the way is let go of', async (t) => {
  const { url, publish, joined } = await serve(
    t,
    'websocket',
    { ping: '100ms' },
    { slowBuffer: 64 * 1024 ** 2 },
  );
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

test(
  'a client that publishes but does not read its ' + 'acknowledgements is cut off, whatever the policy',
  async (t) => {
    const { url, joined, count } = await serve(
      t,
      'websocket',
      {},
      { slowBuffer: 100_000, slow: 'drop', maxTopics: 1 },
    );
    const { socket } = await rawSocket(url);
    await joined(1);
    socket.pause();
    const frames = Buffer.concat(
      Array.from({ length: 500 }, () => masked(0x81, '{"publish":"b","ref":1,"body":1}')),
    );
    const timer = setInterval(() => socket.writableLength < 1e6 && socket.write(frames), 1);
    t.onTestFinished(() => clearInterval(timer));
    await joined(0);
    assert.deepEqual(count('slowDisconnects'), [1]);
  },
);

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
