// Compresses bodies without end with gzip (RFC 1952), so that each text can be read at once and costs one
// compression however many subscribers get it.

import { constants, crc32, deflateRawSync } from 'node:zlib';
import { keepLast } from '../http/content-coding.ts';
import { combineCrc, crcShift } from '../hub/crc32-combine.ts';
import type { HubEvent } from '../hub/event.ts';
import type { Framing } from './framing.ts';

/**
 * The body of one response that does not end. It is a gzip file (RFC 1952) of which the client never has the
 * end until the server says so.
 */
export type GzipBody = Framing & {
  /** The file's head and the first text. */
  open(text: string): Buffer;
  /** The last text, and the file's end. */
  end(text: string): Buffer;
};

/**
 * Compresses the texts of bodies that do not end. Each is deflated by itself and flushed to a whole byte, so
 * that a client can read it at once, and since it refers to nothing before it, the same bytes stand in the
 * body of every subscriber. Only the checksum at the end is a subscriber's own, combined from those of the
 * texts.
 * @param frame puts the framing of the transport around bytes
 * @returns what makes the body of one response. What it gives must be written, in its order.
 */
export function createGzipBodies(
  frame: (bytes: Buffer) => Buffer,
  textOf: (events: readonly HubEvent[]) => string,
): () => GzipBody {
  type Part = { bytes: number; sum: number; shift: number; deflated: Buffer; framed: Buffer };
  const deflate = keepLast((text): Part => {
    const plain = Buffer.from(text);
    const deflated = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });
    return {
      bytes: plain.length,
      sum: crc32(plain),
      shift: crcShift(plain.length),
      deflated,
      framed: frame(deflated),
    };
  });
  let newest: HubEvent | undefined;
  let part: Part | undefined;

  function partOf(event: HubEvent): Part {
    if (!part || event !== newest) part = deflate(textOf([event]));
    newest = event;
    return part;
  }

  return () => {
    let sum = 0;
    let bytes = 0;
    function add(added: Part): Part {
      sum = combineCrc(sum, added.sum, added.shift);
      bytes += added.bytes;
      return added;
    }
    return {
      open: (text) => frame(Buffer.concat([fileHead, add(deflate(text)).deflated])),
      text: (text) => add(deflate(text)).framed,
      one: (event) => add(partOf(event)).framed,
      many: (events) => add(deflate(textOf(events))).framed,
      end(text) {
        const { deflated } = add(deflate(text));
        const trailer = Buffer.alloc(8);
        trailer.writeUInt32LE(sum, 0);
        trailer.writeUInt32LE(bytes % 2 ** 32, 4);
        return frame(Buffer.concat([deflated, lastBlock, trailer]));
      },
    };
  };
}

/** Deflate, no name, no time, no extra fields; 255 is "system unknown". */
const fileHead = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
/** An empty block that is the last. */
const lastBlock = Buffer.from([0x03, 0x00]);
