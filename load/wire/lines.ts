// Reads newline-delimited text from whatever pieces it comes in: each line within one piece is handed on in
// place. A CR before the LF belongs to the line's end; empty lines are skipped, as NDJSON readers do.

import { carry, type Carry } from './pending-bytes.ts';

export type LineReader = { line: Carry | undefined };

/** Called with a line's bytes, `from`..`to`, without its end; valid during the call only. */
export type TakeLine<Owner> = (owner: Owner, bytes: Buffer, from: number, to: number, atUs: number) => void;

export function newLineReader(): LineReader {
  return { line: undefined };
}

const lf = 0x0a;
const cr = 0x0d;

/** Reads bytes `from`..`to`. @throws ProtocolError `too-long` */
export function readLines<Owner>(
  reader: LineReader,
  bytes: Buffer,
  from: number,
  to: number,
  atUs: number,
  take: TakeLine<Owner>,
  owner: Owner,
): void {
  let at = from;
  while (at < to) {
    const end = bytes.indexOf(lf, at);
    if (end < 0 || end >= to) {
      reader.line = carry(reader.line, bytes, at, to, 'a line');
      return;
    }
    if (reader.line) {
      const { bytes: line, used } = carry(reader.line, bytes, at, end, 'a line');
      reader.line = undefined;
      takeLine(line, 0, used, atUs, take, owner);
    } else {
      takeLine(bytes, at, end, atUs, take, owner);
    }
    at = end + 1;
  }
}

function takeLine<Owner>(
  bytes: Buffer,
  from: number,
  end: number,
  atUs: number,
  take: TakeLine<Owner>,
  owner: Owner,
): void {
  const to = end > from && bytes[end - 1] === cr ? end - 1 : end;
  if (to > from) take(owner, bytes, from, to, atUs);
}
