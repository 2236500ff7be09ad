// What the tests of the load side share: a context that remembers what a pattern reports, and servers on
// ephemeral ports that are gone when the test is over.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { TestContext } from 'vitest';
import type { Endpoint } from '../../core/protocol/control.ts';
import { newCounters, type Counters } from '../../core/result/counters.ts';
import { decodeEnvelope, encodeEnvelope } from '../../core/event/envelope.ts';
import type { LoadContext } from '../../load/pattern.ts';

export type Seen = {
  context: LoadContext;
  counters: Counters;
  /** Bodies by subscriber, in order of arrival. */
  bodies: Map<number, string[]>;
  ready: number[];
  lost: number[];
  /** Told that their cursor came too late, and that they need not come back. */
  resets: number[];
  gone: number[];
  problems: { code: string; message: string }[];
};

/** @param url of the server; the rest of the endpoint can be given too */
export function testContext(
  url: string,
  more: Partial<Endpoint> &
    Partial<Pick<LoadContext, 'random' | 'reconnect' | 'sourceAddress' | 'topicsOf'>> = {},
): Seen {
  const { random, reconnect, sourceAddress, topicsOf, ...endpoint } = more;
  const counters = newCounters();
  const seen = {
    counters,
    bodies: new Map<number, string[]>(),
    ready: [] as number[],
    lost: [] as number[],
    resets: [] as number[],
    gone: [] as number[],
    problems: [] as Seen['problems'],
  };
  const context: LoadContext = {
    endpoint: { url, over: 'h1', publishUrl: url, ...endpoint },
    counters,
    reconnect: reconnect ?? { base: 10, cap: 50 },
    random: random ?? Math.random,
    topicsOf: topicsOf ?? (() => ['news']),
    sourceAddress: sourceAddress ?? (() => '127.0.0.1'),
    sink: {
      ready: (subscriber) => void seen.ready.push(subscriber),
      lost: (subscriber) => void seen.lost.push(subscriber),
      reset: (subscriber) => void seen.resets.push(subscriber),
      gone: (subscriber) => void seen.gone.push(subscriber),
      event(subscriber, bytes, from, to) {
        try {
          const { body } = decodeEnvelope(bytes.toString('utf8', from, to));
          seen.bodies.set(subscriber, [...(seen.bodies.get(subscriber) ?? []), body]);
          return true;
        } catch {
          return false;
        }
      },
      problem(code, message) {
        counters.errors++;
        seen.problems.push({ code, message });
      },
    },
  };
  return { ...seen, context };
}

/** Event `offset` of the topic `news` on the wire. */
export function envelope(offset: number, body = `{"n":${offset}}`): string {
  return encodeEnvelope({
    id: `abc123-${offset}`,
    topic: 'news',
    seq: offset,
    plannedUs: 1,
    sentUs: 2,
    acceptedUs: 3,
    body,
  });
}

/** Waits until the condition holds. @throws when it does not within ten seconds */
export async function until(condition: () => boolean, what = 'the condition'): Promise<void> {
  for (const end = performance.now() + 10_000; !condition();) {
    if (performance.now() > end) throw new Error(`${what} did not come about within 10 s`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** Listens on loopback until the test is over. @returns the URL */
export async function listen(
  t: TestContext,
  server: Server | import('node:http').Server | import('node:http2').Http2Server,
): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/**
 * A raw server; `serve` gets each connection's first bytes (its request) and the number
 * of the connection, from 0.
 */
export function rawServer(
  t: TestContext,
  serve: (socket: Socket, request: string, connection: number) => void,
): Promise<string> {
  let connections = 0;
  return listen(
    t,
    createServer({ noDelay: true }, (socket) => {
      const connection = connections++;
      socket.on('error', () => {});
      socket.once('data', (bytes) => serve(socket, bytes.toString('latin1'), connection));
    }),
  );
}

/** Cuts bytes into pieces of the sizes given, over and over. */
export function split(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? 1);
    pieces.push(bytes.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

/** A chunk of a chunked body. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}
