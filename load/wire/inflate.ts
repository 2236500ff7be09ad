// Inflates the messages of a server one by one: the receiving half of permessage-deflate (RFC 7692). The
// memory between messages, where the server compresses one with the help of those before, is the last 32 KiB
// of text.

import { constants, inflateRawSync } from 'node:zlib';
import { messageOf } from '../../core/base/errors.ts';
import { largestMessageBytes } from '../../core/event/body-size.ts';
import { tooLong } from './pending-bytes.ts';
import { ProtocolError } from './protocol-error.ts';

/** What a client offers. It compresses nothing itself, so the server need not keep a context for that. */
export const deflateOffer = 'permessage-deflate; client_no_context_takeover';

/** `window` is undefined where each message is compressed by itself. */
export type Inflater = { window: Buffer | undefined };

/** The window of deflate (RFC 1951): no reference reaches further back. */
const windowBytes = 32 * 1024;
/** What a sender cuts off the end of each message (RFC 7692, section 7.2.2). */
const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/**
 * Reads the extension that the server chose.
 * @param offered whether `deflateOffer` was made
 * @throws ProtocolError `ws-extension` when the offer does not allow it
 */
export function newInflater(extension: string, offered: boolean): Inflater {
  const [name, ...parameters] = extension.split(';').map((part) => part.trim().toLowerCase());
  const known =
    /^(server_no_context_takeover|client_no_context_takeover|server_max_window_bits="?(8|9|1[0-5])"?)$/;
  if (!offered || name !== 'permessage-deflate' || !parameters.every((parameter) => known.test(parameter))) {
    throw new ProtocolError(
      'ws-extension',
      `the server chose an extension that was not offered: "${extension}"`,
    );
  }
  return { window: parameters.includes('server_no_context_takeover') ? undefined : Buffer.alloc(0) };
}

/** The message in bytes `from`..`to`. @throws ProtocolError `ws-deflate`, `too-long` */
export function inflateMessage(inflater: Inflater, bytes: Buffer, from: number, to: number): Buffer {
  const { window } = inflater;
  const text = inflate(Buffer.concat([bytes.subarray(from, to), tail]), window);
  if (window) inflater.window = Buffer.from(Buffer.concat([window, text]).subarray(-windowBytes));
  return text;
}

function inflate(compressed: Buffer, window: Buffer | undefined): Buffer {
  try {
    return inflateRawSync(compressed, {
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: largestMessageBytes,
      // A window of text that both sides know is just what zlib calls a dictionary.
      ...(window && window.length > 0 && { dictionary: window }),
    });
  } catch (error) {
    if (error instanceof RangeError) throw tooLong('a message');
    throw new ProtocolError('ws-deflate', `a compressed message cannot be read: ${messageOf(error)}`);
  }
}
