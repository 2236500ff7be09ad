// Makes the frames that a server sends (RFC 6455, section 5): unmasked, and so the same bytes for all
// clients. `ws` handles incoming frames and closing.

import { constants, deflateRawSync } from 'node:zlib';

const finText = 0x81;
const finPong = 0x8a;
const rsv1 = 0x40;

/** A ping without a payload. */
export const pingFrame = Buffer.from([0x89, 0]);

/** The answer to a ping carries what the ping carried (RFC 6455, section 5.5.3). */
export function pongFrame(payload: Buffer): Buffer {
  return frame(finPong, payload);
}

/** One text message. */
export function textFrame(text: string): Buffer {
  return frame(finText, Buffer.from(text));
}

/**
 * One text message under permessage-deflate with `server_no_context_takeover` (RFC 7692, section 7.2.1): it
 * stands by itself, so it too is the same for all clients.
 */
export function deflatedFrame(text: string): Buffer {
  return frame(
    finText | rsv1,
    deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -emptyBlockBytes),
  );
}

/** What a flush ends with and the extension cuts off: 00 00 ff ff. */
const emptyBlockBytes = 4;

function frame(first: number, payload: Buffer): Buffer {
  const { length } = payload;
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const bytes = Buffer.allocUnsafe(headBytes + length);
  bytes[0] = first;
  if (headBytes === 2) {
    bytes[1] = length;
  } else if (headBytes === 4) {
    bytes[1] = 126;
    bytes.writeUInt16BE(length, 2);
  } else {
    bytes[1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), 2);
  }
  payload.copy(bytes, headBytes);
  return bytes;
}
