// Serves what WebSocket clients send: publishes their messages and acknowledges them, and answers pings.

import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import { RequestError } from '../http/request.ts';
import type { Place } from '../hub/event.ts';
import { TooManyTopics } from '../hub/hub.ts';
import type { PatternContext } from '../pattern.ts';
import type { Subscriber } from './subscriber.ts';
import { readUpstream, type Upstream } from './upstream.ts';
import { pongFrame, textFrame } from './websocket-frames.ts';

/** RFC 6455, section 7.4.1, and the registry that it began. */
export const closeCodes = {
  goingAway: 1001,
  binary: 1003,
  malformed: 1007,
  policy: 1008,
  internalError: 1011,
  serviceRestart: 1012,
  tryAgainLater: 1013,
} as const;

const foreignPage = 'pages of another origin may read here, but not publish';

export type SocketSubscriber = Subscriber<WebSocket>;

/**
 * @param cutOff ends a subscriber that does not read its answers
 * @returns listens to a subscriber's messages. Without `mayPublish` they are refused.
 */
export function createClientListener(
  { hub, limits, counters }: Pick<PatternContext, 'hub' | 'limits' | 'counters'>,
  cutOff: (subscriber: SocketSubscriber) => void,
): (subscriber: SocketSubscriber, mayPublish: boolean) => void {
  function publish(subscriber: SocketSubscriber, message: Upstream & { kind: 'publish' }): void {
    const { ref, topic, body, stamps } = message;
    const acknowledge = ({ id, seq }: Place): void =>
      answer(subscriber, `{"ack":${ref},"id":"${id}","seq":${seq}}`);
    const fail = (error: unknown): void => {
      if (!(error instanceof TooManyTopics || error instanceof RequestError)) throw error;
      refuse(subscriber, ref, error.message);
    };
    try {
      const published = hub.publish(topic, body, stamps);
      if (published instanceof Promise) void published.then(acknowledge, fail);
      else acknowledge(published);
    } catch (error) {
      fail(error);
    }
  }

  function refuse(subscriber: SocketSubscriber, ref: number, reason: string): void {
    counters.refusals++;
    answer(subscriber, JSON.stringify({ refused: ref, reason }));
  }

  /**
   * An answer to a message cannot be dropped: a client that does not read its answers is cut off under every
   * policy.
   */
  function answer(subscriber: SocketSubscriber, text: string): void {
    const { outlet, peer } = subscriber;
    if (peer.readyState !== WebSocket.OPEN) return; // its own event was one too many for it
    if (outlet.writableLength > limits.slowBuffer && outlet.writableNeedDrain) cutOff(subscriber);
    else outlet.write(textFrame(text));
  }

  function close(ws: WebSocket, code: number, reason: string): void {
    counters.errors++;
    ws.close(code, reason);
  }

  function take(subscriber: SocketSubscriber, text: string, mayPublish: boolean): void {
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
        return refuse(subscriber, message.ref, message.reason);
      case 'publish':
        return mayPublish ? publish(subscriber, message) : refuse(subscriber, message.ref, foreignPage);
    }
  }

  return (subscriber, mayPublish) => {
    const { peer, outlet } = subscriber;
    answerPings(peer, outlet);
    peer.on('pong', () => (subscriber.unanswered = 0));
    peer.on('message', (data, isBinary) => {
      subscriber.unanswered = 0;
      if (peer.readyState !== WebSocket.OPEN) return;
      if (isBinary) close(peer, closeCodes.binary, 'text messages only');
      else take(subscriber, String(data), mayPublish);
    });
  };
}

function answerPings(peer: WebSocket, outlet: Duplex): void {
  /** The answer to the newest ping, while earlier bytes do not leave. */
  let owed: Buffer | undefined;
  const pay = (): void => {
    if (owed && peer.readyState === WebSocket.OPEN) outlet.write(owed);
    owed = undefined;
  };
  // Of several pings that have no answer yet the newest may be answered alone (RFC 6455, section 5.5.3).
  peer.on('ping', (payload) => {
    if (!owed && outlet.writableNeedDrain) outlet.once('drain', pay);
    owed = pongFrame(payload);
    if (!outlet.writableNeedDrain) pay();
  });
}
