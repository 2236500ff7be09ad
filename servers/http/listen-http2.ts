// Listens for HTTP/2, over TLS or in clear text: bounds what one session may open, reset and hold back, and
// counts connections and what goes wrong on them. Patterns see requests alone.

import {
  constants,
  createSecureServer,
  createServer,
  type Http2Server,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { boundHalfOpen, type HalfOpen } from '../../core/http/half-open.ts';
import { authorityFault } from '../../core/http/message.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { TlsSetup } from '../../core/scenario/server-options.ts';
import { createGate, type GateOptions } from './gate.ts';
import { closeServer, idleMs, type Port } from './listener.ts';
import { answerError } from './request.ts';
import { createRouter, type Routes } from './router.ts';
import type { Tally } from './connection-counts.ts';
import { countHandshake, hasGone, serverSecrets } from './tls.ts';
import { socketsUnder } from './under-tls.ts';
import { createUnreadWatch } from './unread-watch.ts';

/**
 * What RFC 9113 advises against falling below is 100; our own load opens as many. A held stream takes about 9
 * KB.
 */
export const mostStreams = 1000;
/** A session may reset as many streams more than it ever had open at once, before it has to wait. */
export const resetAllowance = 100;
/** In this time it may do so again. */
const resetRefillMs = 5000;
/** Trailers that requests of one session may bring; nobody here reads one. */
const mostTrailers = 100;
/** From the first byte of a connection to the client's preface and settings, the TLS handshake included. */
const defaultPrefaceMs = 10_000;

const limits = {
  noDelay: true,
  settings: { maxHeaderListSize: 16 * 1024, enablePush: false, maxConcurrentStreams: mostStreams },
  // Node's own limit of 10 MB a session is for one browser's. What streams hold back is the pattern's to
  // bound.
  maxSessionMemory: 256,
  // nghttp2 counts as we do (below), in each piece that it reads, but tells neither the client nor us why.
  streamResetBurst: 2 * (mostStreams + resetAllowance),
  streamResetRate: mostStreams,
};

export type Http2Options = {
  secure: boolean;
  tls?: TlsSetup | undefined;
  routes: Routes;
  gate: GateOptions;
  tally: Tally;
  counters: Counters;
  prefaceMs?: number | undefined;
};

export function http2Port(options: Http2Options): Port {
  const { secure, tls, routes, gate, tally, counters, prefaceMs = defaultPrefaceMs } = options;
  const server = secure
    ? createSecureServer({ ...limits, allowHTTP1: false, ...serverSecrets(tls) })
    : createServer(limits);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const failed = () => void counters.errors++;
  type Watched = { outlet: ServerHttp2Stream; waited: number };
  const unread = createUnreadWatch<Watched>(({ outlet }) => void outlet.destroy());

  const open = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', open);
  if (secure) server.on('secureConnection', open);
  // Over TLS a connection counts when its handshake is done.
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => tally.add(socket));
  if (secure) server.on('secureConnection', (socket: TLSSocket) => countHandshake(socket, counters));
  server.on('tlsClientError', (error: NodeJS.ErrnoException) => {
    if (!hasGone(error)) failed();
  });
  server.on('sessionError', failed);

  const strangers = boundStrangers(server, prefaceMs, failed);
  server.on('session', (session: ServerHttp2Session) => {
    sessions.add(session);
    session.once('close', () => sessions.delete(session));
    strangers.meet(session);
    watchSession(session);
    session.on('stream', (outlet: ServerHttp2Stream) => {
      const watched = { outlet, waited: 0 };
      unread.add(watched);
      outlet.once('close', () => unread.delete(watched));
    });
  });

  const serve = createGate(server, gate).requests(createRouter(routes, counters));
  server.on('request', (request, response) => {
    const fault = authorityFault(request.headers);
    if (!fault) return serve(request, response);
    failed();
    answerError(response, fault.status, fault.code, fault.message);
  });

  return {
    server,
    async close() {
      unread.stop();
      await closeServer(server, [...sockets], () => sessions.forEach((session) => session.close()));
    },
  };
}

/** Connections whose preface does not come, or that never ask for anything. */
function boundStrangers(
  server: Http2Server,
  prefaceMs: number,
  failed: () => void,
): { meet(session: ServerHttp2Session): void } {
  const { under } = socketsUnder(server);
  const halfOpen: HalfOpen = boundHalfOpen(server, {
    withinMs: prefaceMs,
    expired(socket) {
      failed();
      socket.destroy();
    },
  });
  return {
    meet(session) {
      const socket = session.socket && under(session.socket);
      if (!socket) return;
      session.once('remoteSettings', () => halfOpen.greeted(socket));
      session.once('stream', () => halfOpen.settled(socket));
    },
  };
}

/**
 * Closes a session that stands idle, and ends one whose client opens streams to reset them again
 * (CVE-2023-44487) or sends trailers without end, with ENHANCE_YOUR_CALM (RFC 9113, sections 5.4.1 and 7).
 * Clients that share a session may all leave at once: as many resets as there ever were streams at a time are
 * theirs, and 100 more, and all of that again within five seconds.
 */
function watchSession(session: ServerHttp2Session): void {
  let streams = 0;
  let most = 0;
  let trailers = 0;
  /** Resets that may not come yet, were there to be no more of them. */
  let resets = 0;
  let countedMs = 0;

  function endIt(why: string): void {
    // Its 'sessionError' is counted.
    if (!session.destroyed) session.destroy(new Error(why), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  function countReset(): void {
    const allowed = most + resetAllowance;
    const nowMs = performance.now();
    resets = Math.max(0, resets - ((nowMs - countedMs) * allowed) / resetRefillMs) + 1;
    countedMs = nowMs;
    if (resets > allowed) endIt('the client resets streams faster than it may');
  }

  session.on('stream', (stream: ServerHttp2Stream) => {
    most = Math.min(mostStreams, Math.max(most, ++streams));
    let ours = false;
    stream.once('aborted', () => (ours = stream.destroyed)); // we cut it off, for a fault or a limit
    stream.once('close', () => {
      streams--;
      if (
        !ours &&
        (stream.aborted || stream.rstCode !== constants.NGHTTP2_NO_ERROR || !stream.writableFinished)
      )
        countReset();
    });
    stream.once('trailers', () => {
      if (++trailers > mostTrailers) endIt('the client sends more trailers than it may');
    });
  });
  session.setTimeout(idleMs, () => {
    if (streams === 0) session.close();
  });
}
