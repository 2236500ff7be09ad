// Puts every pattern on a port: over HTTP/1.1 here, over HTTP/2 in listen-http2.ts. Events are published
// over HTTP/1.1 in clear text with every pattern: on the same port if the pattern uses that too, otherwise
// on a second one. connections.ts says what a single connection may do. It knows no pattern and no hub.

import {
  createServer,
  STATUS_CODES,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { listenBacklog } from '../../core/base/listen-backlog.ts';
import { loopback, urlHost } from '../../core/base/loopback.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { Counters } from '../../core/result/counters.ts';
import type { TlsSetup } from '../../core/scenario/server-options.ts';
import { headMs as defaultHeadMs, silentMs } from '../../core/http/half-open.ts';
import { cutUnread } from '../../core/http/unread.ts';
import { createConnections } from './connections.ts';
import { createGate } from './gate.ts';
import { http2Port } from './listen-http2.ts';
import { closeServer, idleMs, type Port } from './listener.ts';
import type { RunningPattern } from '../pattern.ts';
import { RequestError } from './request.ts';
import { createRouter, parseUrl, type Routes } from './router.ts';
import { endWithStatus } from './socket-answer.ts';
import type { Tally } from './connection-counts.ts';
import { testCertificate } from './test-certificate.ts';
import { serverSecrets } from './tls.ts';

export type ListenOptions = {
  over: Endpoint['over'];
  /** Over HTTP/1.1: the pattern's port speaks TLS. HTTP/2 does by itself (`over`). */
  tls?: TlsSetup | undefined;
  /** The loopback address of this machine when left out. */
  host?: string;
  /** The pattern's port; any free one when left out or 0. */
  port?: number;
  /** Where events are published when the pattern speaks HTTP/2, likewise. */
  publishPort?: number;
  /** Names that the listener answers to besides its own (core/http/access.ts). */
  allowHosts?: readonly string[];
  pattern: Pick<RunningPattern, 'routes' | 'upgrade' | 'readers'>;
  /**
   * Publishing, and asking for health. A connection whose first request is one of these (by method and first
   * path segment) is not a client's and not counted.
   */
  publishRoutes: Routes;
  /** Gets the pattern's connections. */
  tally: Tally;
  counters: Counters;
  /**
   * Instead of the usual times, where it is shorter: within it a request must have come whole, and the first
   * of a connection have begun.
   */
  requestMs?: number;
  /** Instead of ten seconds: within it the head of a request must be whole, counted from its first byte. */
  headMs?: number;
  /**
   * Instead of two minutes: how long an answer may wait without a byte of it leaving (core/http/unread.ts).
   */
  answerMs?: number;
};

export type Listener = {
  endpoint: Endpoint;
  /** Closes each new connection as soon as it is accepted, or does so no longer. */
  hangUpOnNew(on: boolean): void;
  /** Stops listening, finishes writes under way, and closes every connection. */
  close(): Promise<void>;
};

/**
 * From the first byte of a request to the last of its body. How long an answer may take is the pattern's:
 * `server.timeout` is 0.
 */
const wholeMs = 60_000;

const http1Limits = (requestMs: number, headMs: number) => ({
  maxHeaderSize: 16 * 1024,
  headersTimeout: Math.min(headMs, requestMs),
  requestTimeout: Math.min(wholeMs, requestMs),
  connectionsCheckingInterval: Math.min(1000, headMs, requestMs),
  keepAliveTimeout: idleMs,
  requireHostHeader: false,
  noDelay: true,
});

/** As long as a head may take, a handshake may take too. */
const tlsLimits = (requestMs: number, headMs: number) => ({
  handshakeTimeout: Math.min(headMs, requestMs),
  ALPNProtocols: ['http/1.1'],
});

/** @throws the system's error when the port cannot be had (EADDRINUSE, EACCES) */
export async function listen(options: ListenOptions): Promise<Listener> {
  const { over, tls, host = loopback(), port = 0, publishPort = 0, pattern, publishRoutes } = options;
  if (over === 'h1' && !tls) {
    const only = http1(options, { ...pattern.routes, ...publishRoutes }, pattern.upgrade);
    const url = `http://${await bind(only, host, port)}`;
    return { endpoint: { url, over, publishUrl: url }, hangUpOnNew: hangUpper([only]), close: only.close };
  }
  const secure = over !== 'h2c';
  const main =
    over === 'h1'
      ? http1({ ...options, publishRoutes: {} }, pattern.routes, pattern.upgrade)
      : http2(options, secure);
  const publish = http1({ ...options, tls: undefined, tally: undefined }, publishRoutes, undefined);
  const address = await bind(main, host, port);
  const publishAt = await bind(publish, host, publishPort).catch(async (error: unknown) => {
    await main.close();
    throw error;
  });
  const publishUrl = `http://${publishAt}`;
  return {
    endpoint: secure
      ? {
          url: `https://${address}`,
          over,
          publishUrl,
          certificate: testCertificate,
          ...(tls && { resumesTls: tls.resume }),
        }
      : { url: `http://${address}`, over, publishUrl },
    hangUpOnNew: hangUpper([main, publish]),
    close: async () => void (await Promise.all([main.close(), publish.close()])),
  };
}

/** In front of all other listeners of the ports' connections, so that nothing is answered any more. */
function hangUpper(ports: readonly Port[]): Listener['hangUpOnNew'] {
  let isOn = false;
  const hangUp = (socket: Socket) => void socket.destroy();
  return (on) => {
    if (on === isOn) return;
    isOn = on;
    for (const { server } of ports) {
      if (on) server.prependListener('connection', hangUp);
      else server.off('connection', hangUp);
    }
  };
}

function http2(options: ListenOptions, secure: boolean): Port {
  const { tls, pattern, tally, counters, requestMs: prefaceMs } = options;
  const gate = gateOptions(options, secure ? 'https' : 'http');
  return http2Port({ secure, tls, routes: pattern.routes, gate, tally, counters, prefaceMs });
}

async function bind({ server }: Port, host: string, port: number): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: listenBacklog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { port: bound } = server.address() as AddressInfo; // a TCP listener's address is never a path
  return `${urlHost(host)}:${bound}`;
}

/** What the gate in front of a port is told. */
function gateOptions(options: Omit<ListenOptions, 'tally'>, scheme: 'http' | 'https') {
  const {
    host,
    allowHosts,
    counters,
    pattern: { readers = 'loopback-pages' },
  } = options;
  return {
    scheme,
    readers,
    counters,
    ...(host !== undefined && { host }),
    ...(allowHosts && { allowHosts }),
  };
}

function http1(
  options: Omit<ListenOptions, 'tally'> & { tally: Tally | undefined },
  routes: Routes,
  upgrade: RunningPattern['upgrade'],
): Port {
  const { tls, tally, counters, publishRoutes, requestMs = silentMs, headMs = defaultHeadMs } = options;
  const route = createRouter(routes, counters);
  const connections = createConnections({ secure: tls !== undefined, tally, counters, publishRoutes });

  // A client that asks for another protocol, such as h2c, is answered in HTTP/1.1 (RFC 9110, section 7.8).
  const shouldUpgradeCallback = ({ headers }: IncomingMessage) =>
    upgrade !== undefined && headers.upgrade?.toLowerCase() === 'websocket';
  const settings = { ...http1Limits(requestMs, headMs), shouldUpgradeCallback };
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    if (connections.take(request, response)) serve(request, response);
  };
  const server: HttpServer = tls
    ? createSecureServer({ ...settings, ...tlsLimits(requestMs, headMs), ...serverSecrets(tls) }, answer)
    : createServer(settings, answer);
  const gate = createGate(server, gateOptions(options, tls ? 'https' : 'http'));
  const serve = gate.requests(route);
  connections.watch(server, requestMs);
  cutUnread(server, options.answerMs);

  if (upgrade) {
    const take = gate.upgrades((request, socket, head, mayPublish) => {
      upgrade(request, socket, head, parseUrl(request.url), mayPublish);
    });
    server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => socket.destroy()); // the pattern may not have taken it over yet
      try {
        connections.takeUpgrade(request);
        take(request, socket, head);
      } catch (error) {
        counters.errors++;
        const status = error instanceof RequestError ? error.status : 500;
        // A defect of ours must be seen; a client's mistake is the client's.
        if (status === 500) console.error(error);
        endWithStatus(socket, `${status} ${STATUS_CODES[status]}`);
      }
    });
  }

  return {
    server,
    close() {
      const sockets = connections.sockets();
      return closeServer(server, sockets, () => sockets.forEach((socket) => socket.destroySoon()));
    },
  };
}
