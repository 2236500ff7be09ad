// Clients of a WebSocket server for its tests: `ws` with what it got, and one that writes
// its frames byte by byte.

import { once } from 'node:events';
import type { TestContext } from 'vitest';
import { WebSocket as WsClient, type ClientOptions } from 'ws';
import { rawClient, until } from './http/raw-http.ts';
import { getRequest } from './streams.ts';

export const handshake = (path: string, ...fields: string[]) =>
  getRequest(
    path,
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    ...fields,
  );

/** A `ws` client, with what it got. */
export async function open(t: TestContext, url: string, query: string, options: ClientOptions = {}) {
  const ws = new WsClient(`${url.replace('http', 'ws')}/ws?${query}`, {
    perMessageDeflate: false,
    ...options,
  });
  t.onTestFinished(() => ws.terminate());
  const got: string[] = [];
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    ws.on('close', (code, reason) => resolve({ code, reason: String(reason) })),
  );
  ws.on('message', (data) => got.push(String(data)));
  ws.on('error', () => {});
  await Promise.race([once(ws, 'open'), closed]);
  return {
    ws,
    got,
    closed,
    saw: (count: number) => until(`${count} messages, got ${got.length}`, () => got.length >= count),
  };
}

export type Frame = { first: number; payload: Buffer };

/** Frames of a server, unmasked, out of what a socket has received behind the handshake. */
export function framesOf(received: Buffer): Frame[] {
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
export function masked(first: number, payload: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(payload);
  const head =
    bytes.length < 126
      ? [first, 0x80 | bytes.length]
      : [first, 0x80 | 126, bytes.length >> 8, bytes.length & 255];
  return Buffer.concat([
    Buffer.from(head),
    Buffer.from([1, 2, 3, 4]),
    bytes.map((byte, i) => byte ^ ((i % 4) + 1)),
  ]);
}

/** A client that shakes hands and then does as the test says, byte by byte. */
export async function rawSocket(url: string, query = 'topics=a', ...fields: string[]) {
  const { socket, saw, text, closed } = await rawClient(url);
  socket.write(handshake(`/ws?${query}`, ...fields));
  await saw(/"socket":"open"/);
  return { socket, frames: () => framesOf(Buffer.from(text(), 'latin1')), closed };
}

export const closeCodeOf = (frames: Frame[]) =>
  frames.findLast(({ first }) => first === 0x88)?.payload.readUInt16BE(0);
