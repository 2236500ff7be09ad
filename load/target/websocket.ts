// Runs subscribers of a target over WebSocket (RFC 6455). What our own server says besides events
// (docs/wire.md) does not exist here: a subscriber is subscribed when it was upgraded and has sent what the
// target file says to send.

import type { PatternOptions } from '../../core/pattern/registry.ts';
import type { TargetSubscribe } from '../../core/target/access.ts';
import {
  encodeFrame,
  newFrameReader,
  opcodes,
  readFrames,
  type FrameParts,
  type FrameReader,
} from '../wire/frames.ts';
import {
  encodeRequest,
  newResponseReader,
  readResponse,
  type ResponseParts,
  type ResponseReader,
} from '../wire/http-head.ts';
import { inflateMessage, newInflater, type Inflater } from '../wire/inflate.ts';
import type { RunningLoad } from '../pattern.ts';
import { createStreams, type Stream } from '../subscribers/streams.ts';
import { createLegs, type TargetContext } from './legs.ts';
import { checkUpgrade, newUpgradeKey, upgradeHeaders } from '../wire/upgrade.ts';

type State = {
  handshake: { response: ResponseReader; key: string } | undefined;
  frames: FrameReader;
  inflater: Inflater | undefined;
  closing: boolean;
};
type Owner = Stream<State>;

const normal = 1000;
const noCode = 1005;

export function targetWebsocket(
  target: TargetContext,
  how: TargetSubscribe,
  { deflate }: Pick<PatternOptions<'websocket'>, 'deflate'>,
): RunningLoad {
  const legs = createLegs(target, how);
  const { counters, sink, random } = legs.context;
  const url = new URL(legs.context.endpoint.url);
  const frame = (opcode: number, payload: Uint8Array) => encodeFrame(opcode, payload, random() * 2 ** 32);
  const closeFrame = (code: number) => frame(opcodes.close, Uint8Array.of(code >> 8, code & 0xff));

  const frames: FrameParts<Owner> = {
    message(stream, _opcode, compressed, bytes, from, to, atUs) {
      // Text or binary alike: some systems send JSON in binary messages.
      // RSV1 passes only where it was agreed on.
      const text = compressed ? inflateMessage(stream.state.inflater!, bytes, from, to) : undefined;
      const found = text
        ? legs.deliver(stream.subscriber, text, 0, text.length, atUs)
        : legs.deliver(stream.subscriber, bytes, from, to, atUs);
      if (found === 0) counters.heartbeats++;
    },
    ping(stream, bytes, from, to) {
      counters.heartbeats++;
      if (!stream.state.closing) streams.write(stream, frame(opcodes.pong, bytes.subarray(from, to)));
    },
    close(stream, code) {
      if (stream.state.closing) return;
      if (code !== normal && code !== noCode)
        sink.problem('ws-closed', `the server closed the connection with code ${code}`);
      stream.state.closing = true;
      streams.write(stream, closeFrame(code === noCode ? normal : code));
      streams.hangUp(stream);
    },
  };

  const response: ResponseParts<Owner> = {
    head(stream, head, atUs) {
      const { state, subscriber } = stream;
      checkUpgrade(stream, head, state.handshake!.key, how.protocol); // set when it was sent
      const extension = head.headers.get('sec-websocket-extensions');
      if (extension !== undefined) {
        state.inflater = newInflater(extension, deflate);
        state.frames.deflate = true;
      }
      state.handshake = undefined;
      for (const message of legs.messages(subscriber)) {
        counters.upstreamMessages++;
        streams.write(stream, frame(opcodes.text, Buffer.from(message)));
      }
      streams.ready(stream, atUs);
    },
    body() {},
    end() {},
  };

  const streams = createStreams<State>(legs.context, {
    newState: () => ({ handshake: undefined, frames: newFrameReader(), inflater: undefined, closing: false }),
    request(stream) {
      const key = newUpgradeKey();
      stream.state.handshake = { response: newResponseReader(), key };
      return encodeRequest(url, legs.target(stream.subscriber), {
        ...upgradeHeaders(key, { deflate, protocol: how.protocol }),
        ...how.headers,
      });
    },
    read(stream, bytes, to, atUs) {
      const { handshake, frames: reader } = stream.state;
      const at = handshake ? readResponse(handshake.response, bytes, 0, to, atUs, response, stream) : 0;
      readFrames(reader, bytes, at, to, atUs, frames, stream);
    },
    goodbye(stream) {
      if (!stream.ready || stream.state.closing) return undefined;
      stream.state.closing = true;
      return closeFrame(normal);
    },
  });
  return legs.forSubscribers(streams);
}
