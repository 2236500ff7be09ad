// Runs subscribers of a target's streams over one response that does not end: SSE, and lines of text.

import type { Socket } from 'node:net';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import { noteReconnectionTime } from '../../core/policy/client/reconnect.ts';
import { setCursor, cursorText } from '../subscribers/cursor.ts';
import {
  newEventStream,
  readEvents,
  type EventStreamParts,
  type EventStreamReader,
} from '../wire/event-stream.ts';
import { cookieHeader, takeCookies } from '../wire/cookies.ts';
import { gzipAccepted } from '../wire/gunzip.ts';
import {
  encodeRequest,
  newResponseReader,
  readResponse,
  type ResponseParts,
  type ResponseReader,
} from '../wire/http-head.ts';
import { newLineReader, readLines, type LineReader } from '../wire/lines.ts';
import type { RunningLoad } from '../pattern.ts';
import { createStreamBodies, type Inflating } from '../subscribers/stream-bodies.ts';
import { expectOk, expectStream } from '../subscribers/expect-stream.ts';
import { createStreams, type Stream, type Streams } from '../subscribers/streams.ts';
import { createLegs, type TargetContext } from './legs.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';

type Sse = Stream<Inflating & { response: ResponseReader; events: EventStreamReader }>;
type Lines = Stream<Inflating & { response: ResponseReader; lines: LineReader }>;

export function targetSse(
  target: TargetContext,
  how: TargetSubscribe,
  { gzip }: Pick<PatternOptions<'sse'>, 'gzip'>,
): RunningLoad {
  const legs = createLegs(target, how);
  const { counters } = legs.context;
  const url = new URL(legs.context.endpoint.url);
  const events: EventStreamParts<Sse> = {
    event(stream, _type, bytes, from, to, atUs) {
      // Whatever its type: the target's own names are not ours to know.
      if (legs.deliver(stream.subscriber, bytes, from, to, atUs) === 0) counters.heartbeats++;
    },
    id: (stream, bytes, from, to) => setCursor(stream.cursor, bytes, from, to),
    retry: noteReconnectionTime,
    comment() {
      counters.heartbeats++;
    },
  };
  const bodies = createStreamBodies<Sse['state'], Socket>(
    counters,
    () => streams,
    (stream, bytes, from, to, atUs) => readEvents(stream.state.events, bytes, from, to, atUs, events, stream),
  );
  const parts: ResponseParts<Sse> = {
    ...bodies,
    head(stream, head, atUs) {
      stream.cookies = takeCookies(stream.cookies, head.headers.get('set-cookie'));
      expectStream(stream, head, 'text/event-stream');
      bodies.head(stream, head);
      streams.ready(stream, atUs);
    },
  };
  const streams: Streams<Sse['state']> = createStreams<Sse['state']>(legs.context, {
    newState: () => ({ response: newResponseReader(), events: newEventStream(), inflation: undefined }),
    request({ subscriber, cursor, cookies }) {
      const lastId = cursorText(cursor);
      return encodeRequest(url, legs.target(subscriber), {
        accept: 'text/event-stream',
        'cache-control': 'no-store',
        ...gzipAccepted(gzip),
        ...cookieHeader(cookies),
        ...how.headers,
        ...(lastId && { 'last-event-id': lastId }),
      });
    },
    read: (stream, bytes, to, atUs) =>
      void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
    settled: bodies.settled,
  });
  return legs.forSubscribers(streams);
}

export function targetHttpStream(
  target: TargetContext,
  how: TargetSubscribe,
  { gzip }: Pick<PatternOptions<'http-stream'>, 'gzip'>,
): RunningLoad {
  const legs = createLegs(target, how);
  const { counters } = legs.context;
  const url = new URL(legs.context.endpoint.url);
  const bodies = createStreamBodies<Lines['state'], Socket>(
    counters,
    () => streams,
    (stream, bytes, from, to, atUs) => readLines(stream.state.lines, bytes, from, to, atUs, takeLine, stream),
  );
  const parts: ResponseParts<Lines> = {
    ...bodies,
    head(stream, head, atUs) {
      stream.cookies = takeCookies(stream.cookies, head.headers.get('set-cookie'));
      expectOk(stream, head);
      bodies.head(stream, head);
      streams.ready(stream, atUs);
    },
  };
  function takeLine(stream: Lines, bytes: Buffer, from: number, to: number, atUs: number): void {
    if (legs.deliver(stream.subscriber, bytes, from, to, atUs) === 0) counters.heartbeats++;
  }
  const streams: Streams<Lines['state']> = createStreams<Lines['state']>(legs.context, {
    newState: () => ({ response: newResponseReader(), lines: newLineReader(), inflation: undefined }),
    request: ({ subscriber, cookies }) =>
      encodeRequest(url, legs.target(subscriber), {
        accept: '*/*',
        ...gzipAccepted(gzip),
        ...cookieHeader(cookies),
        ...how.headers,
      }),
    read: (stream, bytes, to, atUs) =>
      void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
    settled: bodies.settled,
  });
  return legs.forSubscribers(streams);
}
