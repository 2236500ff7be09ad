// Names what a peer did against its protocol, and says how much of one thing it may send.

/** No line, event, message or frame may be longer; a peer that sends a longer one is cut off. */
export const largestMessageBytes = 4 * 1024 ** 2;

/**
 * The peer broke the protocol. Readers throw it; `connection.ts` catches it, reports a problem with its code
 * and message, and drops the connection. The message is the same for each occurrence of one problem (no ports,
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
