// Subscribers of a target's streams over one response that does not end: SSE, and lines of text.

import { setCursor, cursorText } from './cursor.ts';
import { newEventStream, readEvents, type EventStreamParts, type EventStreamReader } from './event-stream.ts';
import { encodeRequest, newResponseReader, readResponse, type ResponseParts, type ResponseReader } from './http-head.ts';
import { newLineReader, readLines, type LineReader } from './lines.ts';
import type { RunningLoad } from './pattern.ts';
import { ProtocolError } from './protocol-error.ts';
import { createStreams, expectStream, noteRetryAfter, type Stream } from './streams.ts';
import { createLegs, type TargetContext } from './target-legs.ts';
import type { TargetSubscribe } from '../core/target-access.ts';

type Sse = Stream<{ response: ResponseReader; events: EventStreamReader }>;
type Lines = Stream<{ response: ResponseReader; lines: LineReader }>;

export function targetSse(target: TargetContext, how: TargetSubscribe): RunningLoad {
  const legs = createLegs(target, how);
  const { counters } = legs.context;
  const url = new URL(legs.context.endpoint.url);
  const events: EventStreamParts<Sse> = {
    event(stream, _type, bytes, from, to, atUs) {
      // Whatever its type: the target's own names are not ours to know.
      if (legs.deliver(stream.subscriber, bytes, from, to, atUs) === 0) counters.heartbeats++;
    },
    id: (stream, bytes, from, to) => setCursor(stream.cursor, bytes, from, to),
    retry(stream, ms) {
      stream.baseMs = Math.max(1, ms);
    },
    comment() {
      counters.heartbeats++;
    },
  };
  const parts: ResponseParts<Sse> = {
    head(stream, head, atUs) {
      expectStream(stream, head, 'text/event-stream');
      streams.ready(stream, atUs);
    },
    body: (stream, bytes, from, to, atUs) => readEvents(stream.state.events, bytes, from, to, atUs, events, stream),
    end: (stream) => streams.hangUp(stream),
  };
  const streams = createStreams<Sse['state']>(legs.context, {
    newState: () => ({ response: newResponseReader(), events: newEventStream() }),
    request({ subscriber, cursor }) {
      const lastId = cursorText(cursor);
      return encodeRequest(url, legs.target(subscriber), {
        accept: 'text/event-stream', 'cache-control': 'no-store', ...how.headers, ...(lastId && { 'last-event-id': lastId }),
      });
    },
    read: (stream, bytes, to, atUs) => void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
  });
  return legs.forSubscribers(streams);
}

export function targetHttpStream(target: TargetContext, how: TargetSubscribe): RunningLoad {
  const legs = createLegs(target, how);
  const { counters } = legs.context;
  const url = new URL(legs.context.endpoint.url);
  const parts: ResponseParts<Lines> = {
    head(stream, { status, headers }, atUs) {
      if (status !== 200) {
        noteRetryAfter(stream, headers);
        throw new ProtocolError('http-status', `the server answered ${status} where a stream was asked for`);
      }
      streams.ready(stream, atUs);
    },
    body: (stream, bytes, from, to, atUs) => readLines(stream.state.lines, bytes, from, to, atUs, takeLine, stream),
    end: (stream) => streams.hangUp(stream),
  };
  function takeLine(stream: Lines, bytes: Buffer, from: number, to: number, atUs: number): void {
    if (legs.deliver(stream.subscriber, bytes, from, to, atUs) === 0) counters.heartbeats++;
  }
  const streams = createStreams<Lines['state']>(legs.context, {
    newState: () => ({ response: newResponseReader(), lines: newLineReader() }),
    request: ({ subscriber }) => encodeRequest(url, legs.target(subscriber), { accept: '*/*', ...how.headers }),
    read: (stream, bytes, to, atUs) => void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
  });
  return legs.forSubscribers(streams);
}
