// Holds responses that do not end, for sse and http-stream, over HTTP/1.0, HTTP/1.1 and HTTP/2. The pattern
// defines how an event is written.
//
// Over HTTP/1.1 the body is chunked: if a body lasted until the connection closes, a client could not tell
// its end from a cut (RFC 9112, section 6.3). An event is one chunk, framed once for all subscribers and
// written to the socket after the head that `ServerResponse` wrote. `ServerResponse.write` would frame it
// again for each subscriber, which takes more CPU than the system call. `ServerResponse.end` writes the last
// chunk.

import type { DrainCount, DrainPlan } from '../../core/policy/server/drain.ts';
import { decideHeartbeat, heartbeatTurnMs } from '../../core/policy/server/heartbeat.ts';
import { acceptsGzip } from '../http/content-coding.ts';
import { createGzipBodies, type GzipBody } from './gzip-bodies.ts';
import { createFanOut } from './fan-out.ts';
import { createFraming } from './framing.ts';
import type { Subscriber } from './subscriber.ts';
import type { HubEvent } from '../hub/event.ts';
import { corsHeaders } from '../http/origin.ts';
import type { PatternContext, Request, Response } from '../pattern.ts';

/** The texts of a stream, each a whole number of lines. */
export type StreamFormat = {
  contentType: string;
  open(cursor: string, reset: boolean): string;
  event(event: HubEvent): string;
  /** @param cursor everything up to it has been sent */
  heartbeat(cursor: string): string;
  end: string;
};

export type HeldResponses = {
  size(): number;
  /**
   * Answers with a stream; to HEAD with the head of one.
   * @param since undefined for "from now"
   * @throws RequestError 503 when there are too many subscribers
   * @throws TooManyTopics
   */
  hold(request: Request, response: Response, topics: readonly string[], since: string | undefined): void;
  /** Cuts this share of the streams without a goodbye. */
  disconnect(share: number): void;
  /** Ends all streams and resolves when they are closed, with how many there were. */
  end(): Promise<number>;
  /**
   * Ends one after the other, as `FanOut.drain`.
   * @param last what stands at the end of one, made for each
   */
  drain(plan: DrainPlan, last: () => string): Promise<DrainCount>;
  /** Ends all streams that there are with this text, in one turn, and goes on. */
  dropAll(last: string): void;
};

/** A response that is held. */
type Peer = { response: Response; body: GzipBody | PlainBody };
type PlainBody = ReturnType<typeof plainBody>;

/**
 * @param heartbeatMs no stream is silent for longer
 * @param gzip whether streams are compressed for those who ask for it
 */
export function createHeldResponses(
  context: PatternContext,
  { heartbeat: heartbeatMs, gzip }: { heartbeat: number; gzip: boolean },
  format: StreamFormat,
): HeldResponses {
  const { hub, counters } = context;
  const textOf = (events: readonly HubEvent[]) => events.map(format.event).join('');
  const plain = plainBody((text) => Buffer.from(text), textOf);
  const chunked = plainBody(chunk, textOf);
  const newGzip = createGzipBodies((bytes) => bytes, textOf);
  const newChunkedGzip = createGzipBodies(chunk, textOf);

  const fanOut = createFanOut<Peer>(context, {
    isOpen: ({ outlet }) => outlet.writable,
    cut: ({ outlet }) => outlet.destroy(),
    beatMs: heartbeatTurnMs(heartbeatMs),
    beat(subscriber) {
      const { outlet, framing, quiet, backlog } = subscriber;
      subscriber.quiet = !quiet;
      const busy = outlet.writableLength > 0 || backlog !== undefined;
      const decision = decideHeartbeat(quiet, outlet.writable, busy);
      if (decision === 'end') {
        outlet.destroy();
      } else if (decision === 'send') {
        counters.heartbeats++;
        outlet.write(framing.text(format.heartbeat(hub.cursor())));
      }
    },
  });

  return {
    size: fanOut.size,
    hold(request, response, topics, since) {
      request.resume(); // a body that nobody reads would keep us from seeing the client go
      const isHttp2 = 'stream' in response;
      const outlet = isHttp2 ? response.stream : response.socket; // the router has waited for its turn
      if (!outlet || outlet.destroyed) return;
      const isChunked = !isHttp2 && response.useChunkedEncodingByDefault;
      const compressed = gzip && acceptsGzip(request);
      const body = compressed ? (isChunked ? newChunkedGzip() : newGzip()) : isChunked ? chunked : plain;
      const cors = corsHeaders(request);
      const fields = {
        ...headers,
        'content-type': format.contentType,
        ...cors,
        ...(gzip && { vary: `${cors['vary']}, accept-encoding` }),
        ...(compressed && { 'content-encoding': 'gzip' }),
        ...(!isHttp2 && { connection: 'close' }),
      };
      const setFields = () => {
        for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
      };
      if (request.method === 'HEAD') {
        setFields();
        response.end();
        return;
      }
      outlet.setTimeout(0); // those who do not read a stream are the fan-out's to notice
      fanOut.join({
        peer: { response, body },
        outlet,
        framing: body,
        topics,
        since,
        open(cursor, reset) {
          setFields();
          outlet.cork(); // so that all of it leaves in one packet
          if ('stream' in response) response.writeHead(200);
          else response.flushHeaders();
          outlet.write(body.open(format.open(cursor, reset)));
          outlet.uncork();
        },
      });
    },
    disconnect: fanOut.disconnect,
    async end() {
      let ended = 0;
      await fanOut.end((subscriber) => {
        ended++;
        endWithText(subscriber, format.end);
      });
      return ended;
    },
    drain(plan, last) {
      return fanOut.drain(plan, (subscriber) => {
        endWithText(subscriber, last());
        const { response } = subscriber.peer;
        // GOAWAY with the first of a session's streams: who comes back does so on another connection, and the
        // streams whose time has not come go on (RFC 9113, section 6.8).
        if ('stream' in response) response.stream.session?.close();
      });
    },
    dropAll: (last) => fanOut.dropAll((subscriber) => endWithText(subscriber, last)),
  };
}

function endWithText({ peer: { response, body }, outlet }: Subscriber<Peer>, text: string): void {
  if (response.writableEnded) return; // it was told before
  const last = body.end(text);
  if (last && outlet.writable) outlet.write(last);
  response.end();
}

const headers = {
  // A proxy must neither keep the stream, nor compress it, which would hold events
  // back until a block is full.
  'cache-control': 'no-cache, no-transform',
  // Asks nginx not to collect the response.
  'x-accel-buffering': 'no',
};

/** As `GzipBody`, the same for all who get it. */
function plainBody(frame: (text: string) => Buffer, textOf: (events: readonly HubEvent[]) => string) {
  return {
    ...createFraming(frame, (events) => frame(textOf(events))),
    open: frame,
    end: (text: string) => (text === '' ? undefined : frame(text)),
  };
}

/** RFC 9112, section 7.1. */
function chunk(content: string | Buffer): Buffer {
  const size = `${Buffer.byteLength(content).toString(16)}\r\n`;
  return typeof content === 'string'
    ? Buffer.from(`${size}${content}\r\n`)
    : Buffer.concat([Buffer.from(size), content, chunkEnd]);
}

const chunkEnd = Buffer.from('\r\n');
