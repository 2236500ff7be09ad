// Writes a request that came as lines for a terminal.

import { formatBytes, formatNumber } from '../../core/base/units.ts';
import type { Exchange } from './exchanges.ts';

/** Lines of a body that a terminal is given; the page shows more. */
const mostLines = 60;

const marks = {
  verified: 'verified',
  wrong: 'NOT VERIFIED',
  unchecked: 'signed',
  unsigned: 'unsigned',
} as const;

export function exchangeLines(exchange: Exchange): string {
  const { number, at, method, path, headers, body, signature, id, idFrom, repeats, answer } = exchange;
  const repetition =
    id === undefined
      ? []
      : [repeats === undefined ? `id ${id} (${idFrom})` : `repeats #${repeats}: id ${id} (${idFrom})`];
  return [
    `#${number}  ${at.slice(11, 19)}  ${method} ${path}`,
    `  ${marks[signature.kind]}: ${signature.message}`,
    ...repetition.map((line) => `  ${line}`),
    `  answer: ${answer}`,
    '',
    ...headers.map(([name, value]) => `  ${name}: ${value}`),
    '',
    ...bodyLines(body).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

function bodyLines({ kind, text, sizeBytes, isCut }: Exchange['body']): string[] {
  if (kind === 'empty') return ['(no body)'];
  const lines = text.split('\n');
  const shown = lines.slice(0, mostLines);
  const isShort = isCut || lines.length > mostLines;
  return isShort
    ? [...shown, `(cut here; ${formatBytes(sizeBytes)} came, ${formatNumber(sizeBytes)} bytes)`]
    : shown;
}
