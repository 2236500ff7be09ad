// Runs subscribers of Server-Sent Events: over HTTP/1.1 with a connection each, over HTTP/2 with many streams
// on one.

import type { Socket } from 'node:net';
import type { LoadContext, PatternLoad, RunningLoad } from './pattern.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { noteReconnectionTime, noteRetryAfter, noteWindow } from '../core/policy/client/reconnect.ts';
import { cursorText, setCursor } from './subscribers/cursor.ts';
import { cookieHeader, takeCookies } from './wire/cookies.ts';
import {
  newEventStream,
  readEvents,
  type EventStreamParts,
  type EventStreamReader,
} from './wire/event-stream.ts';
import { areSeveral } from './wire/connection.ts';
import { gzipAccepted } from './wire/gunzip.ts';
import type { Http2Line, Http2Transport } from './subscribers/http2.ts';
import {
  encodeRequest,
  newResponseReader,
  pathBelow,
  readResponse,
  type ResponseHead,
  type ResponseParts,
  type ResponseReader,
} from './wire/http-head.ts';
import { createStreamBodies, type Inflating, type StreamBodies } from './subscribers/stream-bodies.ts';
import { readNotice } from './subscribers/notices.ts';
import { expectStream } from './subscribers/expect-stream.ts';
import { createStreams, createStreamsOver, type Stream, type Streams } from './subscribers/streams.ts';
import { tokenFields } from './subscribers/token.ts';

export const sse: PatternLoad<PatternOptions<'sse'>> = {
  start: (context, { gzip }) =>
    context.endpoint.over === 'h1' ? overHttp1(context, gzip) : overHttp2(context, gzip),
};

type Owner = Stream<Inflating & { response: ResponseReader; events: EventStreamReader }>;
type Http2Owner = Stream<Inflating & { events: EventStreamReader }, Http2Line>;

const mimeType = 'text/event-stream';

function overHttp1(context: LoadContext, gzip: boolean): Streams<Owner['state']> {
  const events = eventParts(context);
  const fieldsOf = tokenFields(context.endpoint);
  const bodies = createStreamBodies<Owner['state'], Socket>(
    context.counters,
    () => streams,
    (stream, bytes, from, to, atUs) => readEvents(stream.state.events, bytes, from, to, atUs, events, stream),
  );
  const parts: ResponseParts<Owner> = {
    ...bodies,
    head: (stream, head, atUs) => takeHead(context, streams, bodies, stream, head, atUs),
  };
  const streams: Streams<Owner['state']> = createStreams<Owner['state']>(context, {
    newState: () => ({ response: newResponseReader(), events: newEventStream(), inflation: undefined }),
    request: (stream, url) =>
      encodeRequest(url, targetOf(context, stream, url), {
        ...headersOf(stream, gzip),
        ...fieldsOf(stream.subscriber),
      }),
    read: (stream, bytes, to, atUs) =>
      void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
    settled: bodies.settled,
  });
  return streams;
}

async function overHttp2(context: LoadContext, gzip: boolean): Promise<RunningLoad> {
  // Loaded only here, as node:http2 and node:tls cost megabytes that HTTP/1.1 has no use for.
  const { createHttp2 } = await import('./subscribers/http2.ts');
  const events = eventParts(context);
  const fieldsOf = tokenFields(context.endpoint);
  const bodies = createStreamBodies<Http2Owner['state'], Http2Line>(
    context.counters,
    () => streams,
    (stream, bytes, from, to, atUs) => readEvents(stream.state.events, bytes, from, to, atUs, events, stream),
  );
  let http2: Http2Transport<Http2Owner> | undefined;
  const streams: Streams<Http2Owner['state'], Http2Line, Record<string, string>> = createStreamsOver<
    Http2Owner['state'],
    Http2Line,
    Record<string, string>
  >(
    context,
    {
      newState: () => ({ events: newEventStream(), inflation: undefined }),
      request: (stream, url) => ({
        ':path': targetOf(context, stream, url),
        ...headersOf(stream, gzip),
        ...fieldsOf(stream.subscriber),
      }),
      read: (stream, bytes, to, atUs) => bodies.body(stream, bytes, 0, to, atUs),
      settled: bodies.settled,
    },
    (protocol) =>
      (http2 = createHttp2<Http2Owner>(context, {
        ...protocol,
        head: (stream, head, atUs) => takeHead(context, streams, bodies, stream, head, atUs),
      })),
  );
  return {
    ...streams,
    get: (subscriber, path, answered) =>
      // The transport was made with the streams.
      http2!.get(subscriber, streams.of(subscriber)?.server ?? 0, path, answered),
  };
}

/** Subscribed, or told to stop (204), or an error. */
function takeHead<O extends Owner | Http2Owner>(
  { endpoint, sink }: LoadContext,
  streams: { ready(stream: O, atUs: number): void; stop(stream: O): void },
  bodies: Pick<StreamBodies<O>, 'head'>,
  stream: O,
  head: Pick<ResponseHead, 'status' | 'headers'>,
  atUs: number,
): void {
  stream.cookies = takeCookies(stream.cookies, head.headers.get('set-cookie'));
  if (head.status === 204 && areSeveral(endpoint)) return; // the response ends here, and with it the line
  if (head.status === 204) {
    sink.problem('sse-stopped', 'the server told a subscriber to stop and not to reconnect (204)');
    streams.stop(stream);
    return;
  }
  if (head.headers.has('pushbench-refused')) {
    sink.problem('sse-refused', 'a server that was being drained refused a subscriber');
    noteRetryAfter(stream, head.headers.get('retry-after'), Date.now());
    bodies.head(stream, head);
    return; // the stream ends at once
  }
  expectStream(stream, head, mimeType);
  bodies.head(stream, head);
  streams.ready(stream, atUs);
}

function eventParts({ counters, sink, handover }: LoadContext): EventStreamParts<Owner | Http2Owner> {
  return {
    event(stream, type, bytes, from, to, atUs) {
      if (type !== '' && type !== 'message') {
        if (type === 'reset') {
          counters.resets++;
          sink.reset(stream.subscriber);
        } else if (type === 'failure')
          sink.problem('stream-failed', 'the server ended a stream, as it could not serve it');
        else if (type === 'reconnect') noteWindow(stream, readNotice(bytes, from, to).windowMs);
        return;
      }
      if (sink.event(stream.subscriber, bytes, from, to, atUs)) counters.events++;
      else sink.problem('malformed-event', "an SSE event's data is not an event envelope");
    },
    id: (stream, bytes, from, to) => setCursor(stream.cursor, bytes, from, to),
    retry: noteReconnectionTime,
    comment({ subscriber }, bytes, from, to) {
      if (bytes.toString('latin1', from, to) === ' open') handover?.flows(subscriber);
      else counters.heartbeats++;
    },
  };
}

function targetOf({ topicsOf }: LoadContext, { subscriber }: Pick<Owner, 'subscriber'>, url: URL): string {
  return `${pathBelow(url, '/events')}?topics=${topicsOf(subscriber).join(',')}`;
}

function headersOf(
  { cursor, cookies }: Pick<Owner, 'cursor' | 'cookies'>,
  gzip: boolean,
): Record<string, string> {
  const lastId = cursorText(cursor);
  return {
    accept: mimeType,
    'cache-control': 'no-store',
    ...gzipAccepted(gzip),
    ...cookieHeader(cookies),
    ...(lastId && { 'last-event-id': lastId }),
  };
}
