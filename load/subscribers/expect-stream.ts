// Checks that an answer is the stream that a subscriber asked for, and takes a refusal's Retry-After.

import { noteRefusal, noteRetryAfter, type Comeback } from '../../core/policy/client/reconnect.ts';
import type { ResponseHead } from '../wire/http-head.ts';
import { ProtocolError } from '../wire/protocol-error.ts';

/**
 * Whether a response is a stream.
 * @throws ProtocolError `http-status`, and notes the server's Retry-After
 */
export function expectOk(
  stream: Comeback,
  { status, headers }: Pick<ResponseHead, 'status' | 'headers'>,
): void {
  if (status === 200) return;
  noteRefusal(stream, status);
  noteRetryAfter(stream, headers.get('retry-after'), Date.now());
  throw new ProtocolError('http-status', `the server answered ${status} where a stream was asked for`);
}

/**
 * Whether a response is the stream that was asked for.
 * @throws ProtocolError `http-status` (and notes the server's Retry-After), `http-type`
 */
export function expectStream(
  stream: Comeback,
  head: Pick<ResponseHead, 'status' | 'headers'>,
  type: string,
): void {
  expectOk(stream, head);
  const given = head.headers.get('content-type') ?? '';
  if (given.split(';')[0]!.trim().toLowerCase() !== type) {
    noteRefusal(stream, head.status);
    throw new ProtocolError('http-type', `the stream has the content type "${given}", not "${type}"`);
  }
}
