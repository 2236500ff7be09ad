// Reads text/event-stream by the WHATWG rules (HTML standard, "Interpreting an event stream") from whatever
// pieces it comes in. An event of the usual form that lies within one piece is handed on in place; all else
// goes line by line. Knows nothing of connections, nor of what events mean.

import { carry, type Carry } from './pending-bytes.ts';

/**
 * Where the parts of a stream go. One object serves all streams; `Owner` tells them apart. Bytes are
 * valid during the call only.
 */
export type EventStreamParts<Owner> = {
  /** An event with its data in `from`..`to`; `type` is '' for the default, `message`. */
  event(owner: Owner, type: string, bytes: Buffer, from: number, to: number, atUs: number): void;
  /** The last event ID changed; called before the event that changed it, if it is one. Empty resets it. */
  id(owner: Owner, bytes: Buffer, from: number, to: number): void;
  retry(owner: Owner, ms: number): void;
  /** The comment without its colon. */
  comment(owner: Owner, bytes: Buffer, from: number, to: number): void;
};

/** How far into a stream a connection is. Made by `newEventStream`, moved by `readEvents`. */
export type EventStreamReader = {
  /** The part of a line that came before. */
  line: Carry | undefined;
  /** The data lines of the event so far, each with a LF. */
  data: Carry | undefined;
  type: string;
  id: Buffer | undefined;
  /** Whether any field of the event has come. */
  inEvent: boolean;
  /** Whether the last piece ended with a CR, whose LF may be the first byte of the next. */
  afterCr: boolean;
  /** Whether no line is complete yet, so that a byte order mark may come. */
  first: boolean;
};

export function newEventStream(): EventStreamReader {
  return {
    line: undefined,
    data: undefined,
    type: '',
    id: undefined,
    inEvent: false,
    afterCr: false,
    first: true,
  };
}

const lf = 0x0a;
const cr = 0x0d;
const space = 0x20;
const colon = 0x3a;

/** Reads bytes `from`..`to` of the stream. @throws ProtocolError `too-long` */
export function readEvents<Owner>(
  reader: EventStreamReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: EventStreamParts<Owner>,
  owner: Owner,
): void {
  let at = from;
  let nextCr = -1;
  while (at < to) {
    if (reader.afterCr) {
      reader.afterCr = false;
      if (bytes[at] === lf) {
        at++;
        continue;
      }
    }
    if (!reader.inEvent && !reader.line) {
      // `id: TOKEN LF data: ... LF LF`, the id optional. A token has no blanks or
      // control characters, so no NUL.
      let p = at;
      let idFrom = -1;
      let idTo = -1;
      if (bytes[p] === 0x69 && bytes[p + 1] === 0x64 && bytes[p + 2] === colon) {
        idFrom = bytes[p + 3] === space ? p + 4 : p + 3;
        for (p = idFrom; p < to && bytes[p]! > space;) p++;
        idTo = p;
        if (bytes[p] === lf) p++;
      }
      if (
        bytes[p] === 0x64 &&
        bytes[p + 1] === 0x61 &&
        bytes[p + 2] === 0x74 &&
        bytes[p + 3] === 0x61 &&
        bytes[p + 4] === colon
      ) {
        const dataFrom = bytes[p + 5] === space ? p + 6 : p + 5;
        const dataTo = bytes.indexOf(lf, dataFrom);
        // The buffer may hold anything behind `to`; with the end within, everything before it is within too.
        if (dataTo >= 0 && dataTo + 1 < to && bytes[dataTo + 1] === lf) {
          if (nextCr < dataFrom) {
            nextCr = bytes.indexOf(cr, dataFrom);
            if (nextCr < 0) nextCr = bytes.length;
          }
          if (nextCr > dataTo) {
            reader.first = false;
            if (idFrom >= 0) parts.id(owner, bytes, idFrom, idTo);
            parts.event(owner, '', bytes, dataFrom, dataTo, atUs);
            at = dataTo + 2;
            continue;
          }
        }
      }
    }
    at = readLine(reader, bytes, at, to, atUs, parts, owner);
  }
}

function readLine<Owner>(
  reader: EventStreamReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: EventStreamParts<Owner>,
  owner: Owner,
): number {
  let end = from;
  while (end < to && bytes[end] !== lf && bytes[end] !== cr) end++;
  if (end === to) {
    reader.line = carry(reader.line, bytes, from, to, 'an SSE line');
    return to;
  }
  if (reader.line) {
    const { bytes: line, used } = carry(reader.line, bytes, from, end, 'an SSE line');
    reader.line = undefined;
    takeLine(reader, line, 0, used, atUs, parts, owner);
  } else {
    takeLine(reader, bytes, from, end, atUs, parts, owner);
  }
  reader.afterCr = bytes[end] === cr;
  return end + 1;
}

function takeLine<Owner>(
  reader: EventStreamReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  parts: EventStreamParts<Owner>,
  owner: Owner,
): void {
  if (reader.first) {
    reader.first = false;
    if (to - from >= 3 && bytes[from] === 0xef && bytes[from + 1] === 0xbb && bytes[from + 2] === 0xbf)
      from += 3;
  }
  if (from === to) {
    dispatch(reader, atUs, parts, owner);
    return;
  }
  if (bytes[from] === colon) {
    parts.comment(owner, bytes, from + 1, to);
    return;
  }
  let nameTo = bytes.indexOf(colon, from);
  if (nameTo < 0 || nameTo > to) nameTo = to;
  let valueFrom = Math.min(to, nameTo + 1);
  if (valueFrom < to && bytes[valueFrom] === space) valueFrom++;
  switch (nameTo - from <= 5 ? bytes.toString('latin1', from, nameTo) : '') {
    case 'data':
      reader.inEvent = true;
      reader.data = carry(
        carry(reader.data, bytes, valueFrom, to, 'an SSE event'),
        lineEnd,
        0,
        1,
        'an SSE event',
      );
      break;
    case 'event':
      reader.inEvent = true;
      reader.type = bytes.toString('utf8', valueFrom, to);
      break;
    case 'id':
      reader.inEvent = true;
      if (!bytes.subarray(valueFrom, to).includes(0)) reader.id = Buffer.from(bytes.subarray(valueFrom, to));
      break;
    case 'retry': {
      const digits = bytes.toString('latin1', valueFrom, to);
      if (/^\d+$/.test(digits)) parts.retry(owner, Number(digits));
      break;
    }
  }
}

const lineEnd = Buffer.from('\n');

function dispatch<Owner>(
  reader: EventStreamReader,
  atUs: number,
  parts: EventStreamParts<Owner>,
  owner: Owner,
): void {
  const { data, type, id } = reader;
  reader.data = undefined;
  reader.type = '';
  reader.id = undefined;
  reader.inEvent = false;
  if (id) parts.id(owner, id, 0, id.length);
  if (data) parts.event(owner, type, data.bytes, 0, data.used - 1, atUs);
}
