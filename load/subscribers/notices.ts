// Reads what our own servers say on a stream or a socket besides events (docs/wire.md).

import { setCursorText, type Cursor } from './cursor.ts';

/**
 * A message of the stream itself, not an event: `{"stream":...}`, `{"socket":...}`, `{"ack":...}` or
 * `{"refused":...}` (docs/wire.md).
 */
export type Notice = {
  stream?: unknown;
  socket?: unknown;
  cursor?: unknown;
  reset?: unknown;
  ack?: unknown;
  seq?: unknown;
  refused?: unknown;
  reason?: unknown;
  /** The wait that a server which lets the client go advises, in milliseconds. */
  waitMs?: unknown;
  /** The reconnection window that a server announces: in an opening notice, or in an SSE event of its own. */
  reconnectMs?: unknown;
  windowMs?: unknown;
};

/** The notice in bytes `from`..`to`; an empty one where they are nothing of the kind. */
export function readNotice(bytes: Buffer, from: number, to: number): Notice {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8', from, to));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}

/** Takes the cursor of a notice: what comes after it is still to come. */
export function takeCursor(cursor: Cursor, notice: Notice): void {
  if (typeof notice.cursor === 'string') setCursorText(cursor, notice.cursor);
}
