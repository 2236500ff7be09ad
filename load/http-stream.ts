// Runs subscribers of HTTP streaming: newline-delimited JSON over one response that does not end
// (docs/wire.md).

import type { Socket } from 'node:net';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { noteAsked, noteWindow } from '../core/policy/client/reconnect.ts';
import { setCursorFromEnvelope, subscriptionQuery } from './subscribers/cursor.ts';
import { cookieHeader, takeCookies } from './wire/cookies.ts';
import { gzipAccepted } from './wire/gunzip.ts';
import {
  encodeRequest,
  newResponseReader,
  pathBelow,
  readResponse,
  type ResponseParts,
  type ResponseReader,
} from './wire/http-head.ts';
import { newLineReader, readLines, type LineReader } from './wire/lines.ts';
import type { LoadContext, PatternLoad } from './pattern.ts';
import { createStreamBodies, type Inflating } from './subscribers/stream-bodies.ts';
import { readNotice, takeCursor } from './subscribers/notices.ts';
import { expectStream } from './subscribers/expect-stream.ts';
import { createStreams, type Stream, type Streams } from './subscribers/streams.ts';
import { tokenFields } from './subscribers/token.ts';

type State = Inflating & { response: ResponseReader; lines: LineReader };
type Owner = Stream<State>;

export const httpStream: PatternLoad<PatternOptions<'http-stream'>> = {
  start(context: LoadContext, { gzip }) {
    const { counters, sink } = context;
    const fieldsOf = tokenFields(context.endpoint);

    function takeLine(stream: Owner, bytes: Buffer, from: number, to: number, atUs: number): void {
      if (bytes[from + 2] === 0x69 /* {"id" */ && sink.event(stream.subscriber, bytes, from, to, atUs)) {
        counters.events++;
        setCursorFromEnvelope(stream.cursor, bytes, from, to);
        return;
      }
      const notice = readNotice(bytes, from, to);
      takeCursor(stream.cursor, notice);
      switch (notice.stream) {
        case 'open':
          if (notice.reset === true) {
            counters.resets++;
            sink.reset(stream.subscriber);
          }
          noteWindow(stream, notice.reconnectMs);
          streams.ready(stream, atUs);
          break;
        case 'heartbeat':
          counters.heartbeats++;
          break;
        case 'end': // the response ends next
          if (typeof notice.waitMs === 'number') noteAsked(stream, notice.waitMs);
          break;
        case 'failure':
          sink.problem('stream-failed', 'the server ended a stream, as it could not serve it');
          break;
        default:
          sink.problem('malformed-event', 'a line of the stream is neither an event nor a notice');
      }
    }

    const bodies = createStreamBodies<State, Socket>(
      counters,
      () => streams,
      (stream, bytes, from, to, atUs) =>
        readLines(stream.state.lines, bytes, from, to, atUs, takeLine, stream),
    );
    const parts: ResponseParts<Owner> = {
      ...bodies,
      head(stream, head) {
        stream.cookies = takeCookies(stream.cookies, head.headers.get('set-cookie'));
        expectStream(stream, head, 'application/x-ndjson');
        bodies.head(stream, head);
      },
    };

    const streams: Streams<State> = createStreams<State>(context, {
      newState: () => ({ response: newResponseReader(), lines: newLineReader(), inflation: undefined }),
      request({ subscriber, cursor, cookies }, url) {
        const query = subscriptionQuery(context.topicsOf(subscriber), cursor);
        return encodeRequest(url, `${pathBelow(url, '/stream')}?${query}`, {
          accept: 'application/x-ndjson',
          ...gzipAccepted(gzip),
          ...cookieHeader(cookies),
          ...fieldsOf(subscriber),
        });
      },
      read: (stream, bytes, to, atUs) =>
        void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
      settled: bodies.settled,
    });
    return streams;
  },
};
