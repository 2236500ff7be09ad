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
import { nowUs } from '../../core/base/clock.ts';
import type { Cause, Protocol } from '../wire/connection.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { ProtocolError } from '../wire/protocol-error.ts';
import type { Line, Transport } from './streams.ts';

/** Servers commonly allow as many streams on a connection (RFC 9113, section 6.5.2, advises no fewer). */
const streamsPerConnection = 100;
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
  get: NonNullable<RunningLoad['get']>;
};

type Connection = { session: ClientHttp2Session; socket: Socket; streams: number; count(): void };

/** Streams to `context.endpoint`: over TLS for `h2`, in clear text with prior knowledge for `h2c`. */
export function createHttp2<Owner>(
  context: Pick<LoadContext, 'endpoint' | 'counters' | 'sink'>,
  protocol: Http2Protocol<Owner>,
): Http2Transport<Owner> {
  const { endpoint, counters, sink } = context;
  const url = new URL(endpoint.url);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (endpoint.over === 'h2' ? 443 : 80));
  const newest = new Map<number, Connection>();
  const open = new Set<Connection>();
  let reporting = true;
  let allClosed = () => {};

  function problem({ code, message }: Cause): void {
    if (reporting) sink.problem(code, message);
  }

  function socketTo(): Socket {
    return endpoint.over === 'h2'
      ? connectTls({
          host,
          port,
          ALPNProtocols: ['h2'],
          ...(endpoint.certificate === undefined ? {} : { ca: endpoint.certificate }),
        })
      : connectTcp({ host, port, noDelay: true });
  }

  /** The connection of that number, a new one where there is none that takes streams. */
  function connectionOf(number: number): Connection {
    const known = newest.get(number);
    if (known && !known.session.closed && !known.session.destroyed) return known;
    const socket = socketTo();
    const session = connect(url, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: windowBytes },
    });
    let [bytesIn, bytesOut] = [0, 0];
    const connection: Connection = {
      session,
      socket,
      streams: 0,
      count() {
        counters.bytesIn += socket.bytesRead - bytesIn;
        counters.bytesOut += socket.bytesWritten - bytesOut;
        [bytesIn, bytesOut] = [socket.bytesRead, socket.bytesWritten];
      },
    };
    newest.set(number, connection);
    open.add(connection);
    session.setMaxListeners(0); // one for each stream that waits for the connection
    session.once('connect', () => {
      counters.connectionsOpened++;
      session.setLocalWindowSize(windowBytes);
      session.once('close', () => counters.connectionsClosed++);
    });
    session.on('error', (error: NodeJS.ErrnoException) => problem(causeOf(error)));
    session.once('close', () => {
      connection.count();
      open.delete(connection);
      if (open.size === 0) allClosed();
    });
    return connection;
  }

  function dial(owner: Owner, subscriber: number): Http2Line {
    const connection = connectionOf(Math.floor(subscriber / streamsPerConnection));
    const { session, count } = connection;
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
      problem(error);
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
        stream = session.request(headers, { endStream: true });
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
          if (!session.destroyed) problem(cause);
        });
        stream.on('close', close);
      },
      end() {
        this.destroy();
      },
      destroy() {
        if (stream) stream.close(constants.NGHTTP2_CANCEL);
        else close();
      },
    };
  }

  return {
    dial,
    get(subscriber, path, answered) {
      const { session, count } = connectionOf(Math.floor(subscriber / streamsPerConnection));
      const stream = session.request({ ':path': path }, { endStream: true });
      let status = 0;
      stream.on('response', (fields) => (status = Number(fields[':status'])));
      stream.on('data', count);
      stream.on('end', () => answered(status, nowUs()));
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (!session.destroyed) problem(causeOf(error));
      });
    },
    send: (line, headers) => line.request(headers),
    quiet() {
      reporting = false;
    },
    async idle(graceMs) {
      if (open.size === 0) return;
      // A session that was closed waits for its socket even when it is destroyed.
      const timer = setTimeout(() => open.forEach(({ socket }) => socket.destroy()), graceMs);
      await new Promise<void>((resolve) => (allClosed = resolve));
      clearTimeout(timer);
    },
  };
}

function causeOf({ code, message }: NodeJS.ErrnoException): Cause {
  return { code: code ?? 'unknown', message };
}

function headOf(fields: IncomingHttpHeaders): Pick<ResponseHead, 'status' | 'headers'> {
  const headers = new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));
  return { status: Number(fields[':status']), headers };
}
