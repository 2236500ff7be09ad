// Describes what a client of each pattern hears as it joins, is let go or is refused, and what its policy is
// told of it. It follows load/websocket.ts, load/sse.ts and load/http-stream.ts beside their servers.

import {
  noteAsked,
  noteHandshake,
  noteReconnectionTime,
  noteRefusal,
  noteSuccess,
  noteWindow,
  type Comeback,
  type ReconnectPolicy,
} from '../../core/policy/client/reconnect.ts';
import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import { retryAfterS } from '../../core/policy/server/refuse.ts';
import { returnMs } from '../../core/policy/server/goodbye.ts';

/** Why a server takes nobody. */
export type Refusing = 'draining' | 'closing' | 'down';

export type PatternRules = {
  /** It is subscribed. */
  joined(client: Comeback, nowMs: number): void;
  /** It is let go by a server that is drained. @param adviceMs the wait that it is advised, where it is */
  letGo(client: Comeback, adviceMs: number | undefined): void;
  /** It was refused. @returns `stays away` where it is told not to come back */
  refused(client: Comeback, why: Refusing, nowMs: number, adviceMs: number | undefined): void | 'stays away';
  /** A server that closes for good tells it so, and it does not come back. */
  goneForGood: boolean;
  /** How long a server that closes goes on answering its clients, at most. */
  lingersMs: number;
};

const serviceUnavailable = 503;

/**
 * @param announceMs the window that servers announce; 0 for none
 * @param several whether what one server says for good speaks for that server alone
 */
export function rulesOf(
  { pattern, options }: Variant,
  policy: ReconnectPolicy,
  announceMs: number,
  several: boolean,
): PatternRules {
  if (pattern === 'sse') return ofSse((options as PatternOptions<'sse'>).retry, announceMs, several);
  const isSocket = pattern === 'websocket';
  return {
    joined(client, nowMs) {
      if (isSocket) noteHandshake(client, policy, nowMs);
      noteWindow(client, announceMs);
      noteSuccess(client, nowMs);
    },
    letGo(client, adviceMs) {
      if (adviceMs !== undefined) noteAsked(client, adviceMs);
    },
    refused(client, why, nowMs) {
      // A WebSocket is refused after the handshake where what it is served from is down.
      if (isSocket && why === 'down') noteHandshake(client, policy, nowMs);
      else unavailable(client);
    },
    goneForGood: isSocket && !several,
    lingersMs: 0,
  };
}

/** Streams of events name their reconnection time, and refuse with a stream that ends. */
function ofSse(retryMs: number, announceMs: number, several: boolean): PatternRules {
  return {
    joined(client, nowMs) {
      noteSuccess(client, nowMs);
      noteReconnectionTime(client, retryMs);
      if (announceMs > 0) noteWindow(client, announceMs);
    },
    letGo: (client, adviceMs) => noteReconnectionTime(client, adviceMs ?? retryMs),
    refused(client, why, _nowMs, adviceMs) {
      if (why === 'down') return unavailable(client);
      if (why === 'closing') return several ? undefined : 'stays away';
      noteAsked(client, retryAfterS * 1000);
      return noteReconnectionTime(client, adviceMs ?? retryMs);
    },
    goneForGood: false,
    lingersMs: returnMs(retryMs),
  };
}

function unavailable(client: Comeback): void {
  noteRefusal(client, serviceUnavailable);
  noteAsked(client, retryAfterS * 1000);
}
