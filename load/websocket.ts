// Runs subscribers over WebSocket: what our server's messages mean (docs/wire.md), and the messages that
// subscribers publish. The connection itself is subscribers/sockets.ts.

import { isUtf8 } from 'node:buffer';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { noteAsked, noteWindow } from '../core/policy/client/reconnect.ts';
import { setCursorFromEnvelope, subscriptionQuery } from './subscribers/cursor.ts';
import { readNotice, takeCursor, type Notice } from './subscribers/notices.ts';
import { createSockets } from './subscribers/sockets.ts';
import type { LoadContext, Message, PatternLoad, RunningLoad } from './pattern.ts';
import { areSeveral } from './wire/connection.ts';
import { opcodes } from './wire/frames.ts';
import { pathBelow } from './wire/http-head.ts';
import { ProtocolError } from './wire/protocol-error.ts';

export const websocket: PatternLoad<PatternOptions<'websocket'>> = {
  async start(context, { deflate, fallback, again }) {
    const transport = (given: LoadContext) => startSockets(given, deflate);
    if (fallback.length === 0) return transport(context);
    const { startFallback, transportOf } = await import('./fallback.ts');
    const all = [{ name: 'websocket' as const, start: transport }, ...fallback.map(transportOf)];
    return startFallback(context, all, again);
  },
};

function startSockets(context: LoadContext, deflate: boolean): RunningLoad {
  const { counters, sink } = context;
  const sent = createSentMessages(sink);
  const sockets = createSockets(context, {
    deflate,
    goneForGood: !areSeveral(context.endpoint),
    target: ({ subscriber, cursor }, url) =>
      `${pathBelow(url, '/ws')}?${subscriptionQuery(context.topicsOf(subscriber), cursor)}`,
    message(stream, opcode, bytes, from, to, atUs) {
      if (opcode !== opcodes.text) throw new ProtocolError('ws-message', 'the server sent a binary message');
      if (!isUtf8(bytes.subarray(from, to)))
        throw new ProtocolError('ws-message', 'the server sent a text that is not UTF-8');
      if (bytes[from + 2] === 0x69 /* {"id" */ && sink.event(stream.subscriber, bytes, from, to, atUs)) {
        counters.events++;
        setCursorFromEnvelope(stream.cursor, bytes, from, to);
        return;
      }
      const notice = readNotice(bytes, from, to);
      const ref = notice.ack ?? notice.refused;
      if (typeof ref === 'number') {
        sent.takeAnswer(ref, notice, atUs);
        return;
      }
      if (notice.socket === 'restart') {
        if (typeof notice.waitMs === 'number') noteAsked(stream, notice.waitMs);
        return; // it is closed with 1012 next
      }
      if (notice.socket !== 'open') {
        sink.problem('malformed-event', 'a message is neither an event nor a notice');
        return;
      }
      if (notice.reset === true) {
        counters.resets++;
        sink.reset(stream.subscriber);
      }
      takeCursor(stream.cursor, notice);
      noteWindow(stream, notice.reconnectMs);
      sockets.ready(stream, atUs);
    },
  });
  return {
    ...sockets,
    send(subscriber, message, answered) {
      const stream = sockets.of(subscriber);
      if (!stream?.ready || stream.state.closing) return false;
      sockets.sendText(stream, sent.encode(message, answered));
      return true;
    },
  };
}

type Answered = (seq: number, atUs: number) => void;

/** Messages of this process's subscribers that are under way, by their number. */
function createSentMessages({ problem }: LoadContext['sink']) {
  const unanswered = new Map<number, Answered>();
  let messages = 0;
  return {
    encode({ topic, text, crc, plannedUs, sentUs, seq }: Message, answered: Answered): Buffer {
      unanswered.set(++messages, answered);
      return Buffer.from(
        `{"publish":"${topic}","ref":${messages},"planned":${plannedUs},"sent":${sentUs},` +
          `${seq === undefined ? '' : `"seq":${seq},`}"crc":${crc},"body":${text}}`,
      );
    },
    takeAnswer(ref: number, { seq, refused, reason }: Notice, atUs: number): void {
      const answered = unanswered.get(ref);
      if (!answered || !unanswered.delete(ref))
        problem('ws-answer', 'the server answered a message that was not sent');
      else answered(refused === undefined && typeof seq === 'number' ? seq : 0, atUs);
      if (refused !== undefined)
        problem('message-refused', `the server refused a message: ${String(reason).slice(0, 200)}`);
    },
  };
}
