// Breaks text into lines of a terminal's width: between words and never inside one. Colours take no room.

import { stripVTControlCharacters } from 'node:util';
import wrapAnsi from 'wrap-ansi';
import { withUnits } from '../summary/figure-text.ts';

export type TerminalOptions = {
  /** Width of the terminal; 0 is unknown. */
  columns: number;
  color: boolean;
};

/** What is taken where a terminal does not tell its width, and where the output goes to no terminal. */
export const unknownColumns = 120;

/** Lines that follow the first are set in by as much as it is. */
export function wrapped(text: string, columns: number): string {
  const indent = /^ */.exec(text)![0]; // matches any text
  const room = Math.max(1, (columns || unknownColumns) - indent.length);
  return (
    withUnits(text.slice(indent.length))
      .split('\n')
      .flatMap((line) => wrapAnsi(line, room).split('\n'))
      // What is too long together may part after all.
      .flatMap((line) =>
        stripVTControlCharacters(line).length > room
          ? wrapAnsi(line.replaceAll('\u00A0', ' '), room).split('\n')
          : [line],
      )
      .map((line) => indent + line.replaceAll('\u00A0', ' '))
      .join('\n')
  );
}
