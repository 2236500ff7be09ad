// Lays a table out for a terminal: upright where it fits, turned where it does not (a line for each metric),
// and turned in parts where even that is too wide.

import type { styleText } from 'node:util';
import type { Row, Table } from '../summary/summary-table.ts';
import { wrapped } from './wrap.ts';

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

const gap = '  ';
/** A column's title gets lines of so many characters when the table is turned. */
const titleColumns = 20;

/** @param width of the terminal; a column that is wider by itself is not broken */
export function tableLines(table: Table, width: number, paint: Paint): string[] {
  const columns = uprightColumns(table);
  const labels = ['', '', ...linesARow(table, ({ label }) => [label, ''])];
  const labelWidth = longest(labels);
  if (widthOf(columns, labelWidth) <= width) {
    const rows = [undefined, undefined, ...linesARow(table, (row) => [row, undefined])];
    const lines = labels.map((label, i) => {
      const text = lineOf(label, labelWidth, columns, i);
      const row = rows[i];
      if (row === undefined) return paint('dim', text);
      return row.out === undefined ? text : paint('red', `${text}  (${row.out})`);
    });
    return [...lines.filter((line, i) => i > 0 || line.trim() !== ''), ''];
  }
  return turnedBlocks(table, width, paint);
}

/** What each row puts on its lines: one, or two where there are ranges. */
function linesARow<T>(table: Table, two: (row: Row) => [T, T]): T[] {
  const lines = hasSpread(table) ? 2 : 1;
  return table.rows.flatMap((row) => two(row).slice(0, lines));
}

type Column = { cells: string[]; width: number };

/** Several trials: the median, and below it the lowest and the highest. */
function hasSpread({ rows }: Table): boolean {
  return rows.some(({ cells }) => cells.some(({ range }) => range !== undefined));
}

/** A title of two parts stands on two lines, so that figures and not titles decide the width. */
function uprightColumns(table: Table): Column[] {
  const spread = hasSpread(table);
  return table.columns.map(({ title }, i) => {
    const [before, after] = title.split(' / ');
    const figures = table.rows.flatMap(({ cells }) =>
      spread ? [cells[i]!.text, cells[i]!.range ?? ''] : [cells[i]!.text],
    );
    return column([...(after === undefined ? ['', title] : [before!, `/ ${after}`]), ...figures]);
  });
}

/** A column for each row of the table, as many side by side as fit. */
function turnedBlocks(table: Table, width: number, paint: Paint): string[] {
  const spread = hasSpread(table);
  const columns = table.rows.map(({ label, out, cells }) => ({
    out,
    title: [...wrapped(label, titleColumns).split('\n'), ...(out === undefined ? [] : [`(${out})`])],
    figures: cells.flatMap(({ text, range }) => (spread ? [text, range ?? ''] : [text])),
  }));
  const titles = table.columns.flatMap(({ title }) => (spread ? [title, ''] : [title]));
  const titleWidth = longest(titles);
  const blocks: (typeof columns)[] = [];
  for (const one of columns) {
    const last = blocks.at(-1);
    const together = [...(last ?? []), one].map(({ title, figures }) => column([...title, ...figures]));
    if (last && widthOf(together, titleWidth) <= width) last.push(one);
    else blocks.push([one]);
  }
  return blocks.flatMap((block) => {
    const heads = Math.max(...block.map(({ title }) => title.length));
    const labels = [...blank(heads), ...titles];
    const padded = block.map(({ title, figures, out }) => ({
      out,
      ...column([...blank(heads - title.length), ...title, ...figures]),
    }));
    const lines = labels.map((label, i) => {
      const head = i < heads;
      const rest = padded.map(({ cells, width: own, out }) => {
        const cell = cells[i]!.padStart(own);
        if (out !== undefined) return paint('red', cell);
        return head ? paint('bold', cell) : cell;
      });
      // A range that no column has would be an empty line.
      if (!head && label === '' && padded.every(({ cells }) => cells[i] === '')) return [];
      return [[paint('dim', label.padEnd(titleWidth)), ...rest].join(gap)];
    });
    return [...lines.flat(), ''];
  });
}

const blank = (lines: number) => Array.from({ length: lines }, () => '');

function column(cells: string[]): Column {
  return { cells, width: longest(cells) };
}

function lineOf(label: string, labelWidth: number, columns: readonly Column[], i: number): string {
  return [label.padEnd(labelWidth), ...columns.map(({ cells, width }) => cells[i]!.padStart(width))]
    .join(gap)
    .trimEnd();
}

function widthOf(columns: readonly Column[], labelWidth: number): number {
  return columns.reduce((sum, { width }) => sum + gap.length + width, labelWidth);
}

function longest(texts: readonly string[]): number {
  return texts.reduce((most, text) => Math.max(most, text.length), 0);
}
