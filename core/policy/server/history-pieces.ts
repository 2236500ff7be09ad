// Decides how much of the history a client that has missed events gets at once. Pure.

import { alwaysHeldBytes } from '../../event/body-size.ts';

/**
 * A stream writes the history in pieces of about this size, each when the one before has left: few system
 * calls, little memory.
 */
export const pieceBytes = alwaysHeldBytes;

/**
 * How much further behind a stream's subscriber may fall while it reads the history. Less than a piece is no
 * lag, however small `slowBuffer`: so much is written at once.
 */
export function mostGrownBytes(slowBufferBytes: number): number {
  return Math.max(slowBufferBytes, pieceBytes);
}

/** The events up to the one with which they reach so many bytes. All of them where they do not. */
export function takeUntil<Event extends { readonly json: string }>(
  events: Event[],
  enoughBytes: number,
): Event[] {
  let bytes = 0;
  const last = events.findIndex(({ json }) => (bytes += Buffer.byteLength(json)) >= enoughBytes);
  return last < 0 ? events : events.slice(0, last + 1);
}
