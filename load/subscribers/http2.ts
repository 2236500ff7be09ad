// Shares HTTP/2 connections among many subscribers, each with a stream of its own: what browsers do with one
// server. `node:http2` speaks the protocol; here are the sharing, the counting and the errors.

import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { addressOf } from '../../core/base/address.ts';
import { nowUs } from '../../core/base/clock.ts';
import { streamsPerConnection } from '../../core/pattern/pattern.ts';
import { urlsOf, type Cause, type Protocol } from '../wire/connection.ts';
import { setCookieSeparator } from '../wire/cookies.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext } from '../pattern.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import { createTlsSessions, type TlsSessions } from '../wire/tls-sessions.ts';
import type { Line, Transport } from './streams.ts';

/** Room for a burst of events to all streams of a connection before the server has to wait for our update. */
const windowBytes = 4 * 1024 ** 2;

export type Http2Protocol<Owner> = Protocol<Owner> & {
  head(owner: Owner, head: Pick<ResponseHead, 'status' | 'headers'>, atUs: number): void;
};

/** A stream, or the wait for one. */
export type Http2Line = Line & {
  /** @param headers the request's, `:path` among them */
  request(headers: Record<string, string>): void;
};

export type Http2Transport<Owner> = Transport<Owner, Http2Line, Record<string, string>> & {
  /** @param server which of the endpoint's */
  get(
    subscriber: number,
    server: number,
    path: string,
    answered: (status: number, atUs: number) => void,
  ): void;
};

type Connection = {
  session: ClientHttp2Session;
  socket: Socket;
  /** Host and port. Node makes its own, without the brackets of an IPv6 address. */
  authority: string;
  streams: number;
  count(): void;
};

type Http2Context = Pick<LoadContext, 'endpoint' | 'counters' | 'sink' | 'connects'>;

/** What the streams of a process share. */
type All<Owner> = {
  readonly context: Http2Context;
  readonly protocol: Http2Protocol<Owner>;
  /** Where the servers are. */
  readonly urls: readonly URL[];
  /** The newest connection of each group of subscribers to each server. */
  readonly newest: Map<number, Connection>;
  readonly open: Set<Connection>;
  /** By the number of a connection. */
  readonly sessions: TlsSessions;
  reporting: boolean;
  allClosed(): void;
};

/**
 * Streams to the servers of `context.endpoint`: over TLS for `h2`, in clear text with prior knowledge for
 * `h2c`.
 */
export function createHttp2<Owner>(
  context: Http2Context,
  protocol: Http2Protocol<Owner>,
): Http2Transport<Owner> {
  const all: All<Owner> = {
    context,
    protocol,
    urls: urlsOf(context.endpoint),
    newest: new Map(),
    open: new Set(),
    sessions: createTlsSessions(context.counters, context.endpoint.resumesTls ?? false),
    reporting: true,
    allClosed: () => {},
  };
  return {
    dial: (owner, subscriber, server) =>
      openLine(all, connectionOf(all, subscriber, server, streamsPerConnection), owner),
    get(subscriber, server, path, answered) {
      const { session, count, authority } = connectionOf(all, subscriber, server, Number.POSITIVE_INFINITY);
      const stream = session.request({ ':authority': authority, ':path': path }, { endStream: true });
      let status = 0;
      stream.on('response', (fields) => (status = Number(fields[':status'])));
      stream.on('data', count);
      stream.on('end', () => answered(status, nowUs()));
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (!session.destroyed) problem(all, causeOf(error));
      });
    },
    send: (line, headers) => line.request(headers),
    quiet() {
      all.reporting = false;
    },
    async idle(graceMs) {
      if (all.open.size === 0) return;
      // A session that was closed waits for its socket even when it is destroyed.
      const timer = setTimeout(() => all.open.forEach(({ socket }) => socket.destroy()), graceMs);
      await new Promise<void>((resolve) => (all.allClosed = resolve));
      clearTimeout(timer);
    },
  };
}

function problem<Owner>({ reporting, context }: All<Owner>, { code, message }: Cause): void {
  if (reporting) context.sink.problem(code, message);
}

function socketTo<Owner>({ context, sessions }: All<Owner>, url: URL, number: number): Socket {
  const { over, certificate } = context.endpoint;
  const { host, port } = addressOf(url);
  if (over !== 'h2') return connectTcp({ host, port, noDelay: true });
  const socket = connectTls({
    host,
    port,
    ALPNProtocols: ['h2'],
    ...sessions.of(number),
    ...(certificate === undefined ? {} : { ca: certificate }),
  });
  sessions.follow(number, socket);
  return socket;
}

/**
 * The connection that a subscriber's stream to a server belongs to. It is a new one where no connection takes
 * streams, or where subscribers that came from other servers have filled it.
 */
function connectionOf<Owner>(
  all: All<Owner>,
  subscriber: number,
  server: number,
  mostStreams: number,
): Connection {
  const servers = all.urls.length;
  const number = Math.floor(subscriber / (streamsPerConnection * servers)) * servers + server;
  const known = all.newest.get(number);
  if (known && !known.session.closed && !known.session.destroyed && known.streams < mostStreams) return known;
  const { counters, connects } = all.context;
  connects?.tried(nowUs());
  const connection = connectTo(all, all.urls[server]!, number); // chosen from this list
  const { session } = connection;
  all.newest.set(number, connection);
  all.open.add(connection);
  session.setMaxListeners(0); // one for each stream that waits for the connection
  session.once('connect', () => {
    counters.connectionsOpened++;
    connects?.opened(nowUs());
    session.setLocalWindowSize(windowBytes);
    session.once('close', () => counters.connectionsClosed++);
  });
  session.on('error', (error: NodeJS.ErrnoException) => problem(all, causeOf(error)));
  session.once('close', () => {
    connection.count();
    all.open.delete(connection);
    if (all.open.size === 0) all.allClosed();
  });
  return connection;
}

function connectTo<Owner>(all: All<Owner>, url: URL, number: number): Connection {
  const { counters } = all.context;
  const socket = socketTo(all, url, number);
  const session = connect(url, {
    createConnection: () => socket,
    settings: { enablePush: false, initialWindowSize: windowBytes },
  });
  let [bytesIn, bytesOut] = [0, 0];
  return {
    session,
    socket,
    authority: url.host,
    streams: 0,
    count() {
      counters.bytesIn += socket.bytesRead - bytesIn;
      counters.bytesOut += socket.bytesWritten - bytesOut;
      [bytesIn, bytesOut] = [socket.bytesRead, socket.bytesWritten];
    },
  };
}

function openLine<Owner>(all: All<Owner>, connection: Connection, owner: Owner): Http2Line {
  const { protocol } = all;
  const { session, count, authority } = connection;
  connection.streams++;
  let stream: ClientHttp2Stream | undefined;
  let over = false;
  let cause: Cause = { code: 'ended', message: 'the stream was closed' };
  const close = () => {
    if (over) return;
    over = true;
    session.off('connect', opened);
    session.off('close', close);
    if (--connection.streams === 0) session.close();
    protocol.closed(owner, cause);
  };
  const fail = (error: unknown) => {
    if (!(error instanceof ProtocolError)) throw error;
    problem(all, error);
    stream?.close(constants.NGHTTP2_CANCEL);
  };
  const opened = () => protocol.opened(owner);
  if (session.connecting) session.once('connect', opened);
  else queueMicrotask(() => over || opened());
  session.once('close', close);

  return {
    get connecting() {
      return session.connecting;
    },
    request(headers) {
      stream = session.request({ ':authority': authority, ...headers }, { endStream: true });
      stream.on('response', (fields) => {
        try {
          protocol.head(owner, headOf(fields), nowUs());
        } catch (error) {
          fail(error);
        }
      });
      stream.on('data', (bytes: Buffer) => {
        count();
        try {
          if (!over) protocol.read(owner, bytes, bytes.length, nowUs());
        } catch (error) {
          fail(error);
        }
      });
      stream.on('error', (error: NodeJS.ErrnoException) => {
        cause = causeOf(error);
        // An error of the connection is reported once, by the connection.
        if (!session.destroyed) problem(all, cause);
      });
      stream.on('close', close);
    },
    pause: () => stream?.pause(),
    resume: () => stream?.resume(),
    end() {
      this.destroy();
    },
    destroy() {
      if (stream) stream.close(constants.NGHTTP2_CANCEL);
      else close();
    },
  };
}

function causeOf({ code, message }: NodeJS.ErrnoException): Cause {
  return { code: code ?? 'unknown', message };
}

function headOf(fields: IncomingHttpHeaders): Pick<ResponseHead, 'status' | 'headers'> {
  const headers = new Map(
    Object.entries(fields).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(setCookieSeparator) : String(value), // only Set-Cookie is a list
    ]),
  );
  return { status: Number(fields[':status']), headers };
}
