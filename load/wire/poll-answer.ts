// Takes the answer to a poll or a long poll, `{"cursor":"...","events":[...]}` (docs/wire.md), apart in
// place: its events are found by their brackets and never parsed.

import { cursorPattern } from '../../core/event/envelope.ts';

export type PollAnswer = {
  /** What the next poll continues from. */
  cursor: string;
  /** The cursor of this poll came too late; events may be missing. */
  reset: boolean;
  /** The first byte behind the bracket that opens the list of events. */
  eventsFrom: number;
};

const quote = 0x22;
const comma = 0x2c;
const bracketOpen = 0x5b;
const backslash = 0x5c;
const bracketClose = 0x5d;
const braceOpen = 0x7b;
const braceClose = 0x7d;

const opening = Buffer.from('{"cursor":"');
const resetMark = Buffer.from('","reset":true');
const noReset = Buffer.from('"');
const list = Buffer.from(',"events":[');
const longestCursor = 32;

/**
 * Reads what comes before the events.
 * @returns undefined when bytes `from`..`to` do not begin like an answer
 */
export function readPollAnswer(bytes: Buffer, from: number, to: number): PollAnswer | undefined {
  if (!isAt(opening, bytes, from, to)) return undefined;
  const cursorFrom = from + opening.length;
  let at = cursorFrom;
  while (at < to && at - cursorFrom < longestCursor && bytes[at] !== quote) at++;
  const cursor = bytes.toString('latin1', cursorFrom, at);
  const reset = isAt(resetMark, bytes, at, to);
  at += (reset ? resetMark : noReset).length;
  if (!cursorPattern.test(cursor) || !isAt(list, bytes, at, to)) return undefined;
  return { cursor, reset, eventsFrom: at + list.length };
}

/**
 * Calls `each` with the first byte of each event and the one behind its last.
 * @param from `eventsFrom` of the answer
 * @returns false when the list is malformed or does not end the answer; events before
 *   the mistake have been given
 */
export function splitEvents(
  bytes: Buffer,
  from: number,
  to: number,
  each: (from: number, to: number) => void,
): boolean {
  let at = from;
  if (bytes[at] === bracketClose) return closes(bytes, at, to);
  for (;;) {
    const end = bytes[at] === braceOpen ? endOfObject(bytes, at, to) : -1;
    if (end < 0) return false;
    each(at, end);
    if (bytes[end] !== comma) return closes(bytes, end, to);
    at = end + 1;
  }
}

/** Whether the list and the answer end at `at`, and the bytes with them. */
function closes(bytes: Buffer, at: number, to: number): boolean {
  return at + 2 === to && bytes[at] === bracketClose && bytes[at + 1] === braceClose;
}

/**
 * The byte behind the object that begins at `from`; -1 when it does not end before `to`. Inside JSON
 * strings no bracket counts.
 */
export function endOfObject(bytes: Buffer, from: number, to: number): number {
  let depth = 0;
  for (let at = from; at < to; at++) {
    switch (bytes[at]) {
      case quote:
        for (at++; at < to && bytes[at] !== quote; at++) if (bytes[at] === backslash) at++;
        break;
      case braceOpen:
      case bracketOpen:
        depth++;
        break;
      case braceClose:
      case bracketClose:
        if (--depth === 0) return at + 1;
    }
  }
  return -1;
}

function isAt(literal: Buffer, bytes: Buffer, at: number, to: number): boolean {
  if (at + literal.length > to) return false;
  for (let i = 0; i < literal.length; i++) if (bytes[at + i] !== literal[i]) return false;
  return true;
}
