// Tells what a peer did against its protocol, or sent that is larger than we read.

import type { TooLargeCode } from '../../core/result/too-large.ts';

/**
 * The peer broke the protocol. Readers throw it; `connection.ts` catches it, reports a problem with its code
 * and message, and drops the connection. The message is the same for each occurrence of one error (no ports,
 * no payloads), so that problems can be counted.
 */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * What a peer sent is larger than a load client reads. That is our limit and no fault of the peer's: the
 * trial does not count (harness/trial/validity.ts).
 */
export function tooLarge(code: TooLargeCode, message: string): ProtocolError {
  return new ProtocolError(code, message);
}
