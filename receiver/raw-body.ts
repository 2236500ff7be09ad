// Reads a request's body as it was received, up to a limit. A signature covers these bytes: JSON that was
// parsed and printed again has other ones.

import type { Readable } from 'node:stream';
import { requireNumber } from '../core/base/checked-options.ts';

export type RawBody =
  | { kind: 'whole'; body: Buffer }
  /** More than the limit. The rest is not kept; answer, and end the connection. */
  | { kind: 'too-large' }
  /** The connection ended before the body did. */
  | { kind: 'cut' }
  /** Somebody else read it before, such as a body parser. */
  | { kind: 'gone' };

/**
 * Reads a body whole.
 * @param maxBytes up to 1 GiB
 * @param done is called once
 * @throws TypeError or RangeError for an invalid limit
 */
export function readRawBody(request: Readable, maxBytes: number, done: (result: RawBody) => void): void {
  requireMaxBytes('maxBytes', maxBytes);
  let pieces: Buffer[] = [];
  let bytes = 0;
  let told = false;

  function tell(result: RawBody): void {
    if (told) return;
    told = true;
    pieces = [];
    done(result);
  }

  if (request.readableEnded) return tell({ kind: 'gone' });
  if (request.destroyed) return tell({ kind: 'cut' });
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maxBytes) tell({ kind: 'too-large' });
    else pieces.push(piece);
  });
  request.once('end', () =>
    tell({ kind: 'whole', body: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces) }),
  );
  request.once('close', () => tell({ kind: 'cut' }));
  request.on('error', () => {}); // 'close' follows
}

/** @throws TypeError or RangeError */
export function requireMaxBytes(name: string, value: unknown): void {
  requireNumber(name, value, { least: 0, most: 1024 ** 3, whole: true });
}
