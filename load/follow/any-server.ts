// Follows servers that are not ours, by each pattern: whatever they send is handed on as it came. Protocols,
// lives and reconnections are those of the load clients; here is only what to ask for and what an answer
// brings.

import { hash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  longPollAnswerWithinMs,
  nextPollDueMs,
  pollAnswerWithinMs,
} from '../../core/policy/client/poll-times.ts';
import { noteReconnectionTime } from '../../core/policy/client/reconnect.ts';
import type { LoadContext, RunningLoad } from '../pattern.ts';
import { cursorText, setCursor } from '../subscribers/cursor.ts';
import { expectOk, expectStream } from '../subscribers/expect-stream.ts';
import { createPolls } from '../subscribers/polls.ts';
import { createSockets } from '../subscribers/sockets.ts';
import { createStreamBodies, type Inflating } from '../subscribers/stream-bodies.ts';
import { createStreams, type Stream, type Streams } from '../subscribers/streams.ts';
import { askFrom, moveBy, newPlace, type Place } from '../target/cursor.ts';
import {
  newEventStream,
  readEvents,
  type EventStreamParts,
  type EventStreamReader,
} from '../wire/event-stream.ts';
import { opcodes } from '../wire/frames.ts';
import {
  encodeRequest,
  newResponseReader,
  readResponse,
  type ResponseParts,
  type ResponseReader,
} from '../wire/http-head.ts';
import { newLineReader, readLines, type LineReader } from '../wire/lines.ts';
import type { FollowPattern } from './recognise.ts';

/** One message as it came. */
export type Message = {
  atUs: number;
  text: string;
  /** Of SSE: its type where it has one, and the last event id. */
  type?: string;
  id?: string;
  /** A binary message: its text is base64. */
  binary?: true;
};

export type AnyServer = {
  context: LoadContext;
  /** The address that the user named. */
  url: URL;
  /** Fields of every request besides those of the pattern. */
  headers: Readonly<Record<string, string>>;
  /** Between two polls. */
  everyMs: number;
  /** Messages to send on a socket once it is there. */
  send: readonly string[];
  deliver(message: Message): void;
  /** The server has said that there is no more. */
  ended(why: string): void;
};

export const followers: { readonly [P in FollowPattern]: (server: AnyServer) => RunningLoad } = {
  polling: followPolls,
  'long-polling': followHeldPolls,
  'http-stream': followLines,
  sse: followEvents,
  websocket: followSocket,
};

/** An id is sent back with each reconnection. */
const longestIdBytes = 4096;

function targetOf({ url }: AnyServer): string {
  return url.pathname + url.search;
}

function followEvents(server: AnyServer): RunningLoad {
  type Sse = Stream<Inflating & { response: ResponseReader; events: EventStreamReader }>;
  const { context, url, headers, deliver, ended } = server;
  const events: EventStreamParts<Sse> = {
    event(stream, type, bytes, from, to, atUs) {
      const id = cursorText(stream.cursor);
      const text = bytes.toString('utf8', from, to);
      deliver({ atUs, text, ...(type !== '' && { type }), ...(id !== '' && { id }) });
    },
    id(stream, bytes, from, to) {
      if (to - from <= longestIdBytes) setCursor(stream.cursor, bytes, from, to);
    },
    retry: noteReconnectionTime,
    comment() {},
  };
  const bodies = createStreamBodies<Sse['state'], Socket>(
    context.counters,
    () => streams,
    (stream, bytes, from, to, atUs) => readEvents(stream.state.events, bytes, from, to, atUs, events, stream),
  );
  const parts: ResponseParts<Sse> = {
    ...bodies,
    head(stream, head, atUs) {
      if (head.status === 204) {
        streams.stop(stream);
        ended('the server said that there is no more (204)');
        return;
      }
      expectStream(stream, head, 'text/event-stream');
      bodies.head(stream, head);
      streams.ready(stream, atUs);
    },
  };
  const streams: Streams<Sse['state']> = createStreams<Sse['state']>(context, {
    newState: () => ({ response: newResponseReader(), events: newEventStream(), inflation: undefined }),
    request({ cursor }) {
      const lastId = cursorText(cursor);
      return encodeRequest(url, targetOf(server), {
        accept: 'text/event-stream',
        'cache-control': 'no-store',
        ...headers,
        ...(lastId !== '' && { 'last-event-id': lastId }),
      });
    },
    read: (stream, bytes, to, atUs) =>
      void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
    settled: bodies.settled,
  });
  return streams;
}

function followLines(server: AnyServer): RunningLoad {
  type Lines = Stream<Inflating & { response: ResponseReader; lines: LineReader }>;
  const { context, url, headers, deliver, ended } = server;
  const take = (_stream: Lines, bytes: Buffer, from: number, to: number, atUs: number): void =>
    deliver({ atUs, text: bytes.toString('utf8', from, to) });
  const bodies = createStreamBodies<Lines['state'], Socket>(
    context.counters,
    () => streams,
    (stream, bytes, from, to, atUs) => readLines(stream.state.lines, bytes, from, to, atUs, take, stream),
  );
  const parts: ResponseParts<Lines> = {
    ...bodies,
    head(stream, head, atUs) {
      expectOk(stream, head);
      bodies.head(stream, head);
      streams.ready(stream, atUs);
    },
    // It has no place to go on from: asked again, it would bring everything again.
    end(stream, atUs) {
      bodies.end(stream);
      stream.stopped = true;
      void bodies.settled().then(() => {
        const rest = stream.state.lines.line;
        if (rest && rest.used > 0) take(stream, rest.bytes, 0, rest.used, atUs);
        ended('the server ended its answer');
      });
    },
  };
  const streams: Streams<Lines['state']> = createStreams<Lines['state']>(context, {
    newState: () => ({ response: newResponseReader(), lines: newLineReader(), inflation: undefined }),
    request: () =>
      encodeRequest(url, targetOf(server), { accept: 'application/x-ndjson, */*;q=0.1', ...headers }),
    read: (stream, bytes, to, atUs) =>
      void readResponse(stream.state.response, bytes, 0, to, atUs, parts, stream),
    settled: bodies.settled,
  });
  return streams;
}

function followSocket(server: AnyServer): RunningLoad {
  const { context, headers, deliver, send } = server;
  const sockets = createSockets(context, {
    deflate: false,
    headers,
    goneForGood: false,
    target: () => targetOf(server),
    upgraded(stream, atUs) {
      sockets.ready(stream, atUs);
      for (const message of send) sockets.sendText(stream, Buffer.from(message));
    },
    message(_stream, opcode, bytes, from, to, atUs) {
      if (opcode === opcodes.binary)
        deliver({ atUs, text: bytes.toString('base64', from, to), binary: true });
      else deliver({ atUs, text: bytes.toString('utf8', from, to) });
    },
  });
  return sockets;
}

type Polled = { readonly place: Place; seen: string };

function followPolls(server: AnyServer): RunningLoad {
  const { everyMs, context } = server;
  return createPolls<Polled>(context, {
    ...pollsOf(server),
    answerWithinMs: pollAnswerWithinMs,
    answered(poller) {
      const nowMs = performance.now();
      poller.dueMs = nextPollDueMs(poller.dueMs, nowMs, { every: everyMs, jitter: 0 }, context.random);
      return poller.dueMs - nowMs;
    },
  });
}

/** As in load/target/poller.ts: a held request that was not refused within this time is taken. */
const settleMs = 250;

function followHeldPolls(server: AnyServer): RunningLoad {
  return createPolls<Polled>(server.context, {
    ...pollsOf(server),
    answerWithinMs: longPollAnswerWithinMs(undefined),
    settleMs,
    // One that holds nothing is not to be asked without a pause.
    answered: (_poller, events) => (events > 0 ? 0 : server.everyMs),
  });
}

function pollsOf(server: AnyServer) {
  const { url, headers, deliver } = server;
  return {
    finishes: false,
    newState: (): Polled => ({ place: newPlace(), seen: '' }),
    request({ state }: { state: Polled }) {
      const asked = askFrom('etag', targetOf(server), state.place);
      return encodeRequest(url, asked.target, { accept: '*/*', ...headers, ...asked.headers });
    },
    take(
      { state }: { state: Polled },
      status: string,
      head: Parameters<typeof moveBy>[2],
      bytes: Buffer,
      from: number,
      to: number,
      atUs: number,
    ): number {
      if (status !== 'ok') return 0;
      moveBy('etag', state.place, head, bytes, from, to);
      const seen = hash('sha256', bytes.subarray(from, to));
      if (to === from || seen === state.seen) return 0; // it has no ETag, and nothing is new
      state.seen = seen;
      deliver({ atUs, text: bytes.toString('utf8', from, to) });
      return 1;
    },
  };
}
