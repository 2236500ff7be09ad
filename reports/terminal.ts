// What a run prints when it is over: the answer, the table, the expectations, the warnings.

import { styleText } from 'node:util';
import { metrics } from '../core/metrics.ts';
import type { Result } from '../core/result.ts';
import { headlineOf } from './headline.ts';
import { formatMetric, resultTable, type Table } from './table.ts';

export type TerminalOptions = { columns: number; color: boolean };

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** @param columns width of the terminal; columns that do not fit go into a block of their own below */
export function renderTable(results: readonly Result[], { columns, color }: TerminalOptions): string {
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const parts = [
    '',
    wrapped(paint('bold', headlineOf(results)), columns),
    '',
    ...tableBlocks(resultTable(results), Math.max(80, columns), paint),
    ...expectations(results, paint),
    ...warnings(results, columns, paint),
  ];
  return `${parts.join('\n')}\n`;
}

function tableBlocks({ columns, rows }: Table, width: number, paint: Paint): string[] {
  const labels = ['', ...rows.map((row) => row.label)];
  const labelWidth = Math.max(...labels.map((label) => label.length));
  // A title of two words stands on two lines, so that figures and not titles decide the width.
  const all = columns.map(({ title }, i) => {
    const [top, bottom] = title.includes(' / ') ? [title.split(' / ')[0]!, `/ ${title.split(' / ')[1]}`] : ['', title];
    const cells = [top, bottom, ...rows.map((row) => row.cells[i]!.text)];
    return { cells, width: Math.max(...cells.map((cell) => cell.length)) };
  });
  const blocks: (typeof all)[] = [[]];
  let used = labelWidth;
  for (const column of all) {
    if (used + 2 + column.width > width && blocks.at(-1)!.length > 0) {
      blocks.push([]);
      used = labelWidth;
    }
    blocks.at(-1)!.push(column);
    used += 2 + column.width;
  }
  return blocks.flatMap((block) => {
    const lines = ['', '', ...rows.map((row) => row.label)].map((label, line) => {
      const text = [label.padEnd(labelWidth), ...block.map((column) => column.cells[line]!.padStart(column.width))].join('  ').trimEnd();
      const row = rows[line - 2];
      if (!row) return paint('dim', text);
      return row.valid ? text : paint('red', `${text}  (${row.failed === undefined ? 'does not count' : 'failed'})`);
    });
    return [...lines.filter((line, i) => i > 0 || line.trim() !== ''), ''];
  });
}

function expectations(results: readonly Result[], paint: Paint): string[] {
  const all = results.flatMap((result) => result.expectations);
  if (all.length === 0) return [];
  const failed = all.filter(({ held }) => !held);
  const lines = failed.map(({ variant, check, metric, measured }) => {
    const figure = measured === null ? 'not measured' : formatMetric(measured, metrics[metric]?.unit ?? 'count');
    return paint('red', `  failed: ${variant}: ${check} (measured ${figure})`);
  });
  const head = failed.length === 0 ? paint('green', `All ${all.length} expectations held.`) : `${failed.length} of ${all.length} expectations failed:`;
  return [head, ...lines];
}

function warnings(results: readonly Result[], columns: number, paint: Paint): string[] {
  const lines = results.flatMap(({ trials }) => trials).flatMap(({ variant, repetition, outcome, warnings: all }) => {
    const who = repetition === 1 ? variant.label : `${variant.label} (trial ${repetition})`;
    if (outcome.status === 'failed') return [paint('red', `failed: ${who}: ${outcome.message}`)];
    return all.map(({ level, message }) => (level === 'invalid' ? paint('red', `does not count: ${who}: ${message}`) : `note: ${who}: ${message}`));
  });
  // What holds for all variants alike is said once.
  return lines.length === 0 ? [] : ['', ...gathered(lines).map((line) => wrapped(line, columns))];
}

/** Lines that differ only in who they speak of become one. */
function gathered(lines: readonly string[]): string[] {
  const groups = Map.groupBy(lines, (line) => line.replace(/: [^:]+: /, ': '));
  return [...groups.values()].map((same) => {
    const [first] = same as [string];
    if (same.length === 1) return first;
    const names = same.map((line) => /: ([^:]+): /.exec(line)?.[1] ?? '');
    return first.replace(/: [^:]+: /, () => `: ${names.join(', ')}: `);
  });
}

function wrapped(text: string, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}
