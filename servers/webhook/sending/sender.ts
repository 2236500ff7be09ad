// Sends one attempt: an HTTP request to a receiver and its answer, on kept-alive connections that are counted
// and bounded. It neither signs nor decides what an answer means.
//
// `node:http` with an Agent: undici's dispatcher takes a quarter to two fifths less CPU for a request, but
// would be a dependency for this alone; `fetch` takes several times as much as either. Answers come by a
// callback: a promise for each request would be work on the hot path.

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
import type { ReceiverAnswer } from '../../../core/policy/webhook/answer.ts';
import type { Counters } from '../../../core/result/counters.ts';
import { drawShare, type Random } from '../../../core/base/random.ts';
import type { Guard } from './guard.ts';

export type Answer =
  /** `body`: its first bytes as text; `truncated` when there were more. */
  | (Extract<ReceiverAnswer, { kind: 'answered' }> & { body: string; truncated: boolean })
  | Extract<ReceiverAnswer, { kind: 'failed' }>;

/** What is posted. */
export type Post = {
  readonly target: RequestOptions;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Called when the request has been written whole; not when it never got that far. */
  readonly sent: () => void;
  /** Called once, later than `post` returns. */
  readonly done: (answer: Answer) => void;
};

export type Sender = {
  post(what: Post): void;
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

/** What all requests of a sender share. */
type Shared = {
  readonly counters: Pick<Counters, 'errors'>;
  readonly countConnection: (socket: Socket) => void;
  readonly open: Set<Socket>;
  readonly underWay: Set<ClientRequest>;
  readonly idle: Set<Duplex>;
  readonly http: Agent;
  readonly https: TlsAgent;
  readonly timeoutMs: number;
  readonly connectMs: number;
  readonly headersMs: number;
  closed: boolean;
};

/** A post under way: its request, a second one where the first met a connection that was just closed. */
type UnderWay = Post & {
  request: ClientRequest | undefined;
  timer: NodeJS.Timeout | undefined;
  headTimer: NodeJS.Timeout | undefined;
  connectTimer: NodeJS.Timeout | undefined;
};

export function createSender(options: SenderOptions): Sender {
  const { counters, countConnection, random, timeoutMs, maxIdle, guard } = options;
  const idle = new Set<Duplex>();
  const agentOptions = { keepAlive: true, maxFreeSockets: maxIdle, timeout: idleMs };
  const shared: Shared = {
    counters,
    countConnection,
    open: new Set(),
    underWay: new Set(),
    idle,
    http: boundIdle(guard.protect(new Agent(agentOptions)), idle, maxIdle),
    https: boundIdle(guard.protect(new TlsAgent(agentOptions)), idle, maxIdle),
    timeoutMs,
    connectMs: options.connectMs ?? timeoutMs,
    headersMs: options.headersMs ?? timeoutMs,
    closed: false,
  };
  const { open, underWay, http, https } = shared;
  return {
    post({ target, headers, body, sent, done }) {
      const post: UnderWay = {
        target,
        headers,
        body,
        sent,
        done,
        request: undefined,
        timer: undefined,
        headTimer: undefined,
        connectTimer: undefined,
      };
      const { headersMs } = shared;
      post.timer = endAfter(post, timeoutMs, 'whole answer');
      if (headersMs < timeoutMs) post.headTimer = endAfter(post, headersMs, 'answer');
      request(shared, post);
    },
    cut(share) {
      for (const socket of drawShare(open, share, random))
        socket.destroy(new Error('the connection was cut'));
    },
    async close() {
      shared.closed = true;
      for (const one of underWay) one.destroy(new Error('the server is closing'));
      const closing = [...open].map((socket) => new Promise((resolve) => socket.once('close', resolve)));
      http.destroy();
      https.destroy();
      await Promise.all(closing);
    },
  };
}

/**
 * An Agent bounds the idle connections of each receiver, not of all together; these are its hooks for more.
 */
function boundIdle<A extends Agent>(agent: A, idle: Set<Duplex>, maxIdle: number): A {
  const { keepSocketAlive, reuseSocket } = agent;
  agent.keepSocketAlive = (socket) => {
    if (idle.size >= maxIdle) return false;
    const kept: unknown = keepSocketAlive.call(agent, socket);
    if (kept) idle.add(socket);
    return kept;
  };
  agent.reuseSocket = (socket, of) => {
    idle.delete(socket);
    reuseSocket.call(agent, socket, of);
  };
  return agent;
}

function endAfter(post: UnderWay, ms: number, what: string): NodeJS.Timeout {
  return setTimeout(() => post.request?.destroy(new TimedOut(`no ${what} within ${ms} ms`)), ms);
}

function request(shared: Shared, post: UnderWay): void {
  const { target, headers } = post;
  const own =
    target.protocol === 'https:'
      ? httpsRequest({ ...target, method: 'POST', headers, agent: shared.https })
      : httpRequest({ ...target, method: 'POST', headers, agent: shared.http });
  let isAnswered = false;
  post.request = own;
  shared.underWay.add(own);
  own.once('socket', (socket: Socket) => {
    watch(shared, socket);
    if (!socket.connecting || shared.connectMs >= shared.timeoutMs) return;
    post.connectTimer = endAfter(post, shared.connectMs, 'connection');
    socket.once('connect', () => clearTimeout(post.connectTimer));
  });
  own.once('finish', post.sent);
  own.once('response', (response: IncomingMessage) => {
    isAnswered = true;
    clearTimeout(post.headTimer);
    readAnswer(shared, post, own, response);
  });
  own.on('error', (error: NodeJS.ErrnoException) => {
    // The receiver closed an idle connection just as a request was on its way (RFC 9112, 9.3.1).
    const isStale =
      own.reusedSocket && !isAnswered && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
    if (!isStale || shared.closed || !shared.underWay.delete(own))
      return finish(shared, post, own, failure(error));
    shared.counters.errors++;
    request(shared, post);
  });
  own.once('close', () =>
    finish(shared, post, own, failure(new Error('the connection was closed before the end of an answer'))),
  );
  own.end(post.body);
}

function watch({ open, idle, countConnection }: Shared, socket: Socket): void {
  if (open.has(socket)) return;
  open.add(socket);
  socket.once('connect', () => countConnection(socket));
  socket.once('close', () => {
    open.delete(socket);
    idle.delete(socket);
  });
}

function readAnswer(shared: Shared, post: UnderWay, own: ClientRequest, response: IncomingMessage): void {
  let bytes = 0;
  let kept: Buffer | undefined;
  const answer = (): Answer => ({
    kind: 'answered',
    status: response.statusCode ?? 0,
    retryAfter: response.headers['retry-after'],
    body: kept?.toString('utf8') ?? '',
    truncated: bytes > keptAnswerBytes,
  });
  response.on('data', (chunk: Buffer) => {
    if (bytes < keptAnswerBytes) {
      const more = chunk.subarray(0, keptAnswerBytes - bytes);
      kept = kept ? Buffer.concat([kept, more]) : more;
    }
    bytes += chunk.length;
    if (bytes <= maxAnswerBytes) return;
    finish(shared, post, own, answer());
    own.destroy();
  });
  response.once('end', () => finish(shared, post, own, answer()));
  response.on('error', (error) => finish(shared, post, own, failure(error)));
}

/** The first answer of the post's request counts. */
function finish(shared: Shared, post: UnderWay, own: ClientRequest, answer: Answer): void {
  if (!shared.underWay.delete(own)) return;
  clearTimeout(post.timer);
  clearTimeout(post.headTimer);
  clearTimeout(post.connectTimer);
  post.done(answer);
}

function failure(error: Error): Answer {
  return { kind: 'failed', reason: error.message, timedOut: error instanceof TimedOut };
}
