// Reads JSON that came from outside. Says where it breaks off without quoting it: what V8 says of text that
// is not JSON repeats its first characters, and they may be those of a file that nobody meant to show.

import { formatNumber } from './units.ts';

/** Deeper than any file of ours or body of an API, and shallow enough for code that recurses. */
const deepest = 500;
/** A result of 64 MiB holds about 8 million figures; empty objects take twenty times their text in memory. */
const mostValues = 10_000_000;

/** `problem` follows "is not whole JSON"; it begins with a space or a comma, or is empty. */
export function parseJson(text: string): { value: unknown } | { problem: string } {
  const excess = excessOf(text);
  if (excess !== undefined) return { problem: `, or ${excess}` };
  try {
    return { value: JSON.parse(text) };
  } catch (error) {
    const [, line, column] = /\(line (\d+) column (\d+)\)/.exec(String(error)) ?? [];
    return { problem: line === undefined ? '' : ` (it breaks off at line ${line}, column ${column})` };
  }
}

/** Counts brackets and commas outside strings; of what is not JSON it may count too many, never too few. */
function excessOf(text: string): string | undefined {
  let depth = 0;
  let values = 1;
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case 0x22: // a quote
        i = endOfString(text, i);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (!isClosing(text.charCodeAt(i + 1))) values++; // its first entry
        if (++depth > deepest) return `nests its values more than ${deepest} levels deep`;
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
        break;
      case 0x2c: // a comma
        values++;
    }
  }
  return values > mostValues ? `holds more than ${formatNumber(mostValues)} values` : undefined;
}

function isClosing(code: number): boolean {
  return code === 0x5d || code === 0x7d;
}

/** @returns the place of the closing quote, or the end of the text */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(at - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return at;
  }
  return text.length;
}
