// The listener under every pattern: HTTP/1.1, HTTP/2 over TLS or cleartext HTTP/2, time limits, malformed requests,
// and the count of connections and their bytes. Events are published over HTTP/1.1 whatever the pattern speaks: on
// the same port where that is HTTP/1.1 too, on a second one otherwise. Knows no pattern and no hub.

import { createServer as createHttpServer, STATUS_CODES, type Server as HttpServer, type ServerResponse } from 'node:http';
import { createSecureServer, createServer as createHttp2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Endpoint } from '../core/control.ts';
import type { Counters } from '../core/counters.ts';
import { createGate } from './gate.ts';
import type { RunningPattern } from './pattern.ts';
import { RequestError } from './request.ts';
import { createRouter, parseUrl, type Routes } from './router.ts';
import type { Tally } from './tally.ts';
import { testCertificate, testKey } from './test-certificate.ts';

export type ListenOptions = {
  over: Endpoint['over'];
  host?: string;
  /** The pattern's port; any free one when left out or 0. */
  port?: number;
  /** Names that the listener answers to besides its own (core/http-access.ts). */
  allowHosts?: readonly string[];
  pattern: Pick<RunningPattern, 'routes' | 'upgrade' | 'readers'>;
  /** Publishing. A connection whose first request is one of these (by method and first path segment) is a publisher's and not counted. */
  publishRoutes: Routes;
  /** Gets the pattern's connections. */
  tally: Tally;
  counters: Counters;
  /** Instead of five minutes: within it a request must have come whole, and the first request of a connection have begun. */
  requestMs?: number;
};

export type Listener = {
  endpoint: Endpoint;
  /** Stops listening, lets what is being written be written, and closes every connection. */
  close(): Promise<void>;
};

/** One port. */
type Port = { server: Server; close(): Promise<void> };

/** The kernel takes the lesser of this and net.core.somaxconn. */
const backlog = 16_384;

/** Node's own 60 s would cut a publisher that connects early. How long an answer may take is the pattern's: `server.timeout` is 0. */
const defaultRequestMs = 300_000;

/** How long a connection may stand idle between requests, a session without streams: above any usual interval of polling. */
const idleMs = 900_000;

/** How long a refused client may go on sending, so that it reads why before it is cut off. */
const lingerMs = 1000;

const closeGraceMs = 500;

const http1Limits = (requestMs: number) => ({
  maxHeaderSize: 16 * 1024,
  headersTimeout: requestMs,
  requestTimeout: requestMs,
  connectionsCheckingInterval: Math.min(30_000, requestMs),
  keepAliveTimeout: idleMs,
  noDelay: true,
});

const http2Limits = {
  noDelay: true,
  settings: { maxHeaderListSize: 16 * 1024, enablePush: false },
  // One session carries the streams of thousands of simulated clients, which come and go together. Node's own
  // limits (10 MB a session, 33 resets a second) are for one browser's; slow readers are the pattern's to bound.
  maxSessionMemory: 256,
  streamResetBurst: 100_000,
  streamResetRate: 10_000,
};

/** @throws the system's error when the port cannot be had (EADDRINUSE, EACCES) */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { over, host = '127.0.0.1', port = 0, pattern, publishRoutes } = options;
  if (over === 'h1') {
    const only = http1(options, { ...pattern.routes, ...publishRoutes }, pattern.upgrade);
    const url = `http://${await bind(only, host, port)}`;
    return { endpoint: { url, over, publishUrl: url }, close: only.close };
  }
  const main = http2(options, over);
  const publish = http1({ ...options, tally: undefined }, publishRoutes, undefined);
  const address = await bind(main, host, port);
  const publishUrl = `http://${await bind(publish, host, 0)}`;
  return {
    endpoint: over === 'h2' ? { url: `https://${address}`, over, publishUrl, certificate: testCertificate } : { url: `http://${address}`, over, publishUrl },
    close: async () => void (await Promise.all([main.close(), publish.close()])),
  };
}

async function bind({ server }: Port, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo; // a TCP listener's address is never a path
  return `${host.includes(':') ? `[${host}]` : host}:${bound}`;
}

type Connection = {
  /** Whose it is has shown: its first request has come. */
  known: boolean;
  /** It sent what is no HTTP and has been told so. */
  refused: boolean;
  response: ServerResponse | undefined;
};

/** What the gate in front of a port is told. */
function gateOptions(options: Omit<ListenOptions, 'tally'>, scheme: 'http' | 'https') {
  const { host, allowHosts, counters, pattern: { readers = 'loopback-pages' } } = options;
  return { scheme, readers, counters, ...(host !== undefined && { host }), ...(allowHosts && { allowHosts }) };
}

function http1(
  { tally, ...options }: Omit<ListenOptions, 'tally'> & { tally: Tally | undefined },
  routes: Routes,
  upgrade: RunningPattern['upgrade'],
): Port {
  const { counters, publishRoutes, requestMs = defaultRequestMs } = options;
  const route = createRouter(routes, counters);
  const publishing = Object.keys(publishRoutes).map((key) => key.replace(/\*$/, ''));
  const connections = new Map<Socket, Connection>();

  // Decided once, by the first request, so that counters only grow.
  function decide(socket: Socket, request: string): Connection | undefined {
    const connection = connections.get(socket);
    if (connection && !connection.known) {
      connection.known = true;
      if (!publishing.some((prefix) => request.startsWith(prefix))) tally?.add(socket);
    }
    return connection;
  }

  const server: HttpServer = createHttpServer(http1Limits(requestMs), (request, response) => {
    const connection = decide(request.socket, `${request.method} ${request.url}`);
    if (connection) connection.response = response;
    serve(request, response);
  });
  const gate = createGate(server, gateOptions(options, 'http'));
  const serve = gate.requests(route);
  server.on('connection', (socket) => {
    connections.set(socket, { known: false, refused: false, response: undefined });
    socket.once('close', () => {
      decide(socket, ''); // came and went without a request: nobody's but the pattern's
      connections.delete(socket);
    });
  });

  server.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket; // of a TCP listener
    const connection = decide(socket, '');
    if (!connection || connection.refused) return;
    connection.refused = true;
    counters.errors++;
    const { response } = connection;
    const answering = response?.headersSent === true && !response.writableFinished;
    if (error.code === 'ECONNRESET' || !socket.writable || answering) {
      socket.destroy();
      return;
    }
    socket.end(`HTTP/1.1 ${statusOf(error.code)}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    // Closing with bytes unread would reset the connection, and the answer could be lost on the way.
    socket.resume();
    setTimeout(() => socket.destroy(), lingerMs).unref();
  });

  if (upgrade) {
    const take = gate.upgrades((request, socket, head, mayPublish) => {
      upgrade(request, socket, head, parseUrl(request.url), mayPublish);
    });
    server.on('upgrade', (request, socket, head) => {
      decide(request.socket, `${request.method} ${request.url}`);
      socket.on('error', () => socket.destroy()); // the pattern may not have taken it over yet
      try {
        take(request, socket, head);
      } catch (error) {
        counters.errors++;
        const status = error instanceof RequestError ? error.status : 500;
        if (status === 500) console.error(error); // a defect of ours must be seen; a client's mistake is the client's
        socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      }
    });
  }

  return {
    server,
    close: () => closeServer(server, [...connections.keys()], () => connections.forEach((_, socket) => socket.destroySoon())),
  };
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

function http2(options: ListenOptions, over: 'h2' | 'h2c'): Port {
  const { tally, counters, pattern } = options;
  const secure = over === 'h2';
  const server = secure ? createSecureServer({ ...http2Limits, allowHTTP1: false, cert: testCertificate, key: testKey }) : createHttp2Server(http2Limits);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const failed = () => void counters.errors++;

  const open = (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', open);
  if (secure) server.on('secureConnection', open);
  // Over TLS a connection counts when its handshake is done.
  server.on(secure ? 'secureConnection' : 'connection', (socket: Socket) => tally.add(socket));
  server.on('tlsClientError', failed);
  server.on('sessionError', failed);
  server.on('session', (session: ServerHttp2Session) => {
    let streams = 0;
    sessions.add(session);
    session.on('stream', (stream) => {
      streams++;
      stream.once('close', () => streams--);
    });
    session.setTimeout(idleMs, () => {
      if (streams === 0) session.close();
    });
    session.once('close', () => sessions.delete(session));
  });
  const gate = createGate(server, gateOptions(options, secure ? 'https' : 'http'));
  server.on('request', gate.requests(createRouter(pattern.routes, counters)));

  return {
    server,
    close: () => closeServer(server, [...sockets], () => sessions.forEach((session) => session.close())),
  };
}

/** @param sockets all that are open, each a member until its 'close' event */
async function closeServer(server: Server, sockets: readonly Socket[], gently: () => void): Promise<void> {
  if (!server.listening) return;
  const gone = sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve)));
  server.close();
  gently();
  const timer = setTimeout(() => sockets.forEach((socket) => socket.destroy()), closeGraceMs);
  await Promise.all(gone);
  clearTimeout(timer);
}
