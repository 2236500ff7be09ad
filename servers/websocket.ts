// Serves WebSocket (RFC 6455): an envelope per message, and messages from the client that are acknowledged
// and fanned out. The `ws` library shakes hands, reads frames and closes. Everything else is framed here,
// events once for all clients, and written directly to the socket. The order of both is kept, because `ws`
// writes at once as long as it compresses nothing itself, which it never does (compression is
// websocket-frames.ts).

import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocket, WebSocketServer } from 'ws';
import { aroundBodyBytes } from '../core/event/body-size.ts';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { drawAdviceMs } from '../core/policy/server/drain.ts';
import { decidePing } from '../core/policy/server/heartbeat.ts';
import { announcedMember } from './http/announce.ts';
import { checkIntake, downText, newIntake } from './http/intake.ts';
import { publishExample } from './http/examples.ts';
import { answerError, cursorOf, RequestError, topicsOf } from './http/request.ts';
import { TooManyTopics } from './hub/hub.ts';
import type { PatternContext, PatternServer } from './pattern.ts';
import { keepUsableOffer } from './streams/deflate-offer.ts';
import { createFanOut, type FanOut } from './streams/fan-out.ts';
import { createFraming, type Framing } from './streams/framing.ts';
import { closeCodes, createClientListener } from './streams/websocket-client.ts';
import { deflatedFrame, pingFrame, textFrame } from './streams/websocket-frames.ts';
import { checkHandshake, notAnUpgrade, refuseHandshake, socketPath } from './streams/websocket-handshake.ts';

/** How long a client may take to answer a close. */
const closeMs = 1000;

type Options = PatternOptions<'websocket'>;

export const websocket: PatternServer<Options> = {
  start(context, { deflate, ping }) {
    const { counters, limits, random } = context;
    const intake = newIntake();
    const server = createSocketServer(limits.maxBody, deflate);
    server.on('wsClientError', (error, socket) => {
      counters.errors++;
      refuseHandshake(socket, new RequestError(400, 'bad-handshake', error.message));
    });
    const fanOut = createSocketFanOut(context, ping);
    const accept = createAccept(context, fanOut);
    const fail = (ws: WebSocket) => ws.close(closeCodes.internalError, downText);

    return {
      routes: {
        [`GET ${socketPath}`]: (_request, response) => {
          counters.errors++;
          const { status, code, message, headers } = notAnUpgrade();
          answerError(response, status, code, message, { ...headers, Connection: 'close, Upgrade' });
        },
      },
      upgrade(request, socket, head, url, mayPublish) {
        if (url.pathname === socketPath) counters.handshakes++;
        try {
          checkHandshake(request, url);
          checkIntake({ ...intake, down: false });
          const asked = { topics: topicsOf(url), since: cursorOf(url), mayPublish };
          keepUsableOffer(request);
          server.handleUpgrade(request, socket, head, (ws) => {
            // As behind a proxy that accepts the handshake while the server behind it is down.
            if (intake.down) fail(ws);
            else accept(ws, socket, isDeflated(ws, request), asked);
          });
        } catch (error) {
          if (!(error instanceof RequestError)) throw error;
          if (error.status === 503) counters.refusals++;
          else counters.errors++;
          refuseHandshake(socket, error);
        }
      },
      subscribers: fanOut.size,
      disconnect: fanOut.disconnect,
      drain(plan) {
        intake.draining = true;
        return fanOut.drain(plan, ({ peer, outlet }) => {
          const waitMs = drawAdviceMs(plan, random);
          if (waitMs !== undefined && peer.readyState === WebSocket.OPEN)
            outlet.write(textFrame(`{"socket":"restart","waitMs":${waitMs}}`));
          peer.close(closeCodes.serviceRestart, 'service restart');
        });
      },
      setDown(isDown) {
        intake.down = isDown;
        if (isDown) fanOut.dropAll(({ peer }) => fail(peer));
      },
      close() {
        intake.closing = true;
        return fanOut.end(({ peer }) => peer.close(closeCodes.goingAway, 'the server is going away'));
      },
    };
  },

  examples: ({ deflate }) => [
    {
      what: 'the handshake as HTTP, and then frames as they are (Ctrl-C ends it)',
      command: (url) =>
        "curl -iN --output - -H 'Connection: Upgrade' -H 'Upgrade: websocket' " +
        "-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' " +
        (deflate ? "-H 'Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover' " : '') +
        `'${url}${socketPath}?topics=news'`,
    },
    publishExample,
    {
      what: 'what a request without a handshake is told',
      command: (url) => `curl -i '${url}${socketPath}?topics=news'`,
    },
  ],
};

function createSocketServer(maxBodyBytes: number, deflate: boolean): WebSocketServer {
  const settings = {
    noServer: true,
    clientTracking: false,
    autoPong: false, // a client that pings and does not read must be noticed
    maxPayload: maxBodyBytes + aroundBodyBytes,
    // An accepted subprotocol would be a promise to speak it.
    handleProtocols: (): false => false,
    // So that no compressor and no decompressor outlives its message.
    perMessageDeflate: deflate && { serverNoContextTakeover: true, clientNoContextTakeover: true },
    closeTimeout: closeMs, // the types do not have it yet, hence the constant
  };
  return new WebSocketServer(settings);
}

function createSocketFanOut(context: PatternContext, pingMs: number): FanOut<WebSocket> {
  const { counters } = context;
  return createFanOut<WebSocket>(context, {
    isOpen: ({ peer }) => peer.readyState === WebSocket.OPEN,
    cut: ({ peer }) => peer.close(closeCodes.policy, 'too slow'),
    beatMs: pingMs,
    beat(subscriber) {
      const { peer, outlet, unanswered } = subscriber;
      const isOpen = peer.readyState === WebSocket.OPEN;
      const decision = decidePing(unanswered, isOpen, outlet.writableLength > 0);
      if (decision === 'end') {
        counters.errors++;
        peer.terminate();
        return;
      }
      subscriber.unanswered++; // later turns end a connection that does not finish closing
      if (decision === 'nothing') return;
      counters.heartbeats++;
      outlet.write(pingFrame);
    },
  });
}

type Asked = { topics: readonly string[]; since: string | undefined; mayPublish: boolean };

/** @returns makes a subscriber of a socket whose handshake is done */
function createAccept(
  context: PatternContext,
  fanOut: FanOut<WebSocket>,
): (ws: WebSocket, outlet: Duplex, deflates: boolean, asked: Asked) => void {
  const { counters } = context;
  const listen = createClientListener(context, fanOut.cutOff);
  const announced = announcedMember(context.limits);
  const plain = framingOf(textFrame);
  const deflated = framingOf(deflatedFrame);
  return (ws, outlet, deflates, { topics, since, mayPublish }) => {
    const failed = () => void counters.errors++; // `ws` has closed with the code that the standard gives
    ws.on('error', failed);
    outlet.on('error', failed);
    try {
      const subscriber = fanOut.join({
        peer: ws,
        outlet,
        framing: deflates ? deflated : plain,
        topics,
        since,
        open: (cursor, reset) =>
          void outlet.write(
            textFrame(`{"socket":"open","cursor":"${cursor}"${reset ? ',"reset":true' : ''}${announced}}`),
          ),
      });
      listen(subscriber, mayPublish); // elsewhere, so that nothing of the handshake lives as long as it
    } catch (error) {
      if (!(error instanceof RequestError || error instanceof TooManyTopics)) throw error;
      counters.refusals++;
      ws.close(closeCodes.tryAgainLater, error.code);
    }
  };
}

/** @param frame one message; what goes to one client alone is not compressed */
function framingOf(frame: (json: string) => Buffer): Framing {
  return createFraming(textFrame, (events) => Buffer.concat(events.map(({ json }) => frame(json))));
}

/**
 * Whether events go compressed. To a client that asks for a smaller window than ours messages go as they
 * are, which it must take too.
 */
function isDeflated(ws: WebSocket, { headers }: IncomingMessage): boolean {
  return ws.extensions !== '' && !headers['sec-websocket-extensions']?.includes('server_max_window_bits');
}
