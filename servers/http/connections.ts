// Watches the connections of an HTTP/1.1 listener: which are counted, what a client may send on one, how long
// it may take, and the answer to something that is not HTTP. The router handles the requests.

import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Counters } from '../../core/result/counters.ts';
import { boundHalfOpen, isSilence, type HalfOpen } from '../../core/http/half-open.ts';
import { messageFault, type MessageFault } from '../../core/http/message.ts';
import { answerError, RequestError } from './request.ts';
import type { Routes } from './router.ts';
import { endWithStatus } from './socket-answer.ts';
import type { Tally } from './connection-counts.ts';
import { noHandshakes, watchHandshakes, type Handshakes } from './handshakes.ts';
import { hasGone } from './tls.ts';

/**
 * Requests that may wait on one connection for the answer to another. The time in which Node lets go of them
 * when the connection ends grows with their square.
 */
export const mostPipelined = 1000;
/** Those with a body among them: our publisher pipelines, and a store may take its time. */
const mostPublished = 10_000;

export type Connections = {
  /**
   * Watches the server's connections. Call it once, before the server listens.
   * @param silentMs how long a connection may say nothing
   */
  watch(server: HttpServer, silentMs: number): void;
  /** Whether this request is to be served. One that is not has been answered, or its connection closed. */
  take(request: IncomingMessage, response: ServerResponse): boolean;
  /** @throws RequestError when this request for another protocol is malformed */
  takeUpgrade(request: IncomingMessage): void;
  /** Those that are open, or in their handshake. */
  sockets(): Socket[];
};

type Connection = {
  /** The first request tells publishers from subscribers; it has come. */
  known: boolean;
  /** What it sent was refused; nothing that comes behind it is acted upon. */
  refused: boolean;
  /** To its newest request. */
  response: ServerResponse | undefined;
  /** Requests that came before the one in front of them was answered, and are not answered themselves. */
  pipelined: number;
};

export type ConnectionsOptions = {
  /** Over TLS a connection is one when its handshake is done. */
  secure: boolean;
  /** Gets the connections that do not begin with one of `publishRoutes`; none when undefined. */
  tally: Tally | undefined;
  counters: Counters;
  publishRoutes: Routes;
};

export function createConnections(options: ConnectionsOptions): Connections {
  const { secure, tally, counters, publishRoutes } = options;
  const publishing = Object.keys(publishRoutes).map((key) => key.replace(/\*$/, ''));
  const connections = new Map<Socket, Connection>();
  let halfOpen: HalfOpen;
  let handshakes: Handshakes = noHandshakes;

  // Decided once, by the first request, so that counters only grow.
  function decide(socket: Socket, request: string): Connection | undefined {
    const connection = connections.get(socket);
    if (connection && !connection.known) {
      connection.known = true;
      if (!publishing.some((prefix) => request.startsWith(prefix))) tally?.add(socket);
    }
    return connection;
  }

  function begin(request: IncomingMessage): {
    connection: Connection | undefined;
    fault: MessageFault | undefined;
  } {
    const { socket } = request;
    const fault = messageFault(request); // before anybody looks at its target
    if (connections.get(socket)?.known === false) {
      const tcp = handshakes.under(socket);
      if (tcp && !hasBody(request)) halfOpen.settled(tcp);
      else if (tcp) request.once('end', () => halfOpen.settled(tcp));
    }
    const method = request.method === 'HEAD' ? 'GET' : request.method; // as the router finds its handler
    return { connection: decide(socket, `${method} ${request.url}`), fault };
  }

  /**
   * Says why to a client that sent no request, behind the answers that it is owed, and closes the connection.
   */
  function refuse(socket: Socket, status: string): void {
    const connection = decide(socket, '');
    if (!connection || connection.refused) return;
    connection.refused = true;
    counters.errors++;
    const { response } = connection;
    const answering = response !== undefined && !response.writableFinished;
    if (!socket.writable || (answering && response.headersSent)) socket.destroy();
    // The error comes behind a whole request. If it is in the body of the request, this is its answer.
    else if (answering && response.req.complete) response.once('finish', () => endWithStatus(socket, status));
    else endWithStatus(socket, status);
  }

  return {
    watch(server, silentMs) {
      if (secure) handshakes = watchHandshakes(server, counters);
      const { over } = handshakes;
      halfOpen = boundHalfOpen(server, {
        withinMs: silentMs,
        expired(tcp) {
          const socket = over(tcp);
          if (socket) refuse(socket, '408 Request Timeout');
          else tcp.destroy(); // in its handshake, which has a limit of its own
        },
      });
      server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => {
        connections.set(socket, { known: false, refused: false, response: undefined, pipelined: 0 });
        socket.once('close', () => {
          decide(socket, ''); // came and went without a request: nobody's but the pattern's
          connections.delete(socket);
        });
      });
      server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
        const socket = duplex as Socket; // of a TCP listener
        if (secure && !connections.has(socket)) {
          if (!hasGone(error)) counters.errors++; // the handshake failed
          socket.destroy();
          return;
        }
        if (isSilence(error, socket)) return;
        if (error.code === 'ECONNRESET') {
          socket.destroy();
          // Proxies, and browsers at times, leave an answer that does not end by a reset.
          if (connections.get(socket)?.response?.req.complete) return;
        }
        refuse(socket, statusOf(error.code));
      });
      server.on('connect', (request, socket) => {
        decide(request.socket, '');
        counters.errors++;
        endWithStatus(socket, '501 Not Implemented');
      });
    },
    take(request, response) {
      const { connection, fault } = begin(request);
      if (connection?.refused) {
        request.resume(); // it came behind one that was refused
        return false;
      }
      if (connection && !queueAnswer(connection, response, counters)) return false;
      if (!fault) return true;
      if (connection) connection.refused = true;
      counters.errors++;
      request.resume(); // closing with bytes unread would reset the connection, and the answer could be lost
      answerError(response, fault.status, fault.code, fault.message, { connection: 'close' });
      return false;
    },
    takeUpgrade(request) {
      const { fault } = begin(request);
      if (fault) throw new RequestError(fault.status, fault.code, fault.message);
      if (hasBody(request)) throw new RequestError(400, 'body', 'a request for another protocol has no body');
    },
    sockets: () => [...connections.keys(), ...handshakes.shaking()],
  };
}

/**
 * Puts an answer behind the answers under way.
 * @returns false when there are too many, and the connection is closed
 */
function queueAnswer(connection: Connection, response: ServerResponse, counters: Counters): boolean {
  const { req: request } = response;
  const waits = connection.response !== undefined && !connection.response.writableFinished;
  connection.response = response;
  if (!waits) return true;
  response.once('close', () => connection.pipelined--);
  if (++connection.pipelined <= (hasBody(request) ? mostPublished : mostPipelined)) return true;
  if (!request.socket.destroyed) counters.errors++; // the bytes read with it may hold more
  request.socket.destroy();
  return false;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
}

function statusOf(code: string | undefined): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return '431 Request Header Fields Too Large';
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return '413 Payload Too Large';
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return '408 Request Timeout';
    default:
      return '400 Bad Request';
  }
}
