// Keeps the last lines that a process prints, to be shown where it ends or hangs before it was of use.

import type { Readable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';

const mostLines = 20;
/** Of a longer line nothing is kept: a cut could leave half of a secret, which nobody would recognise. */
const longestLine = 16 * 1024;
const leftOut = `(a line of more than ${longestLine / 1024} KiB)`;

/**
 * Reads the streams to their ends.
 * @returns what was printed last, at most 20 lines
 */
export function keepLastLines(streams: readonly (Readable | null)[]): () => string[] {
  const lines: string[] = [];
  const begun = streams.map(() => '');
  const take = (line: string) => {
    lines.push(line.length > longestLine ? leftOut : stripVTControlCharacters(line).trimEnd());
    if (lines.length > mostLines) lines.shift();
  };
  for (const [i, stream] of streams.entries())
    stream
      ?.setEncoding('utf8')
      .on('error', () => {})
      .on('data', (text: string) => {
        const parts = (begun[i] + text).split('\n');
        // One character too many is enough to know that it is too long.
        begun[i] = parts.pop()!.slice(0, longestLine + 1); // a split has at least one part
        for (const part of parts.slice(-mostLines)) take(part);
      });
  return () =>
    [...lines, ...begun.map((line) => (line.length > longestLine ? leftOut : line))]
      .filter((line) => line.trim() !== '')
      .slice(-mostLines);
}

/** Lines below a message, each on one of its own. */
export function asBlock(lines: readonly string[]): string {
  return lines.map((line) => `\n  ${line}`).join('');
}
