// Holds what the tests of http-stream, sse and websocket share: a server of the pattern, events published
// without HTTP, a client that stops reading.

import { connect, type Socket } from 'node:net';
import type { TestContext } from 'vitest';
import type { CounterName } from '../../core/result/counters.ts';
import { patterns, type PatternName } from '../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../core/scenario/scenario.ts';
import type { HubEvent } from '../../servers/hub/event.ts';
import { startServer } from '../../servers/start.ts';
import { until } from './http/raw-http.ts';

export async function serve(
  t: TestContext,
  pattern: PatternName,
  options: Record<string, unknown> = {},
  limits: Partial<ServerLimits> = {},
) {
  const server = await startServer({
    pattern,
    options: patterns[pattern].options.parse(options),
    limits: { ...defaultLimits, ...limits },
    seed: 1,
  });
  t.onTestFinished(() => {
    server.disconnect(1); // with nobody left, there is nobody to say goodbye to
    return server.close();
  });
  const { hub, subscribers, endpoint } = server;
  return {
    ...server,
    url: endpoint.url,
    publish: (topic: string, ...bodies: string[]): HubEvent[] =>
      bodies.map((body) => hub.publish(topic, body, {})),
    /** The cursor behind event number `offset`. */
    at: (offset: number) => `${hub.epoch}-${offset}`,
    count: (...names: CounterName[]) => names.map((name) => server.counters()[name]),
    joined: (count: number) => until(`${count} subscribers`, () => subscribers() === count),
  };
}

/** A client that sends one request, and reads no more than what comes before it is told to pause. */
export async function slowClient(
  url: string,
  request: string,
): Promise<{ socket: Socket; received(): Buffer }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  const pieces: Buffer[] = [];
  socket.on('error', () => {}); // a reset is an end like others
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await new Promise((resolve) => socket.once('connect', resolve));
  socket.write(request);
  await until('answered', () => pieces.length > 0);
  return { socket, received: () => Buffer.concat(pieces) };
}

export const getRequest = (path: string, ...fields: string[]) =>
  `GET ${path} HTTP/1.1\r\n${['Host: localhost', ...fields].join('\r\n')}\r\n\r\n`;

/**
 * The body of a response that came whole, or the part of it that came, out of its chunks
 * (RFC 9112, section 7.1).
 */
export function unchunk(response: Buffer): { body: Buffer; ended: boolean } {
  let at = response.indexOf('\r\n\r\n') + 4;
  const pieces: Buffer[] = [];
  for (;;) {
    const lineEnd = response.indexOf('\r\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(pieces), ended: false };
    const size = Number.parseInt(response.toString('latin1', at, lineEnd), 16);
    if (size === 0)
      return {
        body: Buffer.concat(pieces),
        ended: response.subarray(lineEnd).equals(Buffer.from('\r\n\r\n')),
      };
    pieces.push(response.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

/** A body of about so many bytes. */
export const bulk = (bytes: number) => JSON.stringify('x'.repeat(bytes));
