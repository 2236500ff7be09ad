// Receivers of webhooks that do as a test tells them: over `node:http`, or over a bare socket where they
// break HTTP. They are closed when the test is over.

import { once } from 'node:events';
import { createServer as createHttpServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';

export type Got = { path: string; headers: IncomingMessage['headers']; body: string; atMs: number };

async function listening(t: TestContext, server: Server) {
  const sockets = new Set<Socket>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections++;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  t.onTestFinished(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Connections so far, and those open now. */
    connections: () => connections,
    open: () => sockets.size,
    close,
  };
}

/** Answers each request with the status that `answer` gives for it, and keeps what it got. */
export async function receiver(
  t: TestContext,
  answer: (got: Got, count: number) => number | Promise<number> = () => 204,
) {
  const got: Got[] = [];
  const handle: RequestListener = (request, response) => {
    let body = '';
    request
      .setEncoding('utf8')
      .on('data', (piece: string) => (body += piece))
      .on('end', async () => {
        const one = { path: request.url ?? '', headers: request.headers, body, atMs: performance.now() };
        got.push(one);
        response.writeHead(await answer(one, got.length), { 'retry-after': '0' }).end();
      });
  };
  return { got, ...(await listening(t, createHttpServer({ keepAliveTimeout: 60_000 }, handle))) };
}

/**
 * Calls `answer` for each request, as soon as something of it has come, with how many came
 * before on all connections.
 */
export async function bareReceiver(t: TestContext, answer: (socket: Socket, before: number) => void) {
  let requests = 0;
  const server = createServer({ noDelay: true }, (socket) =>
    socket.on('data', (bytes) => {
      if (bytes.toString('latin1').startsWith('POST')) answer(socket, requests++);
    }),
  );
  return { requests: () => requests, ...(await listening(t, server)) };
}

export async function until(what: string, holds: () => boolean, withinMs = 10_000): Promise<void> {
  const limit = performance.now() + withinMs;
  while (!holds()) {
    if (performance.now() > limit) throw new Error(`not within ${withinMs} ms: ${what}`);
    await sleep(2);
  }
}
