// Ends a subscriber's line: when all is said, or when the subscriber leaves.

import { lingerMs } from '../wire/connection.ts';

/** What a subscriber holds: a TCP socket, or a stream on a shared HTTP/2 connection. */
export type Line = {
  readonly connecting: boolean;
  /** Over TLS: it is connected, and shakes hands. */
  readonly secureConnecting?: boolean;
  /** No more is sent; what still comes is read. */
  end(): unknown;
  destroy(): unknown;
  /** Nothing is read until it is resumed. */
  pause(): unknown;
  resume(): unknown;
};

/** The peer closes it, or it is closed from here after a while. */
export function hangUp(line: Line | undefined): void {
  if (!line) return;
  line.end();
  setTimeout(() => line.destroy(), lingerMs).unref();
}

/** @param goodbye what to say before leaving, to a peer that then closes the line */
export function leaveLine<L extends Line, Request>(
  line: L,
  goodbye: Request | undefined,
  { send }: { send(line: L, request: Request): void },
): void {
  if (line.connecting || line.secureConnecting) line.destroy();
  else if (goodbye !== undefined) send(line, goodbye);
  // What the server has sent already is still read, so that both sides count the same bytes.
  else line.end();
}
