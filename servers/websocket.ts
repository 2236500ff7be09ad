// WebSocket (RFC 6455) on the `ws` library: each event is one text message; clients may publish over the same
// connection and get an acknowledgement. What this file adds to `ws` is the subscription, its resume, liveness,
// the origin check and a framing that is done once for all subscribers.

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { z } from 'zod';
import { topicPattern } from '../core/envelope.ts';
import { messageOf } from '../core/errors.ts';
import type { PatternOptions } from '../core/patterns.ts';
import { createFanOut, framedOnce, type FanOut, type Outlet } from './fan-out.ts';
import { TooManyTopics, type HubEvent } from './hub.ts';
import type { PatternContext, PatternServer } from './pattern.ts';
import { publishExample } from './publish.ts';
import { cursorOf, drawShare, RequestError, topicsOf } from './request.ts';

/** RFC 6455, section 7.4.1, and the IANA registry (1013). */
const closeCodes = { goingAway: 1001, unsupportedData: 1003, invalidPayload: 1007, policy: 1008, tryAgainLater: 1013 } as const;

/** How long a peer may take over its half of the closing handshake. */
const closeGraceMs = 1000;
/** A message is an event's body and a few fields around it. */
const messageSlackBytes = 4096;

/** Compression without memory of earlier messages: a context would cost each connection some hundred kilobytes. */
const deflateOptions = { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 64, concurrencyLimit: 10 };

const upstream = z.strictObject({ publish: z.string().regex(topicPattern), ref: z.int().min(0), body: z.json() });

type Connection = Outlet & { socket: WebSocket; alive: boolean };

export const websocket: PatternServer<PatternOptions<'websocket'>> = {
  start(context, options) {
    const { limits, counters, random } = context;
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: limits.maxBody + messageSlackBytes,
      perMessageDeflate: options.deflate ? deflateOptions : false,
    });
    const fanOut: FanOut<Connection> = createFanOut(context);
    const connections = new Set<Connection>();
    const framed = framedOnce(({ json }) => textFrame(json));

    // Every connection that has not answered the last ping is cut off at the next but one.
    const pings = setInterval(() => {
      for (const connection of connections) {
        if (!connection.alive) {
          connection.socket.terminate();
          continue;
        }
        connection.alive = false;
        counters.heartbeats++;
        connection.socket.ping();
      }
    }, options.ping);

    function accept(socket: WebSocket, stream: Duplex, topics: string[], since: string | undefined): void {
      const connection = connectionOf(socket, stream, options.deflate ? undefined : framed);
      connections.add(connection);
      socket.on('pong', () => (connection.alive = true));
      // A malformed frame: ws has the right close code for it and sends it.
      socket.on('error', () => counters.errors++);
      socket.on('message', (data, isBinary) => receive(context, connection, data, isBinary));
      socket.on('close', () => {
        connections.delete(connection);
        fanOut.remove(connection);
      });
      if (connections.size > limits.maxSubscribers) {
        counters.refusals++;
        close(socket, closeCodes.tryAgainLater, 'too many subscribers');
        return;
      }
      try {
        fanOut.add(connection, topics, since, (cursor, reset) => {
          socket.send(JSON.stringify({ socket: 'open', cursor, ...(reset ? { reset } : {}) }));
        });
      } catch (error) {
        if (!(error instanceof TooManyTopics)) throw error;
        counters.refusals++;
        close(socket, closeCodes.tryAgainLater, 'too many topics');
      }
    }

    return {
      routes: {
        // Without an upgrade this is no place to be (RFC 9110, section 15.5.22).
        'GET /ws': () => {
          throw new RequestError(426, 'upgrade-required', 'this is a WebSocket endpoint: ask for an upgrade');
        },
      },
      upgrade(request, stream, head, url) {
        counters.handshakes++;
        try {
          if (url.pathname !== '/ws') throw new RequestError(404, 'no-such-path', 'the WebSocket endpoint is /ws');
          checkOrigin(request);
          const topics = topicsOf(url);
          const since = cursorOf(url);
          server.handleUpgrade(request, stream, head, (socket) => accept(socket, stream, topics, since));
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          counters.refusals++;
          refuse(stream, error);
        }
      },
      subscribers: () => fanOut.outlets.size,
      disconnect(share) {
        for (const { socket } of drawShare(connections, share, random)) socket.terminate();
      },
      async close() {
        clearInterval(pings);
        const closed = Array.from(connections, ({ socket }) => new Promise((resolve) => socket.once('close', resolve)));
        for (const { socket } of connections) close(socket, closeCodes.goingAway, 'the server is going away');
        await Promise.all(closed);
      },
    };
  },

  examples: [
    { what: 'subscribe (npx wscat, or any WebSocket client)', command: (url) => `npx wscat --connect '${url.replace('http', 'ws')}/ws?topics=news'` },
    publishExample,
    { what: 'publish over the connection: type this into wscat', command: () => `{"publish":"news","ref":1,"body":{"hello":"all"}}` },
    {
      what: 'the handshake with curl (the frames that follow are binary)',
      command: (url) => `curl -iN -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' '${url}/ws?topics=news' --output -`,
    },
  ],
};

/** @param framed one frame for all; undefined when each connection compresses for itself */
function connectionOf(socket: WebSocket, stream: Duplex, framed: ((event: HubEvent) => Buffer) | undefined): Connection {
  return {
    socket,
    alive: true,
    send(event) {
      if (socket.readyState !== socket.OPEN) return;
      // Without compression ws writes each frame whole and at once, so whole frames may go between its own.
      if (framed) stream.write(framed(event));
      else socket.send(event.json);
    },
    bufferedBytes: () => Math.max(stream.writableLength, socket.bufferedAmount),
    onceDrained: (callback) => stream.once('drain', callback),
    cutOff: (reason) => close(socket, closeCodes.policy, reason),
  };
}

function receive({ hub, counters }: PatternContext, { socket }: Connection, data: RawData, isBinary: boolean): void {
  counters.upstreamMessages++;
  if (isBinary) return close(socket, closeCodes.unsupportedData, 'text messages only');
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return close(socket, closeCodes.invalidPayload, 'not JSON');
  }
  const message = upstream.safeParse(value);
  if (!message.success) return close(socket, closeCodes.policy, 'write {"publish":"topic","ref":1,"body":...}');
  const { publish, ref, body } = message.data;
  try {
    const { id, seq } = hub.publish(publish, JSON.stringify(body), {});
    socket.send(JSON.stringify({ ack: ref, id, seq }));
  } catch (error) {
    if (!(error instanceof TooManyTopics)) throw error;
    counters.refusals++;
    socket.send(JSON.stringify({ refused: ref, reason: messageOf(error) }));
  }
}

/** Browsers tell where a page came from; pages of other hosts are kept out. Other clients send no origin. */
function checkOrigin({ headers: { origin } }: IncomingMessage): void {
  if (origin === undefined) return;
  const host = URL.canParse(origin) ? new URL(origin).hostname : '';
  if (host === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)) return;
  throw new RequestError(403, 'origin', `pages from ${origin.slice(0, 100)} may not connect, only those of this host`);
}

function refuse(stream: Duplex, { status, code, message }: RequestError): void {
  const reasons: Record<number, string> = { 400: 'Bad Request', 403: 'Forbidden', 404: 'Not Found' };
  const body = `${JSON.stringify({ error: code, message })}\n`;
  stream.end(
    `HTTP/1.1 ${status} ${reasons[status] ?? 'Refused'}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** The closing handshake, with an end to the waiting for the peer's half of it. */
function close(socket: WebSocket, code: number, reason: string): void {
  socket.close(code, reason);
  const timer = setTimeout(() => socket.terminate(), closeGraceMs);
  socket.once('close', () => clearTimeout(timer));
}

/** A server's text message in one unmasked frame (RFC 6455, section 5.2). */
function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text);
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(headBytes + length);
  frame[0] = 0x81; // the last (and only) fragment, text
  if (headBytes === 2) {
    frame[1] = length;
  } else if (headBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  frame.write(text, headBytes);
  return frame;
}
