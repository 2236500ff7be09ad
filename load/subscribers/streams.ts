// What the patterns that hold a connection share: each subscriber's life, from its first request
// through losses, waits and reconnections to the close. Not what stands on the wire; a pattern
// gives that as a `StreamKind`.

import type { Socket } from 'node:net';
import { backoffMs, createDialer, type Cause, type Protocol } from '../wire/connection.ts';
import { newCursor, setCursorText, type Cursor } from './cursor.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { ProtocolError } from '../wire/protocol-error.ts';

/** What a subscriber holds: a TCP socket, or a stream on a shared HTTP/2 connection. */
export type Line = {
  readonly connecting: boolean;
  /** No more is sent; what still comes is read. */
  end(): unknown;
  destroy(): unknown;
};

/** How lines are made: `createDialer` for TCP. `Request` is what can be sent on them. */
export type Transport<Owner, L extends Line, Request> = {
  dial(owner: Owner, subscriber: number): L;
  send(line: L, request: Request): void;
  quiet(): void;
  /**
   * Where lines share connections: resolves when no connection is left, those left after `graceMs` by force.
   */
  idle?(graceMs: number): Promise<void>;
};

/** One subscriber. `State` is what its pattern keeps of the connection. */
export type Stream<State, L extends Line = Socket> = {
  readonly subscriber: number;
  /** Set from the moment of dialling until it is closed. */
  line: L | undefined;
  /** Made anew for each connection. */
  state: State;
  cursor: Cursor;
  timer: NodeJS.Timeout | undefined;
  asked: boolean;
  ready: boolean;
  /** The server wants it no more. */
  stopped: boolean;
  /** It has left and will come back. */
  away: boolean;
  /** Failures in a row. */
  failures: number;
  /** The base of the backoff, where the server named one. */
  baseMs: number | undefined;
  /** The server asked for at least this wait before the next attempt. */
  leastMs: number;
};

export type StreamKind<State, L extends Line = Socket, Request = Buffer> = {
  newState(): State;
  /** The request for a new line; `stream.cursor` says from where. */
  request(stream: Stream<State, L>): Request;
  /** As `Protocol.read`. */
  read(stream: Stream<State, L>, bytes: Buffer, to: number, atUs: number): void;
  /** Resolves when what was read has been taken in, where that takes a while. */
  settled?(): Promise<void>;
  /** What to say before leaving, to a peer that then closes the line. */
  goodbye?(stream: Stream<State, L>): Request | undefined;
};

export type Streams<State, L extends Line = Socket, Request = Buffer> = Omit<RunningLoad, 'send'> & {
  of(subscriber: number): Stream<State, L> | undefined;
  write(stream: Stream<State, L>, request: Request): void;
  /** The subscriber is subscribed. */
  ready(stream: Stream<State, L>, atUs: number): void;
  /** All is said on this line; it reconnects when the server has closed it too. */
  hangUp(stream: Stream<State, L>): void;
  /**
   * What the server sent on this line cannot be read: it is reported, and the
   * subscriber comes back on another.
   */
  fail(stream: Stream<State, L>, cause: Cause): void;
  /** The server wants the subscriber no more: no reconnection. */
  stop(stream: Stream<State, L>): void;
};

/** However long a server asks for, no wait is longer. */
const longestWaitMs = 10 * 60_000;
/** How long the server may take to close a line that is done with. */
const lingerMs = 2000;

/** Subscribers over TCP connections of their own. */
export function createStreams<State>(context: LoadContext, kind: StreamKind<State>): Streams<State> {
  return createStreamsOver(context, kind, (protocol) => createDialer(context, protocol));
}

/** Subscribers over any transport. */
export function createStreamsOver<State, L extends Line, Request>(
  context: LoadContext,
  kind: StreamKind<State, L, Request>,
  transportFor: (protocol: Protocol<Stream<State, L>>) => Transport<Stream<State, L>, L, Request>,
): Streams<State, L, Request> {
  const { counters, sink, random, reconnect } = context;
  const streams = new Map<number, Stream<State, L>>();
  let closing = false;
  let lines = 0;
  let allClosed = () => {};

  const transport = transportFor({
    opened(stream) {
      counters.handshakes++;
      if (stream.asked) counters.reconnects++;
      stream.asked = true;
      write(stream, kind.request(stream));
    },
    read: kind.read,
    closed(stream) {
      lines--;
      stream.line = undefined;
      if (lines === 0) allClosed();
      if (closing || stream.stopped || stream.away) return;
      unready(stream);
      const base = stream.baseMs ?? reconnect.base;
      const waitMs =
        stream.leastMs + backoffMs({ base, cap: Math.max(base, reconnect.cap) }, stream.failures, random);
      stream.failures++;
      stream.leastMs = 0;
      stream.timer = setTimeout(dial, Math.min(waitMs, longestWaitMs), stream);
    },
  });

  function write(stream: Stream<State, L>, request: Request): void {
    if (stream.line) transport.send(stream.line, request);
  }

  function dial(stream: Stream<State, L>): void {
    stream.timer = undefined;
    stream.state = kind.newState();
    lines++;
    stream.line = transport.dial(stream, stream.subscriber);
  }

  function unready(stream: Stream<State, L>): void {
    if (stream.ready) sink.lost(stream.subscriber);
    stream.ready = false;
  }

  function hangUp({ line }: Stream<State, L>): void {
    if (!line) return;
    line.end();
    setTimeout(() => line.destroy(), lingerMs).unref();
  }

  function leave(stream: Stream<State, L>): void {
    const { line } = stream;
    if (!line) return;
    if (line.connecting) {
      line.destroy();
      return;
    }
    const goodbye = kind.goodbye?.(stream);
    if (goodbye !== undefined) transport.send(line, goodbye);
    // What the server has sent already is still read, so that both sides count the same bytes.
    else line.end();
  }

  return {
    of: (subscriber) => streams.get(subscriber),
    write,
    open(subscriber) {
      const stream: Stream<State, L> = {
        subscriber,
        line: undefined,
        state: kind.newState(),
        cursor: newCursor(),
        timer: undefined,
        asked: false,
        ready: false,
        stopped: false,
        away: false,
        failures: 0,
        baseMs: undefined,
        leastMs: 0,
      };
      streams.set(subscriber, stream);
      dial(stream);
    },
    leave(subscriber) {
      const stream = streams.get(subscriber);
      if (!stream || stream.stopped || stream.away) return;
      stream.away = true;
      clearTimeout(stream.timer);
      leave(stream); // while it is ready, so that it says goodbye
      unready(stream);
    },
    comeBack(subscriber) {
      const stream = streams.get(subscriber);
      if (!stream?.away) return;
      stream.away = false;
      if (!stream.line) dial(stream); // else it does so when the old line has closed
    },
    ready(stream, atUs) {
      if (!stream.line) return; // what told so was inflated when the line was closed already
      stream.ready = true;
      stream.failures = 0;
      sink.ready(stream.subscriber, atUs);
    },
    hangUp,
    fail({ line }, { code, message }) {
      if (!closing) sink.problem(code, message);
      line?.destroy();
    },
    stop(stream) {
      stream.stopped = true;
      unready(stream);
      hangUp(stream);
    },
    async close(graceMs) {
      closing = true;
      transport.quiet();
      for (const stream of streams.values()) {
        clearTimeout(stream.timer);
        leave(stream);
      }
      if (lines > 0) {
        const timer = setTimeout(() => {
          for (const { line } of streams.values()) line?.destroy();
        }, graceMs);
        await new Promise<void>((resolve) => (allClosed = resolve));
        clearTimeout(timer);
      }
      await transport.idle?.(graceMs);
      await kind.settled?.();
    },
  };
}

/**
 * Whether a response is the stream that was asked for.
 * @throws ProtocolError `http-status` (and notes the server's Retry-After), `http-type`
 */
export function expectStream(
  stream: { leastMs: number },
  { status, headers }: Pick<ResponseHead, 'status' | 'headers'>,
  type: string,
): void {
  if (status !== 200) {
    noteRetryAfter(stream, headers);
    throw new ProtocolError('http-status', `the server answered ${status} where a stream was asked for`);
  }
  const given = headers.get('content-type') ?? '';
  if (given.split(';')[0]!.trim().toLowerCase() !== type) {
    throw new ProtocolError('http-type', `the stream has the content type "${given}", not "${type}"`);
  }
}

/** Takes the wait that a refusal asks for, where it gives one in seconds. */
export function noteRetryAfter(stream: { leastMs: number }, headers: ResponseHead['headers']): void {
  const seconds = headers.get('retry-after') ?? '';
  if (/^\d+$/.test(seconds)) stream.leastMs = Number(seconds) * 1000;
}

/**
 * A message of the stream itself, not an event: `{"stream":...}`, `{"socket":...}`, `{"ack":...}` or
 * `{"refused":...}` (docs/wire.md).
 */
export type Notice = {
  stream?: unknown;
  socket?: unknown;
  cursor?: unknown;
  reset?: unknown;
  ack?: unknown;
  seq?: unknown;
  refused?: unknown;
  reason?: unknown;
};

/** The notice in bytes `from`..`to`; an empty one where they are nothing of the kind. */
export function readNotice(bytes: Buffer, from: number, to: number): Notice {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', from, to));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Takes the cursor of a notice: what comes after it is still to come. */
export function takeCursor(cursor: Cursor, notice: Notice): void {
  if (typeof notice.cursor === 'string') setCursorText(cursor, notice.cursor);
}
