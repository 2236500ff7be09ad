// Frames texts and events for a connection that stays open.

import type { HubEvent } from '../hub/event.ts';

/**
 * How texts and events stand on a connection. Subscribers with the same framing are written the same bytes; a
 * framing may be of one subscriber alone, and all that it gives is written, in its order.
 */
export type Framing = {
  text(text: string): Buffer;
  /** One event: the same Buffer for all who ask in a row. */
  one(event: HubEvent): Buffer;
  /** Several in one Buffer. */
  many(events: readonly HubEvent[]): Buffer;
};

/** @param many frames several events at once; the frame of a single event is kept until the next event */
export function createFraming(text: Framing['text'], many: Framing['many']): Framing {
  let last: HubEvent | undefined;
  let bytes: Buffer = Buffer.alloc(0);
  return {
    text,
    many,
    one(event) {
      if (event !== last) {
        bytes = many([event]);
        last = event;
      }
      return bytes;
    },
  };
}
