// Receives webhooks over HTTP for all subscribers of a process, each at a path of its own: reads raw bodies,
// bounded, answers, and counts connections and bytes. What a delivery is worth is decided in webhook.ts.
//
// It asks for no Host and no Origin (core/http/access.ts): its callers are other people's servers, under
// whatever name they were given, and a delivery proves itself by its signature. There is nothing here to
// read.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { nowUs } from '../../core/base/clock.ts';
import { loopback, urlHost } from '../../core/base/loopback.ts';
import { largestMessageBytes } from '../../core/event/body-size.ts';
import { boundHalfOpen, headMs, isSilence, silentMs } from '../../core/http/half-open.ts';
import { isEncoded, messageFault } from '../../core/http/message.ts';
import type { Headers } from '../../core/signature/schemes.ts';
import { readRawBody } from '../../receiver/raw-body.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { LoadContext } from '../pattern.ts';
import type { TooLargeCode } from '../../core/result/too-large.ts';

/**
 * One request with its whole body, read at `atUs`. The body is valid during the call only.
 * @returns how to answer
 */
export type Take = (subscriber: number, headers: Headers, body: Buffer, atUs: number) => Reply;

/**
 * `reset` and `never`: no answer. `acted`: the request was acted upon, so that an answer that does
 * not arrive is a lost one.
 */
export type Reply =
  | { kind: 'answer'; status: number; afterMs: number; acted: boolean }
  | { kind: 'reset'; acted: boolean }
  | { kind: 'never' };

export type Receiver = {
  /** The address to register for a subscriber. */
  urlOf(subscriber: number): string;
  /**
   * Takes no more connections, waits at most `graceMs` for requests under way, and closes every connection.
   */
  close(graceMs: number): Promise<void>;
};

const tooLargeCode: TooLargeCode = 'delivery-too-large';
const backlog = 4096;
/**
 * Longer than any sender keeps an idle connection: if the receiver closed first, a request could be on its
 * way. (Our servers have a time of their own, which is bounded by how often clients poll.)
 */
const idleMs = 900_000;

/** Listens on a free port of the loopback address. */
export async function startReceiver(
  { counters, sink }: Pick<LoadContext, 'counters' | 'sink'>,
  take: Take,
): Promise<Receiver> {
  /** Connections with a request whose body is not whole yet; that it breaks off is told once. */
  const receiving = new Set<Socket>();
  let closing = false;

  const limits = {
    keepAliveTimeout: idleMs,
    headersTimeout: headMs,
    connectionsCheckingInterval: 1000,
    requireHostHeader: false,
  };
  const server = createServer(limits, (request, response) => {
    halfOpen.settled(request.socket);
    const fault = messageFault(request);
    const path = /^\/hook\/(\d{1,7})$/.exec(request.url ?? '');
    if (fault) {
      sink.problem('malformed-delivery', `the receiver got a malformed request: ${fault.message}`);
      answer(request, response, fault.status, true);
    } else if (request.method !== 'POST' || !path) {
      sink.problem(
        'not-a-delivery',
        'the receiver got a request that is not a POST to the address of a subscriber',
      );
      answer(request, response, 404);
    } else if (isEncoded(request.headers)) {
      sink.problem('encoded-delivery', 'a delivery came with a content coding, which nobody asked for');
      response.setHeader('accept-encoding', 'identity');
      answer(request, response, 415, true);
    } else {
      receive(request, response, Number(path[1]));
    }
  });
  const connections = countConnections(server, counters);
  const halfOpen = boundHalfOpen(server, { withinMs: silentMs, expired: (socket) => socket.destroy() });

  function receive(request: IncomingMessage, response: ServerResponse, subscriber: number): void {
    const { socket } = request;
    receiving.add(socket);
    request.once('close', () => receiving.delete(socket));
    readRawBody(request, largestMessageBytes, (read) => {
      if (read.kind === 'whole') {
        receiving.delete(socket);
        const atUs = nowUs();
        reply(request, response, take(subscriber, request.headers, read.body, atUs));
      } else if (read.kind === 'too-large') {
        sink.problem(tooLargeCode, `a delivery's body is larger than ${largestMessageBytes} bytes`);
        answer(request, response, 413, true);
      } else if (!closing) {
        sink.problem('delivery-cut', 'a delivery was cut off before its end');
      }
    });
  }

  function reply(request: IncomingMessage, response: ServerResponse, how: Reply): void {
    if (how.kind === 'never') return;
    if (how.kind === 'reset') {
      if (how.acted) counters.answersLost++;
      request.socket.resetAndDestroy();
    } else if (how.afterMs === 0) {
      answer(request, response, how.status);
    } else {
      setTimeout(() => {
        if (!response.destroyed) answer(request, response, how.status);
        else if (how.acted) counters.answersLost++;
      }, how.afterMs).unref();
    }
  }

  /** @param last no more on this connection, as where the rest of a body that is not taken is still coming */
  function answer(request: IncomingMessage, response: ServerResponse, status: number, last = closing): void {
    if (last) response.setHeader('connection', 'close');
    response.writeHead(status).end();
    connections.count(request.socket);
  }

  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket; // of a TCP listener
    if (isSilence(error, socket)) return;
    if (!closing && !receiving.has(socket))
      sink.problem(error.code ?? 'unknown', `a connection to the receiver failed: ${error.message}`);
    socket.destroy();
  });

  const { promise: listening, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  const host = loopback();
  server.listen({ port: 0, host, backlog }, resolve);
  await listening;
  const { port } = server.address() as AddressInfo; // a string for a pipe only

  return {
    urlOf: (subscriber) => `http://${urlHost(host)}:${port}/hook/${subscriber}`,
    async close(graceMs) {
      closing = true;
      const closed = [...connections.open.keys()].map(
        (socket) => new Promise((done) => socket.once('close', done)),
      );
      server.close(); // and with it the connections that stand idle
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      await Promise.all(closed);
      clearTimeout(timer);
    },
  };
}

/** Counts a server's connections and their bytes: at each call of `count`, and when they close. */
function countConnections(server: Server, counters: Counters) {
  /** Open connections, with those of their bytes that have been counted. */
  const open = new Map<Socket, { bytesIn: number; bytesOut: number }>();

  function count(socket: Socket): void {
    const counted = open.get(socket);
    if (!counted) return;
    const { bytesRead, bytesWritten } = socket;
    counters.bytesIn += bytesRead - counted.bytesIn;
    counters.bytesOut += bytesWritten - counted.bytesOut;
    counted.bytesIn = bytesRead;
    counted.bytesOut = bytesWritten;
  }

  server.on('connection', (socket: Socket) => {
    counters.connectionsOpened++;
    open.set(socket, { bytesIn: 0, bytesOut: 0 });
    socket.once('close', () => {
      count(socket);
      open.delete(socket);
      counters.connectionsClosed++;
    });
  });
  return { open, count };
}
