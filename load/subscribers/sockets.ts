// Runs what the WebSocket subscribers of our servers and of targets share (RFC 6455): the handshake, messages
// in, pongs and the closing handshake out. Frames are wire/frames.ts, compression (RFC 7692) is
// wire/inflate.ts; what a client does after a close is core/policy/client/close-codes.ts.

import { leavingCode, readClose } from '../../core/policy/client/close-codes.ts';
import { noteAsked, noteHandshake } from '../../core/policy/client/reconnect.ts';
import type { LoadContext } from '../pattern.ts';
import { cookieHeader, takeCookies } from '../wire/cookies.ts';
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
import { checkUpgrade, newUpgradeKey, upgradeHeaders } from '../wire/upgrade.ts';
import { createStreams, type Stream, type Streams } from './streams.ts';
import { tokenFields } from './token.ts';

type State = {
  /** Until the upgrade. */
  handshake: { response: ResponseReader; key: string } | undefined;
  frames: FrameReader;
  inflater: Inflater | undefined;
  /** A close frame was sent; the server's may be the answer to it. */
  closing: boolean;
};

/** One subscriber. */
export type SocketStream = Stream<State>;

export type SocketKind = {
  /** Offers compression. */
  deflate: boolean;
  /** The subprotocol to offer. */
  protocol?: string | undefined;
  /** Fields of the handshake besides those of every WebSocket. */
  headers?: Readonly<Record<string, string>>;
  /** Whether close code 1001 is the end. */
  goneForGood: boolean;
  /** Path and query of the handshake with the server at `url`. */
  target(stream: SocketStream, url: URL): string;
  /** The handshake is done. */
  upgraded?(stream: SocketStream, atUs: number): void;
  /** A whole message, inflated: bytes `from`..`to`, valid during the call only. */
  message(stream: SocketStream, opcode: number, bytes: Buffer, from: number, to: number, atUs: number): void;
};

export type Sockets = Streams<State> & {
  /** Sends a text message to a server that has upgraded the connection and not closed it. */
  sendText(stream: SocketStream, text: Buffer): void;
};

export function createSockets(context: LoadContext, kind: SocketKind): Sockets {
  const { counters, sink, random, reconnect } = context;
  const { deflate, protocol, headers, goneForGood } = kind;
  const fieldsOf = tokenFields(context.endpoint);
  // Masks protect proxies from scripts in browsers (section 10.3); here any number will do.
  const frame = (opcode: number, payload: Uint8Array) => encodeFrame(opcode, payload, random() * 2 ** 32);
  const closeFrame = (code: number) => frame(opcodes.close, Uint8Array.of(code >> 8, code & 0xff));

  const frames: FrameParts<SocketStream> = {
    message(stream, opcode, compressed, bytes, from, to, atUs) {
      if (!compressed) {
        kind.message(stream, opcode, bytes, from, to, atUs);
        return;
      }
      // RSV1 passes only where it was agreed on.
      const text = inflateMessage(stream.state.inflater!, bytes, from, to);
      kind.message(stream, opcode, text, 0, text.length, atUs);
    },
    ping(stream, bytes, from, to) {
      counters.heartbeats++;
      if (!stream.state.closing) streams.write(stream, frame(opcodes.pong, bytes.subarray(from, to)));
    },
    close(stream, code) {
      if (stream.state.closing) return;
      const { answer, orderly, comesBack, leastMs } = readClose(code, reconnect, goneForGood);
      if (!orderly) sink.problem('ws-closed', `the server closed the connection with code ${code}`);
      noteAsked(stream, leastMs);
      stream.state.closing = true;
      streams.write(stream, closeFrame(answer));
      if (comesBack) streams.hangUp(stream);
      else streams.stop(stream);
    },
  };

  const response: ResponseParts<SocketStream> = {
    head(stream, head, atUs) {
      const { state } = stream;
      stream.cookies = takeCookies(stream.cookies, head.headers.get('set-cookie'));
      checkUpgrade(stream, head, state.handshake!.key, protocol); // set when it was sent
      const extension = head.headers.get('sec-websocket-extensions');
      if (extension !== undefined) {
        state.inflater = newInflater(extension, deflate);
        state.frames.deflate = true;
        counters.compressed++;
      }
      state.handshake = undefined;
      noteHandshake(stream, reconnect, performance.now());
      kind.upgraded?.(stream, atUs);
    },
    body() {},
    end() {},
  };

  const streams = createStreams<State>(context, {
    newState: () => ({ handshake: undefined, frames: newFrameReader(), inflater: undefined, closing: false }),
    request(stream, url) {
      const key = newUpgradeKey();
      stream.state.handshake = { response: newResponseReader(), key };
      return encodeRequest(url, kind.target(stream, url), {
        ...upgradeHeaders(key, { deflate, protocol }),
        ...cookieHeader(stream.cookies),
        ...headers,
        ...fieldsOf(stream.subscriber),
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
      return closeFrame(leavingCode);
    },
  });
  return {
    ...streams,
    sendText(stream, text) {
      counters.upstreamMessages++;
      streams.write(stream, frame(opcodes.text, text));
    },
  };
}
