// Holds WebSocket subscribers against raw servers that break the protocol (RFC 6455).

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'vitest';
import { rawServer, testContext, until } from './context.ts';
import { open, start } from './websocket-subscribers.ts';

const accept = (request: string) =>
  createHash('sha1')
    .update(`${/sec-websocket-key: (.*)\r/.exec(request)![1]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
const upgrade = (request: string, more = '') =>
  'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  `Sec-WebSocket-Accept: ${accept(request)}\r\n${more}\r\n`;
const text = (value: string | Buffer) =>
  Buffer.concat([Buffer.from([0x81, Buffer.byteLength(value)]), Buffer.from(value)]);

const wrong: [
  what: string,
  reply: (request: string) => (string | Buffer)[],
  code: string,
  message: string,
][] = [
  [
    'a refusal',
    () => ['HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n'],
    'ws-refused',
    'the server answered the handshake with 403 instead of 101',
  ],
  [
    'an answer without upgrade',
    () => ['HTTP/1.1 200 OK\r\n\r\n'],
    'ws-refused',
    'the server answered the handshake with 200 instead of 101',
  ],
  [
    'a wrong accept',
    () => [
      'HTTP/1.1 101 X\r\nUpgrade: websocket\r\nConnection: upgrade\r\n' +
        'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n',
    ],
    'ws-handshake',
    'Sec-WebSocket-Accept does not fit the key that was sent',
  ],
  [
    'another protocol',
    () => ['HTTP/1.1 101 X\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n'],
    'ws-handshake',
    'the server changed the protocol, but not to "websocket"',
  ],
  [
    'an extension',
    (r) => [upgrade(r, 'Sec-WebSocket-Extensions: permessage-deflate\r\n')],
    'ws-extension',
    'the server chose an extension that was not offered: "permessage-deflate"',
  ],
  [
    'a subprotocol',
    (r) => [upgrade(r, 'Sec-WebSocket-Protocol: chat\r\n')],
    'ws-handshake',
    'the server chose a subprotocol that was not offered',
  ],
  [
    'a masked frame',
    (r) => [upgrade(r), Buffer.from([0x81, 0x80, 0, 0, 0, 0])],
    'ws-frame',
    'a frame from the server is masked',
  ],
  [
    'a binary message',
    (r) => [upgrade(r), Buffer.from([0x82, 0x01, 0x61])],
    'ws-message',
    'the server sent a binary message',
  ],
  [
    'text that is not UTF-8',
    (r) => [upgrade(r), text(Buffer.from([0xc3, 0x28]))],
    'ws-message',
    'the server sent a text that is not UTF-8',
  ],
  [
    'a message that is no event',
    (r) => [upgrade(r), text('{"says":1}')],
    'malformed-event',
    'a message is neither an event nor a notice',
  ],
  [
    'an answer that nothing asked for',
    (r) => [upgrade(r), text('{"ack":1,"seq":1}')],
    'ws-answer',
    'the server answered a message that was not sent',
  ],
];
for (const [what, reply, code, message] of wrong) {
  test(`${what} is a problem, and the subscriber goes on or tries again`, async (t) => {
    const url = await rawServer(t, (socket, request, connection) => {
      if (connection === 0) {
        for (const part of reply(request)) socket.write(part);
        if (code === 'malformed-event' || code === 'ws-answer') socket.end();
      } else {
        socket.write(upgrade(request));
        socket.write(text(open()));
      }
    });
    const seen = testContext(url);
    await start(t, seen);
    await until(() => seen.ready.length === 1);
    assert.deepEqual(seen.problems, [{ code, message }]);
    assert.deepEqual([seen.counters.handshakes, seen.counters.reconnects], [2, 1]);
  });
}

test('an answer and first messages in one piece are told apart', async (t) => {
  const url = await rawServer(t, (socket, request) =>
    socket.write(Buffer.concat([Buffer.from(upgrade(request)), text(open()), text('{"socket":"open"}')])),
  );
  const seen = testContext(url);
  await start(t, seen);
  await until(() => seen.ready.length === 2);
});
