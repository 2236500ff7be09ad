// Writes and reads HTTP/2 frames by hand (RFC 9113, section 4.1), for what no client would send.

import { connect, type Socket } from 'node:net';
import { until } from './raw-http.ts';

const types = {
  data: 0,
  headers: 1,
  priority: 2,
  rst: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

const endStream = 1;
const endHeaders = 4;
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function frame(
  type: keyof typeof types,
  flags: number,
  stream: number,
  payload: Buffer = Buffer.alloc(0),
): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = types[type];
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** A header field, neither indexed nor compressed (RFC 7541, section 6.2.2). */
export function field(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), text(name), text(value)]);
}

/** A string of HPACK (RFC 7541, sections 5.1 and 5.2). */
function text(value: string): Buffer {
  const bytes = [];
  let left = value.length;
  if (left < 127) {
    bytes.push(left);
  } else {
    bytes.push(127);
    for (left -= 127; left >= 128; left >>= 7) bytes.push((left & 127) | 128);
    bytes.push(left);
  }
  return Buffer.concat([Buffer.from(bytes), Buffer.from(value, 'latin1')]);
}

/** GET or POST (2 and 3 of the static table), http (6), path and authority. */
export function fields(path: string, method: 'GET' | 'POST' = 'GET', more: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([
    Buffer.from([method === 'GET' ? 0x82 : 0x83, 0x86]),
    field(':path', path),
    field(':authority', 'localhost'),
    more,
  ]);
}

export const frames = {
  /** A whole GET. @param n the number of the request, from 0 */
  get: (n: number, path: string) => frame('headers', endHeaders | endStream, 2 * n + 1, fields(path)),
  /** A POST whose body has not begun. */
  post: (n: number, path: string) => frame('headers', endHeaders, 2 * n + 1, fields(path, 'POST')),
  /** Fields behind a body. */
  trailers: (n: number, block: Buffer) => frame('headers', endHeaders | endStream, 2 * n + 1, block),
  beginHeaders: (n: number, block: Buffer) => frame('headers', endStream, 2 * n + 1, block),
  reset: (n: number, code = 8) => frame('rst', 0, 2 * n + 1, uint32(code)),
  settings: (values: Readonly<Record<number, number>> = {}) =>
    frame(
      'settings',
      0,
      0,
      Buffer.concat(
        Object.entries(values).map(([key, value]) =>
          Buffer.concat([Buffer.from([0, Number(key)]), uint32(value)]),
        ),
      ),
    ),
  settingsTaken: () => frame('settings', 1, 0),
  ping: () => frame('ping', 0, 0, Buffer.alloc(8)),
  goaway: () => frame('goaway', 0, 0, Buffer.alloc(8)),
  window: (stream: number, bytes: number) => frame('windowUpdate', 0, stream, uint32(bytes)),
  priority: (n: number) => frame('priority', 0, 2 * n + 1, Buffer.from([0, 0, 0, 0, 16])),
  emptyData: (n: number) => frame('data', 0, 2 * n + 1),
};

export type FrameClient = {
  socket: Socket;
  /** The error code of the last GOAWAY; -1 when there was none. */
  goaway(): number;
  /** How many streams the server has reset, and how many it has answered. */
  resets(): number;
  answers(): number;
  closed(): boolean;
  /**
   * Writes what `next` gives, as fast as the server takes it, until it gives nothing or the connection is
   * closed.
   * @returns frames written, or parts of their last 64 KiB
   */
  flood(next: (i: number) => Buffer | undefined): Promise<number>;
};

/** Connects in clear text, sends preface and settings. @param reads whether it reads what the server sends */
export async function frameClient(
  url: string,
  { settings = {}, reads = true }: { settings?: Readonly<Record<number, number>>; reads?: boolean } = {},
): Promise<FrameClient> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true });
  let kept = Buffer.alloc(0);
  let [goaway, resets, answers] = [-1, 0, 0];
  let closed = false;
  const over = new Promise<void>((resolve) => {
    socket
      .on('error', () => {})
      .once('close', () => {
        closed = true;
        resolve();
      });
  });
  if (reads)
    socket.on('data', (bytes: Buffer) => {
      kept = Buffer.concat([kept, bytes]);
      while (kept.length >= 9 && kept.length >= 9 + kept.readUIntBE(0, 3)) {
        if (kept[3] === types.goaway) goaway = kept.readUInt32BE(13);
        if (kept[3] === types.rst) resets++;
        if (kept[3] === types.headers) answers++;
        kept = kept.subarray(9 + kept.readUIntBE(0, 3));
      }
    });
  await until('it is connected', () => !socket.connecting);
  socket.write(Buffer.concat([preface, frames.settings(settings)]));
  return {
    socket,
    goaway: () => goaway,
    resets: () => resets,
    answers: () => answers,
    closed: () => closed,
    async flood(next) {
      let i = 0;
      for (let more = true; more && !closed;) {
        const pieces: Buffer[] = [];
        for (let bytes = 0; bytes < 64 * 1024; i++) {
          const piece = next(i);
          if (!piece) {
            more = false;
            break;
          }
          pieces.push(piece);
          bytes += piece.length;
        }
        if (!socket.write(Buffer.concat(pieces)))
          await Promise.race([over, new Promise((resolve) => socket.once('drain', resolve))]);
        await new Promise(setImmediate); // the server may be in this process
      }
      return i;
    },
  };
}
