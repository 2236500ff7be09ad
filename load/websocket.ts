// Runs subscribers over WebSocket (RFC 6455): messages in, pongs and the closing handshake out. Frames are
// wire/frames.ts, compression (RFC 7692) is wire/inflate.ts.

import { isUtf8 } from 'node:buffer';
import type { PatternOptions } from '../core/pattern/registry.ts';
import { setCursorFromEnvelope, subscriptionQuery } from './subscribers/cursor.ts';
import {
  encodeFrame,
  newFrameReader,
  opcodes,
  readFrames,
  type FrameParts,
  type FrameReader,
} from './wire/frames.ts';
import {
  encodeRequest,
  newResponseReader,
  pathBelow,
  readResponse,
  type ResponseParts,
  type ResponseReader,
} from './wire/http-head.ts';
import { inflateMessage, newInflater, type Inflater } from './wire/inflate.ts';
import type { LoadContext, Message, PatternLoad } from './pattern.ts';
import { checkUpgrade, newUpgradeKey, upgradeHeaders } from './wire/upgrade.ts';
import { ProtocolError } from './wire/protocol-error.ts';
import { longestAskedMs, noteAsked } from '../core/policy/client/reconnect.ts';
import { readNotice, takeCursor, type Notice } from './subscribers/notices.ts';
import { createStreams, type Stream } from './subscribers/streams.ts';

type State = {
  /** Until the upgrade. */
  handshake: { response: ResponseReader; key: string } | undefined;
  frames: FrameReader;
  inflater: Inflater | undefined;
  /** A close frame was sent; the server's may be the answer to it. */
  closing: boolean;
};
type Owner = Stream<State>;

const leaving = 1001;
const noCode = 1005;
/** Closes that are nothing to report (docs/wire.md: 1012 is a restart). */
const orderly = new Set([1000, noCode, 1012]);
const goneForGood = 1001;
const tryAgainLater = 1013;

export const websocket: PatternLoad<PatternOptions<'websocket'>> = {
  start(context: LoadContext, { deflate }) {
    const { counters, sink, random, reconnect } = context;
    const url = new URL(context.endpoint.url);
    const path = pathBelow(url, '/ws');
    // Masks protect proxies from scripts in browsers (section 10.3); here any number will do.
    const frame = (opcode: number, payload: Uint8Array) => encodeFrame(opcode, payload, random() * 2 ** 32);
    const closeFrame = (code: number) => frame(opcodes.close, Uint8Array.of(code >> 8, code & 0xff));

    const frames: FrameParts<Owner> = {
      message(stream, opcode, compressed, bytes, from, to, atUs) {
        if (opcode !== opcodes.text)
          throw new ProtocolError('ws-message', 'the server sent a binary message');
        if (compressed) {
          // RSV1 passes only where it was agreed on.
          const text = inflateMessage(stream.state.inflater!, bytes, from, to);
          takeText(stream, text, 0, text.length, atUs);
        } else {
          takeText(stream, bytes, from, to, atUs);
        }
      },
      ping(stream, bytes, from, to) {
        counters.heartbeats++;
        if (!stream.state.closing) streams.write(stream, frame(opcodes.pong, bytes.subarray(from, to)));
      },
      close(stream, code) {
        if (stream.state.closing) return;
        if (!orderly.has(code))
          sink.problem('ws-closed', `the server closed the connection with code ${code}`);
        if (code === tryAgainLater) noteAsked(stream, Math.min(reconnect.cap, longestAskedMs));
        stream.state.closing = true;
        streams.write(stream, closeFrame(code === noCode ? 1000 : code));
        if (code === goneForGood) streams.stop(stream);
        else streams.hangUp(stream);
      },
    };

    function takeText(stream: Owner, bytes: Buffer, from: number, to: number, atUs: number): void {
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
      if (notice.socket !== 'open') {
        sink.problem('malformed-event', 'a message is neither an event nor a notice');
        return;
      }
      if (notice.reset === true) counters.resets++;
      takeCursor(stream.cursor, notice);
      streams.ready(stream, atUs);
    }

    const sent = createSentMessages(sink);

    const response: ResponseParts<Owner> = {
      head(stream, head) {
        const { state } = stream;
        checkUpgrade(stream, head, state.handshake!.key); // set when it was sent
        const extension = head.headers.get('sec-websocket-extensions');
        if (extension !== undefined) {
          state.inflater = newInflater(extension, deflate);
          state.frames.deflate = true;
        }
        state.handshake = undefined;
      },
      body() {},
      end() {},
    };

    const streams = createStreams<State>(context, {
      newState: () => ({
        handshake: undefined,
        frames: newFrameReader(),
        inflater: undefined,
        closing: false,
      }),
      request(stream) {
        const key = newUpgradeKey();
        stream.state.handshake = { response: newResponseReader(), key };
        const query = subscriptionQuery(context.topicsOf(stream.subscriber), stream.cursor);
        return encodeRequest(url, `${path}?${query}`, upgradeHeaders(key, { deflate }));
      },
      read(stream, bytes, to, atUs) {
        const { handshake, frames: reader } = stream.state;
        const at = handshake ? readResponse(handshake.response, bytes, 0, to, atUs, response, stream) : 0;
        readFrames(reader, bytes, at, to, atUs, frames, stream);
      },
      goodbye(stream) {
        if (!stream.ready || stream.state.closing) return undefined;
        stream.state.closing = true;
        return closeFrame(leaving);
      },
    });
    return {
      ...streams,
      send(subscriber, message, answered) {
        const stream = streams.of(subscriber);
        if (!stream?.ready || stream.state.closing) return false;
        counters.upstreamMessages++;
        streams.write(stream, frame(opcodes.text, sent.encode(message, answered)));
        return true;
      },
    };
  },
};

type Answered = (seq: number, atUs: number) => void;

/** Messages of this process's subscribers that are under way, by their number. */
function createSentMessages({ problem }: LoadContext['sink']) {
  const unanswered = new Map<number, Answered>();
  let messages = 0;
  return {
    encode({ topic, text, crc, plannedUs, sentUs }: Message, answered: Answered): Buffer {
      unanswered.set(++messages, answered);
      return Buffer.from(
        `{"publish":"${topic}","ref":${messages},"planned":${plannedUs},"sent":${sentUs},` +
          `"crc":${crc},"body":${text}}`,
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
