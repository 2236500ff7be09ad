// Writes and reads HTTP/1.1 by hand over a plain socket, for requests that no HTTP library would send.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import assert from 'node:assert/strict';

export type RawClient = {
  socket: Socket;
  /** Everything received so far. */
  text(): string;
  /** Resolves when what was received matches. */
  saw(pattern: RegExp): Promise<string>;
  /** Resolves when the connection is closed, with everything received. */
  closed: Promise<string>;
};

export async function rawClient(url: string, options: { allowHalfOpen?: boolean } = {}): Promise<RawClient> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: true, ...options });
  let received = '';
  const closed = new Promise<string>((resolve) => {
    socket.on('close', () => resolve(received));
  });
  socket.on('error', () => {}); // a reset is an end like others
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  await new Promise((resolve) => socket.once('connect', resolve));
  return {
    socket,
    text: () => received,
    async saw(pattern) {
      await until(`received ${pattern}, got ${received.slice(0, 200)}`, () => pattern.test(received));
      return received;
    },
    closed,
  };
}

/** Sends one text, and gives what came until the connection was closed. */
export async function talk(url: string, text: string | Buffer): Promise<string> {
  const { socket, closed } = await rawClient(url);
  socket.write(text);
  return closed;
}

export async function until(what: string, holds: () => boolean, withinMs = 15_000): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > limit) assert.fail(`not within ${withinMs} ms: ${what}`);
    await sleep(2);
  }
}
