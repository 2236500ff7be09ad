// Prints a run when it is over: the answer, the table, the expectations, the warnings.

import { styleText } from 'node:util';
import { mostHeadroom } from '../../core/metrics/headroom.ts';
import { oneLineTexts, withoutCommands } from '../../core/base/printable.ts';
import type { Result } from '../../core/result/result.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { headlineOf } from '../summary/headline.ts';
import {
  expectationsTitle,
  expectedOf,
  leftOutLines,
  verdictWords,
  warningsByVariant,
} from '../summary/notices.ts';
import { afterTrialsLines } from '../summary/searches.ts';
import { resultTable, type Table } from '../summary/summary-table.ts';
import { headroomText } from '../summary/figure-text.ts';
import { loadUses, nearestUse } from '../summary/load-use.ts';
import { variantsOf } from '../summary/variants.ts';

export type TerminalOptions = { columns: number; color: boolean };

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

/** @param columns width of the terminal; columns that do not fit go into a block of their own below */
export function renderTable(given: readonly Result[], { columns, color }: TerminalOptions): string {
  const results = oneLineTexts(given);
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const table = resultTable(results);
  const parts = [
    '',
    wrapped(paint('bold', headlineOf(results)), columns),
    '',
    ...tableBlocks(table, Math.max(80, columns), paint),
    ...table.notes.flatMap((line) => [wrapped(line, columns), '']),
    ...partLines(table).map((line) => wrapped(line, columns)),
    ...afterTrialsLines(results).map((line) => wrapped(line, columns)),
    ...[costRateLine(results) ?? []].flat().map((line) => paint('dim', wrapped(line, columns))),
    ...headroomLine(results).map((line) => paint('dim', line)),
    ...expectations(results, paint),
    ...warnings(results, columns, paint),
    ...leftOutLines(results).map((line) => wrapped(line, columns)),
  ];
  return withoutCommands(`${parts.join('\n')}\n`);
}

function tableBlocks({ columns, rows }: Table, width: number, paint: Paint): string[] {
  // Several trials: the median, and below it the lowest and the highest.
  const spread = rows.some(({ cells }) => cells.some(({ range }) => range !== undefined));
  const labels = ['', ...rows.map((row) => row.label)];
  const labelWidth = Math.max(...labels.map((label) => label.length));
  // A title of two words stands on two lines, so that figures and not titles decide the width.
  const all = columns.map(({ title }, i) => {
    const [top, bottom] = title.includes(' / ')
      ? [title.split(' / ')[0]!, `/ ${title.split(' / ')[1]}`]
      : ['', title];
    const cells = [
      top,
      bottom,
      ...rows.flatMap((row) =>
        spread ? [row.cells[i]!.text, row.cells[i]!.range ?? ''] : [row.cells[i]!.text],
      ),
    ];
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
    const lines = ['', '', ...rows.flatMap((row) => (spread ? [row.label, ''] : [row.label]))].map(
      (label, line) => {
        const text = [
          label.padEnd(labelWidth),
          ...block.map((column) => column.cells[line]!.padStart(column.width)),
        ]
          .join('  ')
          .trimEnd();
        const row = spread && line % 2 === 1 ? undefined : rows[spread ? (line - 2) / 2 : line - 2];
        if (!row) return paint('dim', text);
        return row.out === undefined ? text : paint('red', `${text}  (${row.out})`);
      },
    );
    return [...lines.filter((line, i) => i > 0 || line.trim() !== ''), ''];
  });
}

/** Figures that are not of all trials: `webhook: p50, p90 of 2 of 3 trials; void or failed in the others.` */
function partLines({ columns, rows }: Table): string[] {
  return rows.flatMap(({ label, of: whole, cells }) => {
    const said = cells.flatMap(({ of = whole, value }, i) =>
      of === undefined || value === undefined ? [] : [{ of, title: columns[i]!.title }],
    );
    return [...Map.groupBy(said, ({ of }) => of)].map(([of, same]) => {
      const what =
        whole === undefined ? `${same.map(({ title }) => title).join(', ')} are` : 'all figures are';
      return `${label}: ${what} of ${of}; void or failed in the others.`;
    });
  });
}

/** How far the load side was from its limits, of the trial where it was nearest. */
function headroomLine(results: readonly Result[]): string[] {
  const nearest = nearestUse(loadUses(variantsOf(results)));
  if (!nearest) return [];
  const { headroom, who } = nearest;
  const text = `${headroomText(headroom)}${headroom < mostHeadroom ? ` (${who})` : ''}.`;
  return [
    headroom < 1
      ? `The load side was overloaded: it could have taken only ${text}`
      : `The load side could have taken ${text}`,
  ];
}

function expectations(results: readonly Result[], paint: Paint): string[] {
  const all = expectedOf(results);
  if (all.length === 0) return [];
  const open = all.filter(({ verdict }) => verdict !== 'held');
  const title = expectationsTitle(all);
  return [
    open.length === 0 ? paint('green', `${title}.`) : `${title}.`,
    ...open.map(({ who, check, measured, verdict }) => {
      const line = `  ${verdictWords[verdict]}: ${who}: ${check} (measured ${measured})`;
      return verdict === 'failed' ? paint('red', line) : line;
    }),
  ];
}

function warnings(results: readonly Result[], columns: number, paint: Paint): string[] {
  const lines = warningsByVariant(variantsOf(results)).map(({ level, head, who, message }) => {
    const text = wrapped(`${head.charAt(0).toLowerCase()}${head.slice(1)}: ${who}: ${message}`, columns);
    return level === 'note' ? text : paint('red', text);
  });
  return lines.length === 0 ? [] : ['', ...lines];
}

/** Words in lines of at most so many columns. */
export function wrapped(text: string, columns: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= columns) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}
