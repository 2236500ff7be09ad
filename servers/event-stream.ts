// One HTTP response that does not end: what SSE and NDJSON streaming have in common. Over HTTP/1.1 the events
// are written straight to the socket, already framed as chunks (RFC 9112, section 7.1), the same bytes to every
// subscriber; over HTTP/2 each subscriber is a stream of its connection.

import type { ServerResponse } from 'node:http';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import { createFanOut, framedOnce, type FanOut, type Outlet } from './fan-out.ts';
import type { HubEvent } from './hub.ts';
import type { PatternContext, Request, Response } from './pattern.ts';
import { answerFull, drawShare } from './request.ts';

/** How a pattern writes its events, as text that stands on its own. */
export type StreamFormat = {
  headers: Readonly<Record<string, string>>;
  event(event: HubEvent): string;
  heartbeat(): string;
  /** The last thing on a stream that ends in order; empty for none. */
  farewell: string;
};

type StreamOutlet = Outlet & {
  /** Sends the head. */
  begin(): void;
  write(text: string): void;
  /** Ends the response in order. */
  end(): void;
  destroy(): void;
};

type Framing = (event: HubEvent) => Buffer;

export type EventStreams = {
  /**
   * Opens a stream as the answer to a request.
   * @param opening the first thing on it
   */
  open(request: Request, response: Response, topics: readonly string[], since: string | undefined, opening: (cursor: string, reset: boolean) => string): void;
  subscribers(): number;
  disconnect(share: number): void;
  close(): Promise<void>;
};

export function createEventStreams(context: PatternContext, heartbeatMs: number, format: StreamFormat): EventStreams {
  const { limits, counters, random } = context;
  const fanOut: FanOut<StreamOutlet> = createFanOut(context);
  const plain = framedOnce((event) => Buffer.from(format.event(event)));
  const chunked = framedOnce((event) => chunkOf(format.event(event)));

  // One timer for all streams, twice in each heartbeat: no stream is silent for longer than that.
  const heartbeats = setInterval(() => {
    const line = format.heartbeat();
    for (const outlet of fanOut.quiet()) {
      counters.heartbeats++;
      outlet.write(line);
    }
  }, heartbeatMs / 2);

  return {
    open(_request, response, topics, since, opening) {
      counters.handshakes++;
      if (fanOut.outlets.size >= limits.maxSubscribers) {
        counters.refusals++;
        return answerFull(response, 'too-many-subscribers', `${limits.maxSubscribers} streams are open, which is the limit`);
      }
      response.statusCode = 200;
      for (const name in format.headers) response.setHeader(name, format.headers[name]!);
      const outlet = 'stream' in response ? overHttp2(response, plain) : overHttp1(response, chunked, plain);
      // Added before the head goes out: a limit on topics can still be answered with an error.
      fanOut.add(outlet, topics, since, (cursor, reset) => {
        outlet.begin();
        outlet.write(opening(cursor, reset));
      });
      response.once('close', () => fanOut.remove(outlet));
    },
    subscribers: () => fanOut.outlets.size,
    disconnect(share) {
      for (const outlet of drawShare(fanOut.outlets, share, random)) outlet.destroy();
    },
    async close() {
      clearInterval(heartbeats);
      for (const outlet of fanOut.outlets) {
        if (format.farewell !== '') outlet.write(format.farewell);
        outlet.end();
      }
    },
  };
}

function overHttp1(response: ServerResponse, chunked: Framing, plain: Framing): StreamOutlet {
  const socket = response.socket!; // a request that is being answered has one
  // HTTP/1.0 knows no chunks: there the end of the connection ends the response.
  const inChunks = response.req.httpVersionMinor > 0;
  if (!inChunks) response.shouldKeepAlive = false;
  const framed = inChunks ? chunked : plain;
  const write = (text: string) => socket.write(inChunks ? chunkOf(text) : text);
  return {
    begin: () => response.flushHeaders(),
    send: (event) => socket.write(framed(event)),
    write,
    ...connectionOf(socket),
    end: () => response.end(),
  };
}

function overHttp2(response: Http2ServerResponse, plain: Framing): StreamOutlet {
  const { stream } = response;
  return {
    begin: () => response.writeHead(200),
    send: (event) => stream.write(plain(event)),
    write: (text) => stream.write(text),
    ...connectionOf(stream),
    end: () => stream.end(),
  };
}

function connectionOf(connection: Socket | ServerHttp2Stream): Pick<StreamOutlet, 'bufferedBytes' | 'onceDrained' | 'cutOff' | 'destroy'> {
  return {
    bufferedBytes: () => connection.writableLength,
    onceDrained: (callback) => connection.once('drain', callback),
    // Neither SSE nor NDJSON has a word for it, so the reason stays here; the client resumes.
    cutOff: () => connection.destroy(),
    destroy: () => connection.destroy(),
  };
}

function chunkOf(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
