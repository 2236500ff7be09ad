// Puts a history into words and figures, and prints it.

import { styleText } from 'node:util';
import type { History, HistoryChange, HistoryPoint, HistorySeries } from '../../core/comparison/history.ts';
import { oneLineTexts, withoutCommands } from '../../core/base/printable.ts';
import { counted } from '../../core/base/counted.ts';
import { listNames } from '../../core/base/suggest.ts';
import { changeText } from '../comparison/words.ts';
import { titleOf } from '../comparison/verdict-words.ts';
import { rangeText } from '../summary/figure-text.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { unknownColumns, wrapped, type TerminalOptions } from '../text/wrap.ts';

/** More names than this are counted. */
const cutListed = 8;
/** Fewest runs of which a change can be told: of fewer, even the clearest order may be chance. */
const fewestRuns = 14;
/** A change shows reliably when so many runs have followed it; of tenfold steps, a third do after 5. */
const runsAfter = 8;

export function historyHeadline({ scenario, sets, series }: History): string {
  const changes = series.flatMap(({ changes: own }) => own);
  const of = `${counted(sets.length, 'saved run')} of ${scenario}`;
  if (series.length === 0) return `${of}: none of them has a valid figure, so there is nothing to follow.`;
  if (sets.length < fewestRuns)
    return (
      `${of}: too few to tell a change from chance, which takes about ${fewestRuns}, ` +
      `${runsAfter} of them after the change.`
    );
  if (changes.length === 0)
    return `${of}: no change point found. One shows reliably only after about ${runsAfter} more runs.`;
  const worse = changes.filter(({ ratio }) => ratio > 1).length;
  return `${of}: ${counted(changes.length, 'change point')}, ${worse} for the worse.`;
}

/** `2026-01-02, at abc1234 (before: def5678)`. */
export function whenText({ point, before }: HistoryChange): string {
  const commits =
    point.commit === null
      ? ''
      : `, at ${point.commit}` +
        (before.commit === null || before.commit === point.commit ? '' : ` (before: ${before.commit})`);
  return `${point.createdAt.slice(0, 16).replace('T', ' ')}${commits}`;
}

export function valueText({ unit }: HistorySeries, value: number): string {
  return formatMetric(value, unit);
}

/** Of a saved run's trials, the lowest to the highest; empty where they read alike. */
export function spreadText({ unit }: HistorySeries, { low, high }: HistoryPoint): string {
  return rangeText([low, high], unit);
}

export function changeSentence(series: HistorySeries, change: HistoryChange): string {
  return (
    `${series.variant}: ${titleOf(series.metric)} ${changeText(change.ratio)} ` +
    `from ${change.point.name} on (${whenText(change)})`
  );
}

/** Sentences on what breaks the series. */
export function historyNotes({ moves, leftOut, cut, sets }: History): string[] {
  return [
    ...moves.map(
      ({ place, from, to }) =>
        `Another machine or runtime since ${sets[place]!.name}: ${to}; before: ${from}. No change is ` +
        'looked for across this.',
    ),
    ...(cut.length === 0 ? [] : [`Cut short and left out: ${listNames(cut, cutListed)}.`]),
    ...(leftOut.length === 0 ? [] : [`Of other scenarios and left out: ${leftOut.length}.`]),
  ];
}

/** What is printed: the changes, and the newest figures. */
export function renderHistory(given: History, { columns: told, color }: TerminalOptions): string {
  const columns = told || unknownColumns;
  const history = oneLineTexts(given);
  const paint = (style: 'bold' | 'red' | 'green' | 'dim', text: string) =>
    color ? styleText(style, text, { validateStream: false }) : text;
  const changes = history.series.flatMap((series) =>
    series.changes.map((change) => ({ change, text: changeSentence(series, change) })),
  );
  const rows = history.series.map((series) => {
    const newest = series.points.at(-1)!; // a series has points
    return [
      series.variant,
      titleOf(series.metric),
      valueText(series, newest.value),
      spreadText(series, newest),
      counted(series.points.length, 'point'),
    ];
  });
  const widths = [0, 1, 2, 3, 4].map((i) => Math.max(0, ...rows.map((row) => row[i]!.length)));
  const lines = [
    '',
    wrapped(paint('bold', historyHeadline(history)), columns),
    '',
    ...changes.map(({ change, text }) => paint(change.ratio > 1 ? 'red' : 'green', wrapped(text, columns))),
    ...(changes.length === 0 ? [] : ['']),
    paint('dim', 'Newest figures:'),
    ...rows.map((row) => {
      const padded = row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)));
      const line = `  ${padded.join('  ')}`.trimEnd();
      return line.length <= columns
        ? line
        : wrapped(`  ${row.filter((cell) => cell !== '').join(', ')}`, columns);
    }),
    ...historyNotes(history).map((text) => wrapped(`note: ${text}`, columns)),
  ];
  return withoutCommands(`${lines.join('\n')}\n`);
}
