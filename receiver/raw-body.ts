// A request's body as it stood on the wire, up to a bound. A signature is over these bytes: JSON that was parsed and
// printed again has other ones.

import type { Readable } from 'node:stream';

export type RawBody =
  | { kind: 'whole'; body: Buffer }
  /** More than the bound. What still comes is not kept; answer, and end the connection. */
  | { kind: 'too-large' }
  /** The connection ended before the body did. */
  | { kind: 'cut' }
  /** Somebody else read it before, such as a body parser. */
  | { kind: 'gone' };

/**
 * Reads a body whole.
 * @param done is called once
 */
export function readRawBody(request: Readable, maxBytes: number, done: (result: RawBody) => void): void {
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
  request.on('data', (piece: Buffer) => {
    bytes += piece.length;
    if (bytes > maxBytes) tell({ kind: 'too-large' });
    else pieces.push(piece);
  });
  request.once('end', () => tell({ kind: 'whole', body: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces) }));
  request.once('close', () => tell({ kind: 'cut' }));
  request.on('error', () => {}); // 'close' follows
}
