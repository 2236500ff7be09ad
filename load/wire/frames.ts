// Reads and writes WebSocket frames (RFC 6455, section 5) as a client meets them: read from whatever pieces
// they come in, a whole message within one piece handed on in place; and written, masked. Not the handshake,
// not what messages mean.

import { isUtf8 } from 'node:buffer';
import { largestMessageBytes } from '../../core/event/body-size.ts';
import { carry, tooLong, type Carry } from './pending-bytes.ts';
import { ProtocolError } from './protocol-error.ts';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/**
 * Where frames go. One object serves all connections; `Owner` tells them apart. Bytes are
 * valid during the call only.
 */
export type FrameParts<Owner> = {
  /** A whole message. `compressed`: its first frame had RSV1 set (RFC 7692). */
  message(
    owner: Owner,
    opcode: number,
    compressed: boolean,
    bytes: Buffer,
    from: number,
    to: number,
    atUs: number,
  ): void;
  ping(owner: Owner, bytes: Buffer, from: number, to: number): void;
  /** @param code 1005 when the frame had none */
  close(owner: Owner, code: number): void;
};

/** How far into a frame and a message a connection is. Made by `newFrameReader`, moved by `readFrames`. */
export type FrameReader = {
  /** Whether permessage-deflate was agreed on, so that RSV1 has a meaning. */
  deflate: boolean;
  /** The part of a frame that came before. */
  frame: Carry | undefined;
  /** The fragments so far of a message in several frames, and what its first frame said. */
  message: Carry | undefined;
  opcode: number;
  compressed: boolean;
};

export function newFrameReader(): FrameReader {
  return { deflate: false, frame: undefined, message: undefined, opcode: 0, compressed: false };
}

const finalText = 0x81;
const largestControlBytes = 125;

/** Reads bytes `from`..`to`. @throws ProtocolError `ws-frame`, `too-long` */
export function readFrames<Owner>(
  reader: FrameReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: FrameParts<Owner>,
  owner: Owner,
): void {
  let at = from;
  while (at < to) {
    let { frame } = reader;
    if (frame) {
      const step = Math.min(to, at + frameBytes(reader, frame.bytes, 0, frame.used) - frame.used);
      frame = reader.frame = carry(frame, bytes, at, step, 'a frame');
      at = step;
      if (frameBytes(reader, frame.bytes, 0, frame.used) > frame.used) continue;
      reader.frame = undefined;
      takeFrame(reader, frame.bytes, 0, frame.used, atUs, parts, owner);
      continue;
    }
    const end = at + frameBytes(reader, bytes, at, to - at);
    if (end > to) {
      reader.frame = carry(undefined, bytes, at, to, 'a frame');
      return;
    }
    takeFrame(reader, bytes, at, end, atUs, parts, owner);
    at = end;
  }
}

/** A client's frame with the whole of a message (RFC 6455, section 5.2). @param mask any 32 bits */
export function encodeFrame(opcode: number, payload: Uint8Array, mask: number): Buffer {
  const length = payload.length;
  const head = length > 0xffff ? 14 : length > largestControlBytes ? 8 : 6;
  const frame = Buffer.allocUnsafe(head + length);
  frame[0] = 0x80 | opcode;
  frame[1] = 0x80 | (head === 14 ? 127 : head === 8 ? 126 : length);
  if (head === 14) frame.writeBigUInt64BE(BigInt(length), 2);
  if (head === 8) frame.writeUInt16BE(length, 2);
  frame.writeInt32BE(mask | 0, head - 4);
  for (let i = 0; i < length; i++) frame[head + i] = payload[i]! ^ frame[head - 4 + (i & 3)]!;
  return frame;
}

/**
 * How many bytes the frame at `at` has, as far as its first `available` bytes tell: at least one more than
 * those while they do not hold the whole length.
 */
function frameBytes(reader: FrameReader, bytes: Buffer, at: number, available: number): number {
  if (available < 2) return 2;
  const second = bytes[at + 1]!;
  if (bytes[at] !== finalText || second > 126) check(reader, bytes[at]!, second);
  if (second < 126) return 2 + second;
  if (second === 126) {
    if (available < 4) return 4;
    const length = (bytes[at + 2]! << 8) | bytes[at + 3]!;
    if (length < 126)
      throw new ProtocolError('ws-frame', 'a frame gives its length in more bytes than it needs');
    return 4 + length;
  }
  if (available < 10) return 10;
  const high = bytes.readUInt32BE(at + 2);
  const length = bytes.readUInt32BE(at + 6);
  if (high >= 2 ** 31 || (high === 0 && length <= 0xffff))
    throw new ProtocolError('ws-frame', 'a frame has a malformed length');
  if (high > 0 || length > largestMessageBytes - 10) throw tooLong('a frame');
  return 10 + length;
}

function check(reader: FrameReader, first: number, second: number): void {
  const opcode = first & 0x0f;
  const control = opcode >= 8;
  if (opcode > opcodes.pong || (opcode > opcodes.binary && !control))
    throw new ProtocolError('ws-frame', `a frame has the reserved opcode ${opcode}`);
  if (second & 0x80) throw new ProtocolError('ws-frame', 'a frame from the server is masked');
  const rsv1Allowed = reader.deflate && (opcode === opcodes.text || opcode === opcodes.binary);
  if (first & 0x30 || (first & 0x40 && !rsv1Allowed))
    throw new ProtocolError('ws-frame', 'a frame has reserved bits set');
  if (control && !(first & 0x80)) throw new ProtocolError('ws-frame', 'a control frame is fragmented');
  if (control && second > largestControlBytes)
    throw new ProtocolError('ws-frame', `a control frame is longer than ${largestControlBytes} bytes`);
}

function takeFrame<Owner>(
  reader: FrameReader,
  bytes: Buffer,
  at: number,
  to: number,
  atUs: number,
  parts: FrameParts<Owner>,
  owner: Owner,
): void {
  const first = bytes[at]!;
  const second = bytes[at + 1]!;
  const from = at + (second < 126 ? 2 : second === 126 ? 4 : 10);
  const opcode = first & 0x0f;
  if (opcode >= 8) {
    if (opcode === opcodes.ping) parts.ping(owner, bytes, from, to);
    else if (opcode === opcodes.close) parts.close(owner, closeCode(bytes, from, to));
    return;
  }
  if ((opcode === opcodes.continuation) !== (reader.message !== undefined)) {
    throw new ProtocolError(
      'ws-frame',
      reader.message ? 'a new message began inside another' : 'a continuation without a message',
    );
  }
  const final = first >= 0x80;
  if (final && !reader.message) {
    parts.message(owner, opcode, (first & 0x40) !== 0, bytes, from, to, atUs);
    return;
  }
  if (!reader.message) {
    reader.opcode = opcode;
    reader.compressed = (first & 0x40) !== 0;
  }
  const message = (reader.message = carry(reader.message, bytes, from, to, 'a message'));
  if (!final) return;
  reader.message = undefined;
  parts.message(owner, reader.opcode, reader.compressed, message.bytes, 0, message.used, atUs);
}

function closeCode(bytes: Buffer, from: number, to: number): number {
  if (from === to) return 1005;
  const code = to - from === 1 ? 0 : bytes.readUInt16BE(from);
  const known =
    (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
  if (!known) throw new ProtocolError('ws-frame', `a close frame has the invalid code ${code}`);
  if (!isUtf8(bytes.subarray(from + 2, to)))
    throw new ProtocolError('ws-frame', 'the reason in a close frame is not UTF-8');
  return code;
}
