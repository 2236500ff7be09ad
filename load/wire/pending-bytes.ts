// Keeps the bytes of something that comes in several pieces until it is whole. Most events lie within one
// piece and never come here; a connection holds a carry only while it waits for the rest of one.

import { largestMessageBytes } from '../../core/event/body-size.ts';
import { tooLarge, type ProtocolError } from './protocol-error.ts';

export type Carry = { bytes: Buffer; used: number };

/**
 * Adds bytes `from`..`to` to the pending ones.
 * @param what names the thing in the error
 * @throws ProtocolError `too-long` when it would be longer than `largestMessageBytes`
 */
export function carry(
  carried: Carry | undefined,
  bytes: Buffer,
  from: number,
  to: number,
  what: string,
): Carry {
  const used = carried?.used ?? 0;
  const needed = used + to - from;
  if (needed > largestMessageBytes) throw tooLong(what);
  // Doubling, so that a long line in many small pieces is not copied once for each of them.
  const into =
    carried && needed <= carried.bytes.length
      ? carried
      : { bytes: Buffer.allocUnsafe(Math.max(512, needed, 2 * used)), used };
  if (carried && into !== carried) carried.bytes.copy(into.bytes, 0, 0, used);
  bytes.copy(into.bytes, used, from, to);
  into.used = needed;
  return into;
}

/** @param what is too long: "an SSE line", "a frame" */
export function tooLong(what: string): ProtocolError {
  return tooLarge('too-long', `${what} is longer than ${largestMessageBytes} bytes`);
}
