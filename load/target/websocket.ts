// Runs subscribers of a target over WebSocket. What our own server says besides events (docs/wire.md) does
// not exist here: a subscriber is subscribed when it was upgraded and has sent what the target file says to
// send.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import type { RunningLoad } from '../pattern.ts';
import { createSockets } from '../subscribers/sockets.ts';
import { createLegs, type TargetContext } from './legs.ts';

export function targetWebsocket(
  target: TargetContext,
  how: TargetSubscribe,
  { deflate }: Pick<PatternOptions<'websocket'>, 'deflate'>,
): RunningLoad {
  const legs = createLegs(target, how);
  const sockets = createSockets(legs.context, {
    deflate,
    protocol: how.protocol,
    headers: how.headers,
    goneForGood: false,
    target: ({ subscriber: leg }) => legs.target(leg),
    upgraded(stream, atUs) {
      for (const message of legs.messages(stream.subscriber)) sockets.sendText(stream, Buffer.from(message));
      sockets.ready(stream, atUs);
    },
    // Text or binary alike: some systems send JSON in binary messages.
    message({ subscriber: leg }, _opcode, bytes, from, to, atUs) {
      if (legs.deliver(leg, bytes, from, to, atUs) === 0) legs.context.counters.heartbeats++;
    },
  });
  return legs.forSubscribers(sockets);
}
