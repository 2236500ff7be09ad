// Writes pieces of Markdown: tables, and text of any origin so that it reads as it is.

import { oneLine } from '../../core/base/printable.ts';

/** @param alignment a letter for each column: `r` to the right */
export function markdownTable(
  heads: readonly string[],
  alignment: string,
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(heads),
    line([...alignment].map((one) => (one === 'r' ? '--:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

/**
 * Text that reads as it stands: no line ends, and nothing that becomes markup or a link in Markdown or HTML.
 */
export function markdownText(text: string): string {
  return oneLine(text.replace(/\s+/g, ' '))
    .replace(/[\\`*_[\]~#]/g, String.raw`\$&`)
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/@/g, '&#64;')
    .replace(/\|/g, '&#124;')
    .replace(/:\/\//g, '&#58;//')
    .replace(/(www)\./gi, '$1&#46;');
}

/**
 * Text as code. A pipe would end a table's cell even there, and whether a backslash before it
 * counts is not agreed on.
 */
export function codeSpan(text: string): string {
  const line = oneLine(text.replace(/\s+/g, ' '));
  if (line.includes('|')) return `<code>${markdownText(line)}</code>`;
  const fence = '`'.repeat(Math.max(0, ...[...line.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const gap = line.startsWith('`') || line.endsWith('`') ? ' ' : '';
  return `${fence}${gap}${line}${gap}${fence}`;
}
