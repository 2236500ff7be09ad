// Keeps where a subscriber is in the stream: the last event id it saw, without allocating for each event.

import { cursorPattern } from '../../core/event/envelope.ts';

/** `offset` below zero: `epoch` is the whole cursor, of a form that is not ours, or empty for none. */
export type Cursor = { epoch: string; offset: number };

export function newCursor(): Cursor {
  return { epoch: '', offset: -1 };
}

/** The cursor as it travels, '' for none. */
export function cursorText({ epoch, offset }: Cursor): string {
  return offset < 0 ? epoch : `${epoch}-${offset}`;
}

/** Takes the id in bytes `from`..`to`; an empty one clears the cursor. */
export function setCursor(cursor: Cursor, bytes: Buffer, from: number, to: number): void {
  const { epoch } = cursor;
  const dash = from + epoch.length;
  // `EPOCH-OFFSET` with the epoch of the id before: only a number changes.
  if (
    cursor.offset >= 0 &&
    to > dash + 1 &&
    to <= dash + 16 &&
    bytes[dash] === 0x2d &&
    bytes[dash + 1] !== 0x30
  ) {
    let at = 0;
    while (at < epoch.length && bytes[from + at] === epoch.charCodeAt(at)) at++;
    if (at === epoch.length) {
      let offset = 0;
      for (at = dash + 1; at < to; at++) {
        const digit = bytes[at]! - 0x30;
        if (digit < 0 || digit > 9) break;
        offset = offset * 10 + digit;
      }
      if (at === to) {
        cursor.offset = offset;
        return;
      }
    }
  }
  setCursorText(cursor, bytes.toString('utf8', from, to));
}

/** As `setCursor`, of text. */
export function setCursorText(cursor: Cursor, text: string): void {
  const [, epoch, digits] = cursorPattern.exec(text) ?? [];
  if (epoch !== undefined && digits !== undefined && (digits[0] !== '0' || digits === '0')) {
    cursor.epoch = shared(epoch);
    cursor.offset = Number(digits);
  } else {
    cursor.epoch = text;
    cursor.offset = -1;
  }
}

/** Takes the `id` of the envelope that begins at `from`: `{"id":"...",`. */
export function setCursorFromEnvelope(cursor: Cursor, bytes: Buffer, from: number, to: number): void {
  const idTo = bytes.indexOf(0x22, from + 7);
  if (idTo > 0 && idTo < to) setCursor(cursor, bytes, from + 7, idTo);
}

/** `topics=a,b&since=CURSOR`; no `since` without a cursor. */
export function subscriptionQuery(topics: readonly string[], cursor: Cursor): string {
  const since = cursorText(cursor);
  return `topics=${topics.join(',')}${since && `&since=${encodeURIComponent(since)}`}`;
}

// Thousands of subscribers follow one hub, so its epoch is kept once.
let lastEpoch = '';

function shared(epoch: string): string {
  if (epoch !== lastEpoch) lastEpoch = epoch;
  return lastEpoch;
}
