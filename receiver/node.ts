// Reads requests of `node:http` and answers them; Express and many others have the same.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Answer } from './answer.ts';
import { readRawBody, type RawBody } from './raw-body.ts';

/** Where frameworks put a body that they have read: `express.raw()`, and Google's functions. */
type MayBeRead = IncomingMessage & { body?: unknown; rawBody?: unknown };

export async function readNode(request: IncomingMessage, maxBytes: number): Promise<RawBody> {
  const { rawBody, body }: MayBeRead = request;
  for (const read of [rawBody, body]) {
    // Bytes are what came over the wire; a text or an object was made of it.
    if (read instanceof Uint8Array)
      return { kind: 'whole', body: Buffer.from(read.buffer, read.byteOffset, read.byteLength) };
  }
  return new Promise((resolve) => readRawBody(request, maxBytes, resolve));
}

export function answerNode(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers, body }: Answer,
): void {
  if (response.destroyed) return;
  // The rest of a body that was not read to its end is not wanted.
  if (!request.readableEnded) {
    if (status === 413 && request.httpVersionMajor === 1) response.setHeader('connection', 'close');
    else request.resume();
  }
  response.writeHead(status, headers ?? {}).end(body);
}
