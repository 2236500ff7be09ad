// Prints a comparison: the answer, a table for each variant, and what the answer depends on.

import { styleText } from 'node:util';
import type { Comparison, Judged } from '../../core/comparison/comparison-result.ts';
import { oneLineTexts, withoutCommands } from '../../core/base/printable.ts';
import {
  circumstances,
  comparisonHeadline,
  countedText,
  intervalTitle,
  toldOf,
  type MetricRow,
} from './words.ts';
import { droppedTexts, pairLabel, variantWord } from './verdict-words.ts';
import { unknownColumns, wrapped, type TerminalOptions } from '../text/wrap.ts';

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

export function renderComparison(given: Comparison, { columns: told, color }: TerminalOptions): string {
  const columns = told || unknownColumns;
  const comparison = oneLineTexts(given);
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const { advisory, other } = circumstances(comparison);
  const lines = [
    '',
    wrapped(paint('bold', comparisonHeadline(comparison)), columns),
    '',
    ...comparison.variants.flatMap((judged) =>
      variantLines(judged, intervalTitle(comparison), columns, paint),
    ),
    ...advisory.map((text) => wrapped(paint('yellow', `advisory: ${text}.`), columns)),
    ...other.map((text) => wrapped(`note: ${text}`, columns)),
  ];
  return withoutCommands(`${lines.join('\n').trimEnd()}\n`);
}

function variantLines(judged: Judged, interval: string, columns: number, paint: Paint): string[] {
  const head = `${pairLabel(judged)}: ${variantWord(judged)} (${countedText(judged)})`;
  const dropped = droppedTexts(judged).map((text) => wrapped(`  ${text}`, columns));
  const { rows, rest } = toldOf(judged);
  if (judged.metrics.length === 0)
    return [paint('red', wrapped(`${head}: ${judged.why}`, columns)), ...dropped, ''];
  const heads = ['', 'baseline', 'candidate', 'change', interval, 'p (Holm)', ''];
  const cells = rows.flatMap((row) => [cellsOf(row), rangesOf(row)]);
  const widths = heads.map((head, i) => Math.max(head.length, ...cells.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    (
      '  ' +
      row
        .map((cell, i) =>
          i === 0 || i === row.length - 1 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!),
        )
        .join('  ')
    ).trimEnd();
  return [
    paint(judged.verdict === 'slower' ? 'red' : 'bold', wrapped(head, columns)),
    ...dropped,
    ...(Math.max(...[heads, ...cells].map((row) => line(row).length)) > columns
      ? rows.flatMap((row) => narrowLines(row, interval, columns, paint))
      : [
          paint('dim', line(heads)),
          ...rows.flatMap((row) => [
            paint(styleOf(row), line(cellsOf(row))),
            ...(row.baselineRange + row.candidateRange === '' ? [] : [paint('dim', line(rangesOf(row)))]),
          ]),
        ]),
    ...rest.map((text) => paint('dim', wrapped(`  ${text}`, columns))),
    '',
  ];
}

/** A row that is wider than the terminal, in words. */
function narrowLines(row: MetricRow, interval: string, columns: number, paint: Paint): string[] {
  const ranged = (text: string, range: string) => (range === '' ? text : `${text} (${range})`);
  const figures = [
    `baseline ${ranged(row.baseline, row.baselineRange)}`,
    `candidate ${ranged(row.candidate, row.candidateRange)}`,
    ...(row.change === '' ? [] : [`change ${row.change}`]),
    ...(row.interval === '' ? [] : [`${interval} ${row.interval}`]),
    ...(row.p === '' ? [] : [`p (Holm) ${row.p}`]),
  ];
  return [
    paint(styleOf(row), wrapped(`  ${row.title}${row.verdict === '' ? '' : `: ${row.verdict}`}`, columns)),
    paint('dim', wrapped(`    ${figures.join(', ')}`, columns)),
  ];
}

function cellsOf({ title, baseline, candidate, change, interval, p, verdict }: MetricRow): string[] {
  return [title, baseline, candidate, change, interval, p, verdict];
}

/** Below the figures: the lowest to the highest run. */
function rangesOf({ baselineRange, candidateRange }: MetricRow): string[] {
  return ['', baselineRange, candidateRange, '', '', '', ''];
}

function styleOf({ metric, marked }: MetricRow): Style {
  if (metric.verdict === 'slower') return 'red';
  if (metric.verdict === 'not-judged') return 'yellow';
  return marked ? 'yellow' : metric.verdict === null ? 'dim' : 'reset';
}
