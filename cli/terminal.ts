// Tells how to write to a terminal: its width, colours, and whether lines can be overwritten.

import { unknownColumns, wrapped, type TerminalOptions } from '../reports/text/wrap.ts';
import { printable } from '../core/base/printable.ts';

type Stream = NodeJS.WriteStream;

/** What a table or a report is laid out for: the terminal, or a file of unknown width. */
export function terminalOf(stream: Stream = process.stdout): TerminalOptions {
  // A terminal that does not know its size says 0.
  return { columns: stream.columns || unknownColumns, color: stream.hasColors?.() ?? false };
}

/** Whether a line can be overwritten: not in a file, nor on a terminal that only prints (TERM=dumb). */
export function isLive(stream: Stream, { TERM }: NodeJS.ProcessEnv = process.env): boolean {
  return stream.isTTY === true && TERM !== 'dumb';
}

/**
 * A line for people: without control characters, and on a terminal of known width broken between words. In a
 * file it stays one line, for those who search it.
 */
export function lineFor(stream: Stream, text: string): string {
  return stream.isTTY === true && stream.columns > 0
    ? wrapped(printable(text), stream.columns)
    : printable(text);
}
