// WebSocket (RFC 6455): an envelope per message, and messages from the client that are acknowledged
// and fanned out. The `ws` library shakes hands, reads frames and closes. Everything else that is
// sent is framed here, events once for all clients, and written straight to the socket. The two keep
// their order: `ws` writes at once as long as it compresses nothing itself, and it never does
// (compression is websocket-frames.ts).

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { aroundBodyBytes } from '../core/event/body-size.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { createFanOut, type Subscriber } from './streams/fan-out.ts';
import { createFraming, type Framing } from './streams/framing.ts';
import { TooManyTopics } from './hub/hub.ts';
import type { PatternServer } from './pattern.ts';
import { publishExample } from './http/publish.ts';
import { answerError, cursorOf, RequestError, retryAfterS, topicsOf } from './http/request.ts';
import { endWithError } from './http/socket-answer.ts';
import { readUpstream } from './streams/upstream.ts';
import { deflatedFrame, pingFrame, pongFrame, textFrame } from './streams/websocket-frames.ts';

/** RFC 6455, section 7.4.1, and the registry that it began. */
const closeCodes = {
  goingAway: 1001,
  binary: 1003,
  malformed: 1007,
  policy: 1008,
  tryAgainLater: 1013,
} as const;

/** How long a client may take to answer a close. */
const closeMs = 1000;
const mostUnanswered = 2;
const foreignPage = 'pages of another origin may read here, but not publish';

export const websocket: PatternServer<PatternOptions<'websocket'>> = {
  start(context, { deflate, ping }) {
    const { hub, limits, counters } = context;
    let closing = false;
    const plain = createFraming(textFrame, (events) =>
      Buffer.concat(events.map(({ json }) => textFrame(json))),
    );
    const deflated = createFraming(textFrame, (events) =>
      Buffer.concat(events.map(({ json }) => deflatedFrame(json))),
    );

    const settings = {
      noServer: true,
      clientTracking: false,
      autoPong: false, // a client that pings and does not read must be noticed
      maxPayload: limits.maxBody + aroundBodyBytes,
      // An accepted subprotocol would be a promise to speak it.
      handleProtocols: (): false => false,
      // So that no compressor and no decompressor outlives its message.
      perMessageDeflate: deflate && { serverNoContextTakeover: true, clientNoContextTakeover: true },
      closeTimeout: closeMs, // the types do not have it yet, hence the constant
    };
    const server = new WebSocketServer(settings);
    server.on('wsClientError', (error, socket) => {
      counters.errors++;
      refuse(socket, new RequestError(400, 'bad-handshake', error.message));
    });

    const fanOut = createFanOut<WebSocket>(context, {
      isOpen: ({ peer }) => peer.readyState === WebSocket.OPEN,
      cut: ({ peer }) => peer.close(closeCodes.policy, 'too slow'),
      beatMs: ping,
      beat(subscriber) {
        const { peer, outlet, unanswered } = subscriber;
        if (unanswered === mostUnanswered) {
          counters.errors++;
          peer.terminate();
        } else if (peer.readyState === WebSocket.OPEN) {
          subscriber.unanswered++;
          if (outlet.writableLength > 0) return; // it would wait behind what is there
          counters.heartbeats++;
          outlet.write(pingFrame);
        } else {
          subscriber.unanswered++; // it is closing; if it does not come to an end, the next rounds end it
        }
      },
    });

    function accept(
      ws: WebSocket,
      outlet: Duplex,
      framing: Framing,
      topics: readonly string[],
      since: string | undefined,
      mayPublish: boolean,
    ): void {
      const failed = () => void counters.errors++; // `ws` has closed with the code that the standard gives
      ws.on('error', failed);
      outlet.on('error', failed);
      try {
        const subscriber = fanOut.join({
          peer: ws,
          outlet,
          framing,
          topics,
          since,
          open: (cursor, reset) =>
            void outlet.write(
              textFrame(`{"socket":"open","cursor":"${cursor}"${reset ? ',"reset":true' : ''}}`),
            ),
        });
        attend(subscriber, mayPublish);
      } catch (error) {
        if (!(error instanceof RequestError || error instanceof TooManyTopics)) throw error;
        counters.refusals++;
        ws.close(closeCodes.tryAgainLater, error.code);
      }
    }

    // In a function of its own, so that nothing of the handshake lives as long as the listeners.
    function attend(subscriber: Subscriber<WebSocket>, mayPublish: boolean): void {
      const { peer, outlet } = subscriber;
      /** The answer to the newest ping, while what was written before does not leave. */
      let owed: Buffer | undefined;
      const pay = (): void => {
        if (owed && peer.readyState === WebSocket.OPEN) outlet.write(owed);
        owed = undefined;
      };
      peer.on('pong', () => (subscriber.unanswered = 0));
      // Of several pings that have no answer yet the newest may be answered alone (RFC 6455, section 5.5.3).
      peer.on('ping', (payload) => {
        if (!owed && outlet.writableNeedDrain) outlet.once('drain', pay);
        owed = pongFrame(payload);
        if (!outlet.writableNeedDrain) pay();
      });
      peer.on('message', (data, isBinary) => {
        subscriber.unanswered = 0;
        if (peer.readyState !== WebSocket.OPEN) return;
        if (isBinary) close(peer, closeCodes.binary, 'text messages only');
        else take(subscriber, String(data), mayPublish);
      });
    }

    function take(subscriber: Subscriber<WebSocket>, text: string, mayPublish: boolean): void {
      counters.upstreamMessages++;
      const message = readUpstream(text, limits.maxBody);
      switch (message.kind) {
        case 'malformed':
          return close(subscriber.peer, closeCodes.malformed, 'not JSON');
        case 'unknown':
          return close(
            subscriber.peer,
            closeCodes.policy,
            'not a message of the form {"publish":"topic","ref":1,"body":...}',
          );
        case 'refused':
          return refuseMessage(subscriber, message.ref, message.reason);
        case 'publish':
          if (!mayPublish) return refuseMessage(subscriber, message.ref, foreignPage);
          try {
            const { id, seq } = hub.publish(message.topic, message.body, message.stamps);
            answer(subscriber, `{"ack":${message.ref},"id":"${id}","seq":${seq}}`);
          } catch (error) {
            if (!(error instanceof TooManyTopics)) throw error;
            refuseMessage(subscriber, message.ref, error.message);
          }
      }
    }

    function refuseMessage(subscriber: Subscriber<WebSocket>, ref: number, reason: string): void {
      counters.refusals++;
      answer(subscriber, JSON.stringify({ refused: ref, reason }));
    }

    /**
     * An answer to a message cannot be dropped: who does not read his answers is cut off whatever the policy.
     */
    function answer(subscriber: Subscriber<WebSocket>, text: string): void {
      const { outlet, peer } = subscriber;
      if (peer.readyState !== WebSocket.OPEN) return; // its own event was one too many for it
      if (outlet.writableLength > limits.slowBuffer && outlet.writableNeedDrain) fanOut.cutOff(subscriber);
      else outlet.write(textFrame(text));
    }

    function close(ws: WebSocket, code: number, reason: string): void {
      counters.errors++;
      ws.close(code, reason);
    }

    function check(request: IncomingMessage, url: URL): void {
      if (url.pathname !== path)
        throw new RequestError(
          404,
          'not-found',
          `there is no socket at ${url.pathname.slice(0, 100)}, but at ${path}`,
        );
      if (request.headers.upgrade?.toLowerCase() !== 'websocket') throw notAnUpgrade();
      // `ws` would speak version 8 too, whose origin is in another header.
      if (request.headers['sec-websocket-version'] !== '13')
        throw new RequestError(426, 'websocket-version', 'the server speaks version 13 (RFC 6455)');
      if (closing) throw new RequestError(503, 'closing', 'the server is closing');
    }

    return {
      routes: {
        [`GET ${path}`]: (_request, response) => {
          counters.errors++;
          const { status, code, message } = notAnUpgrade();
          answerError(response, status, code, message, { upgrade: 'websocket' });
        },
      },
      upgrade(request, socket, head, url, mayPublish) {
        if (url.pathname === path) counters.handshakes++;
        try {
          check(request, url);
          const topics = topicsOf(url);
          const since = cursorOf(url);
          // To a client that asks for a smaller window than ours messages go as they
          // are, which it must take too.
          const smallWindow = request.headers['sec-websocket-extensions']?.includes('server_max_window_bits');
          server.handleUpgrade(request, socket, head, (ws) => {
            accept(
              ws,
              socket,
              ws.extensions === '' || smallWindow ? plain : deflated,
              topics,
              since,
              mayPublish,
            );
          });
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          if (error.status === 503) counters.refusals++;
          else counters.errors++;
          refuse(socket, error);
        }
      },
      subscribers: fanOut.size,
      disconnect: fanOut.disconnect,
      close() {
        closing = true;
        return fanOut.end(({ peer }) => peer.close(closeCodes.goingAway, 'the server is going away'));
      },
    };
  },

  examples: [
    {
      what: 'follow a topic',
      command: (url) =>
        `node -e "new WebSocket('${socketUrl(url)}?topics=news').onmessage = (event) => ` +
        'console.log(event.data)"',
    },
    publishExample,
    {
      what: 'publish over the socket and see the acknowledgement',
      command: (url) =>
        `node -e "const s = new WebSocket('${socketUrl(url)}?topics=news'); s.onmessage = (event) => ` +
        'console.log(event.data); s.onopen = () => s.send(JSON.stringify({ ' +
        `publish: 'news', ref: 1, body: 'hello' }))"`,
    },
    {
      what: 'the handshake as HTTP, and then frames as they are (Ctrl-C ends it)',
      command: (url) =>
        "curl -iN -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H " +
        `'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' '${url}${path}?topics=news'`,
    },
  ],
};

const path = '/ws';

function notAnUpgrade(): RequestError {
  return new RequestError(
    426,
    'upgrade-required',
    'this path takes WebSocket handshakes: Connection: Upgrade, Upgrade: websocket',
  );
}

function socketUrl(url: string): string {
  return `${url.replace(/^http/, 'ws')}${path}`;
}

/** Answers a handshake that fails, in HTTP still. */
function refuse(socket: Duplex, error: RequestError): void {
  const { status } = error;
  const fields =
    status === 426
      ? ['Upgrade: websocket', 'Sec-WebSocket-Version: 13']
      : status === 503
        ? [`Retry-After: ${retryAfterS}`]
        : [];
  endWithError(socket, error, fields);
}
