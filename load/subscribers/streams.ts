// Runs the subscribers of patterns that hold a connection: each one's life, from its first request through
// losses, waits and reconnections to the close. The bytes on the wire are the pattern's, which gives a
// `StreamKind`.

import type { Socket } from 'node:net';
import { nowUs } from '../../core/base/clock.ts';
import { noteSuccess } from '../../core/policy/client/reconnect.ts';
import { chooseServer } from '../../core/policy/client/choose-server.ts';
import type { AbsenceCause } from '../../core/result/recovery.ts';
import { createDialer, urlsOf, type Cause, type Protocol } from '../wire/connection.ts';
import { comeBackLater } from './comeback.ts';
import { cursorText, setCursorText } from './cursor.ts';
import { hangUp, leaveLine, type Line } from './line.ts';
import { isTakenOver } from './handover.ts';
import { newStream, type Stream } from './stream.ts';
import { createPacing, type Pacing } from './slow.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';

export type { Line, Stream };

/** How lines are made: `createDialer` for TCP. `Request` is what can be sent on them. */
export type Transport<Owner, L extends Line, Request> = {
  /** @param server which of the endpoint's */
  dial(owner: Owner, subscriber: number, server: number): L;
  send(line: L, request: Request): void;
  quiet(): void;
  /**
   * Where lines share connections: resolves when no connection is left, those left after `graceMs` by force.
   */
  idle?(graceMs: number): Promise<void>;
};

export type StreamKind<State, L extends Line = Socket, Request = Buffer> = {
  newState(): State;
  /** The request for a new line, to the server at `url`; `stream.cursor` says from where. */
  request(stream: Stream<State, L>, url: URL): Request;
  /** As `Protocol.read`. */
  read(stream: Stream<State, L>, bytes: Buffer, to: number, atUs: number): void;
  /** Resolves when all bytes read so far have been handled, where that takes a while. */
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

/** Subscribers over TCP connections of their own. */
export function createStreams<State>(context: LoadContext, kind: StreamKind<State>): Streams<State> {
  return createStreamsOver(context, kind, (protocol) => createDialer(context, protocol));
}

/** What the subscribers of a process share. */
type All<State, L extends Line, Request> = {
  readonly context: LoadContext;
  readonly kind: StreamKind<State, L, Request>;
  readonly transport: Transport<Stream<State, L>, L, Request>;
  readonly streams: Map<number, Stream<State, L>>;
  /** Where the servers are. */
  readonly urls: readonly URL[];
  readonly pacing: Pacing<Stream<State, L>>;
  closing: boolean;
  /** Lines that are not closed yet. */
  lines: number;
  allClosed(): void;
};

/** Subscribers over any transport. */
export function createStreamsOver<State, L extends Line, Request>(
  context: LoadContext,
  kind: StreamKind<State, L, Request>,
  transportFor: (protocol: Protocol<Stream<State, L>>) => Transport<Stream<State, L>, L, Request>,
): Streams<State, L, Request> {
  const pacing = createPacing<Stream<State, L>>();
  const transport = transportFor({
    opened: (stream) => opened(all, stream),
    read(stream, bytes, to, atUs) {
      pacing.read(stream, to);
      kind.read(stream, bytes, to, atUs);
    },
    closed: (stream) => closed(all, stream),
  });
  const all: All<State, L, Request> = {
    context,
    kind,
    transport,
    streams: new Map(),
    urls: urlsOf(context.endpoint),
    pacing,
    closing: false,
    lines: 0,
    allClosed: () => {},
  };
  return {
    of: (subscriber) => all.streams.get(subscriber),
    write: (stream, request) => write(all, stream, request),
    open(subscriber, cursor = '') {
      const stream = newStream<State, L>(subscriber, kind.newState());
      if (cursor !== '') setCursorText(stream.cursor, cursor);
      all.streams.set(subscriber, stream);
      dial(all, stream);
    },
    release: (subscriber) => release(all, all.streams.get(subscriber)),
    leave: (subscriber) => leave(all, all.streams.get(subscriber)),
    comeBack: (subscriber) => comeBack(all, all.streams.get(subscriber)),
    slow(subscriber, bytesPerS) {
      const stream = all.streams.get(subscriber);
      if (stream) pacing.set(stream, bytesPerS);
    },
    ready(stream, atUs) {
      if (!stream.line) return; // what told so was inflated when the line was closed already
      stream.ready = true;
      noteSuccess(stream, performance.now());
      context.sink.ready(stream.subscriber, atUs, stream.resumes);
    },
    hangUp: ({ line }) => hangUp(line),
    fail({ line }, { code, message }) {
      if (!all.closing) context.sink.problem(code, message);
      line?.destroy();
    },
    stop(stream) {
      stream.stopped = true;
      unready(all, stream);
      context.sink.gone(stream.subscriber);
      hangUp(stream.line);
    },
    close: (graceMs) => close(all, graceMs),
  };
}

function dial<State, L extends Line, Request>(all: All<State, L, Request>, stream: Stream<State, L>): void {
  stream.state = all.kind.newState();
  stream.connected = false;
  all.lines++;
  stream.server = chooseServer(stream.subscriber, stream.turns, all.urls.length);
  stream.line = all.transport.dial(stream, stream.subscriber, stream.server);
}

function opened<State, L extends Line, Request>(all: All<State, L, Request>, stream: Stream<State, L>): void {
  const { counters } = all.context;
  counters.handshakes++;
  if (stream.asked) counters.reconnects++;
  stream.asked = stream.connected = true;
  stream.resumes = cursorText(stream.cursor) !== '';
  all.context.handover?.began(stream.subscriber);
  write(all, stream, all.kind.request(stream, all.urls[stream.server]!)); // chosen from this list
  all.pacing.opened(stream);
}

function closed<State, L extends Line, Request>(all: All<State, L, Request>, stream: Stream<State, L>): void {
  all.lines--;
  stream.line = undefined;
  if (all.lines === 0) all.allClosed();
  if (all.closing || stream.stopped) return;
  if (!stream.ready && !stream.away) all.context.connects?.refused(nowUs());
  unready(all, stream);
  // One that left by itself waits only where the server had asked for it.
  if (stream.away && stream.leastMs === 0) return;
  stream.stopped = isTakenOver(all.context, stream);
  if (stream.stopped) return;
  stream.stopWaiting = comeBackLater(all.context, stream, () => {
    stream.stopWaiting = undefined;
    if (!stream.away) dial(all, stream);
  });
  stream.stopped = !stream.stopWaiting;
  if (stream.stopped) all.context.sink.gone(stream.subscriber);
}

function release<State, L extends Line, Request>(
  all: All<State, L, Request>,
  stream: Stream<State, L> | undefined,
): string {
  if (!stream) return '';
  stream.stopped = true;
  stream.stopWaiting?.();
  unready(all, stream);
  stream.line?.destroy();
  return cursorText(stream.cursor);
}

function write<State, L extends Line, Request>(
  { transport }: All<State, L, Request>,
  { line }: Stream<State, L>,
  request: Request,
): void {
  if (line) transport.send(line, request);
}

function unready<State, L extends Line, Request>(
  { context }: All<State, L, Request>,
  stream: Stream<State, L>,
  cause: AbsenceCause = 'cut',
): void {
  if (stream.ready) context.sink.lost(stream.subscriber, nowUs(), cause);
  stream.ready = false;
}

function leave<State, L extends Line, Request>(
  all: All<State, L, Request>,
  stream: Stream<State, L> | undefined,
): void {
  if (!stream || stream.stopped || stream.away) return;
  stream.away = true;
  stream.openMs = -1; // the time away is not time connected
  sayGoodbye(all, stream); // while it is ready, so that a close frame is sent
  unready(all, stream, 'left');
}

function sayGoodbye<State, L extends Line, Request>(
  { kind, transport }: All<State, L, Request>,
  stream: Stream<State, L>,
): void {
  const { line } = stream;
  if (line) leaveLine(line, kind.goodbye?.(stream), transport);
}

function comeBack<State, L extends Line, Request>(
  all: All<State, L, Request>,
  stream: Stream<State, L> | undefined,
): void {
  if (!stream?.away) return;
  stream.away = false;
  // Else it does so when the old line has closed, or the wait is over.
  if (!stream.line && !stream.stopWaiting && !stream.stopped) dial(all, stream);
}

async function close<State, L extends Line, Request>(
  all: All<State, L, Request>,
  graceMs: number,
): Promise<void> {
  const { kind, streams, transport } = all;
  all.closing = true;
  transport.quiet();
  for (const stream of streams.values()) {
    stream.stopWaiting?.();
    sayGoodbye(all, stream);
  }
  if (all.lines > 0) {
    const timer = setTimeout(() => {
      for (const { line } of streams.values()) line?.destroy();
    }, graceMs);
    await new Promise<void>((resolve) => (all.allClosed = resolve));
    clearTimeout(timer);
  }
  await transport.idle?.(graceMs);
  await kind.settled?.();
}
