// One attempt: an HTTP request to a receiver and its answer, on kept-alive connections that are counted and
// bounded. It neither signs nor decides what an answer means.
//
// `node:http` with an Agent: undici's dispatcher takes a quarter to two fifths less CPU for a request, but
// would be a dependency for this alone; `fetch` takes several times as much as either.

import {
  Agent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { Agent as TlsAgent, request as httpsRequest } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { urlToHttpOptions } from 'node:url';
import type { Counters } from '../../../core/result/counters.ts';
import type { Random } from '../../../core/base/random.ts';
import { drawShare } from '../../http/request.ts';
import type { Guard } from './guard.ts';

export type Answer =
  /** `body`: its first bytes as text; `truncated` when there were more. */
  | { kind: 'answered'; status: number; retryAfter?: string | undefined; body: string; truncated: boolean }
  /** There was no whole answer: refused, reset, timed out, not HTTP. */
  | { kind: 'failed'; reason: string; timedOut: boolean };

export type Sender = {
  /**
   * POSTs `body`. Never rejects.
   * @param sent is called when the request has been written whole; not when it never got that far
   */
  post(
    target: RequestOptions,
    headers: Readonly<Record<string, string>>,
    body: string,
    sent: () => void,
  ): Promise<Answer>;
  /** Cuts this share of the connections. */
  cut(share: number): void;
  /** Closes every connection, those with a request under way too, and resolves when none is left. */
  close(): Promise<void>;
};

export type SenderOptions = {
  counters: Pick<Counters, 'errors'>;
  countConnection: (socket: Socket) => void;
  random: Random;
  /** From the request for a connection to the last byte of the answer. */
  timeoutMs: number;
  /**
   * Parts of it: until the connection is there, and until the answer's head is. As long as
   * the whole when left out.
   */
  connectMs?: number;
  headersMs?: number;
  /** Connections without a request that are kept, over all receivers. */
  maxIdle: number;
  /** Decides which addresses are connected to. */
  guard: Guard;
};

/**
 * A connection without a request is closed after this time, or earlier where the receiver's
 * Keep-Alive header says so.
 */
const idleMs = 30_000;
/**
 * Bytes of an answer that are read. Past them the connection is cut; the status has been given and counts.
 */
const maxAnswerBytes = 64 * 1024;
/** Bytes of it that are kept for the log. */
const keptAnswerBytes = 2048;

/** A bound of time was reached; anything else that ends a request is another kind of failure. */
class TimedOut extends Error {}

/** A receiver's address, taken apart once. */
export function targetOf(url: URL): RequestOptions {
  return urlToHttpOptions(url);
}

export function createSender({
  counters,
  countConnection,
  random,
  timeoutMs,
  connectMs = timeoutMs,
  headersMs = timeoutMs,
  maxIdle,
  guard,
}: SenderOptions): Sender {
  const open = new Set<Socket>();
  const underWay = new Set<ClientRequest>();
  const idle = new Set<Duplex>();
  const options = { keepAlive: true, maxFreeSockets: maxIdle, timeout: idleMs };
  const http = boundIdle(guard.protect(new Agent(options)));
  const https = boundIdle(guard.protect(new TlsAgent(options)));
  let closed = false;

  // An Agent bounds the idle connections of each receiver, not of all together; these are its hooks for more.
  function boundIdle<A extends Agent>(agent: A): A {
    const { keepSocketAlive, reuseSocket } = agent;
    agent.keepSocketAlive = (socket) => {
      if (idle.size >= maxIdle) return false;
      const kept: unknown = keepSocketAlive.call(agent, socket);
      if (kept) idle.add(socket);
      return kept;
    };
    agent.reuseSocket = (socket, request) => {
      idle.delete(socket);
      reuseSocket.call(agent, socket, request);
    };
    return agent;
  }

  function watch(socket: Socket): void {
    if (open.has(socket)) return;
    open.add(socket);
    socket.once('connect', () => countConnection(socket));
    socket.once('close', () => {
      open.delete(socket);
      idle.delete(socket);
    });
  }

  function post(
    target: RequestOptions,
    headers: Readonly<Record<string, string>>,
    body: string,
    sent: () => void,
  ): Promise<Answer> {
    const { promise, resolve } = Promise.withResolvers<Answer>();
    let request: ClientRequest;
    const within = (ms: number, what: string) =>
      setTimeout(() => request.destroy(new TimedOut(`no ${what} within ${ms} ms`)), ms);
    const timer = within(timeoutMs, 'whole answer');
    const headTimer = headersMs < timeoutMs ? within(headersMs, 'answer') : undefined;
    let connectTimer: NodeJS.Timeout | undefined;

    function attempt(): void {
      let response: IncomingMessage | undefined;
      const own = (request =
        target.protocol === 'https:'
          ? httpsRequest({ ...target, method: 'POST', headers, agent: https })
          : httpRequest({ ...target, method: 'POST', headers, agent: http }));
      underWay.add(own);
      const done = (answer: Answer) => {
        if (!underWay.delete(own)) return;
        clearTimeout(timer);
        clearTimeout(headTimer);
        clearTimeout(connectTimer);
        resolve(answer);
      };
      own.once('socket', (socket: Socket) => {
        watch(socket);
        if (!socket.connecting || connectMs >= timeoutMs) return;
        connectTimer = within(connectMs, 'connection');
        socket.once('connect', () => clearTimeout(connectTimer));
      });
      own.once('finish', sent);
      own.once('response', (received: IncomingMessage) => {
        response = received;
        clearTimeout(headTimer);
        let bytes = 0;
        let kept: Buffer | undefined;
        const answer = (): Answer => ({
          kind: 'answered',
          status: received.statusCode ?? 0,
          retryAfter: received.headers['retry-after'],
          body: kept?.toString('utf8') ?? '',
          truncated: bytes > keptAnswerBytes,
        });
        received.on('data', (chunk: Buffer) => {
          if (bytes < keptAnswerBytes) {
            const more = chunk.subarray(0, keptAnswerBytes - bytes);
            kept = kept ? Buffer.concat([kept, more]) : more;
          }
          bytes += chunk.length;
          if (bytes <= maxAnswerBytes) return;
          done(answer());
          own.destroy();
        });
        received.once('end', () => done(answer()));
        received.on('error', (error) => done(failure(error)));
      });
      own.on('error', (error: NodeJS.ErrnoException) => {
        // The receiver closed an idle connection just as a request was on its way (RFC 9112, 9.3.1).
        const stale =
          own.reusedSocket && !response && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        if (!stale || closed || !underWay.delete(own)) return done(failure(error));
        counters.errors++;
        attempt();
      });
      own.once('close', () =>
        done(failure(new Error('the connection was closed before the end of an answer'))),
      );
      own.end(body);
    }

    attempt();
    return promise;
  }

  return {
    post,
    cut(share) {
      for (const socket of drawShare(open, share, random))
        socket.destroy(new Error('the connection was cut'));
    },
    async close() {
      closed = true;
      for (const request of underWay) request.destroy(new Error('the server is closing'));
      const closing = [...open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      http.destroy();
      https.destroy();
      await Promise.all(closing);
    },
  };
}

function failure(error: Error): Answer {
  return { kind: 'failed', reason: error.message, timedOut: error instanceof TimedOut };
}
