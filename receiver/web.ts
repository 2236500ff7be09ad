// Reads a `Request` of the web, bounded, and makes a `Response`.

import type { Answer } from './answer.ts';
import type { RawBody } from './raw-body.ts';

export async function readWeb(request: Request, maxBytes: number): Promise<RawBody> {
  if (request.bodyUsed || request.body?.locked) return { kind: 'gone' };
  if (!request.body) return { kind: 'whole', body: Buffer.alloc(0) };
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    // Leaving the loop cancels the rest.
    for await (const piece of request.body) {
      bytes += piece.length;
      if (bytes > maxBytes) return { kind: 'too-large' };
      pieces.push(piece);
    }
  } catch {
    return { kind: 'cut' };
  }
  return { kind: 'whole', body: Buffer.concat(pieces) };
}

export function answerWeb({ status, headers, body }: Answer): Response {
  return new Response(body === undefined ? null : new Uint8Array(Buffer.from(body)), {
    status,
    headers: headers ?? {},
  });
}
