// Prints a run when it is over: the answer, the table, the expectations, the warnings.

import { styleText } from 'node:util';
import { mostHeadroom } from '../../core/metrics/headroom.ts';
import { oneLineTexts, withoutCommands } from '../../core/base/printable.ts';
import type { Result } from '../../core/result/result.ts';
import { awayLines } from '../summary/away.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { headlineOf } from '../summary/headline.ts';
import { expectationsTitle, expectedOf, leftOutLines, openIn, verdictWords } from '../summary/notices.ts';
import { afterTrialsLines } from '../summary/searches.ts';
import { resultTable, type Table } from '../summary/summary-table.ts';
import { headroomText } from '../summary/figure-text.ts';
import { loadUses, nearestUse } from '../summary/load-use.ts';
import { leavesOutLines, notSimulatedLines, simulatedLines } from '../summary/simulated.ts';
import { variantsOf } from '../summary/variants.ts';
import { groupText, headOf, warningGroups } from '../summary/warnings.ts';
import { atLoadLines } from './at-load.ts';
import { tableLines, type Paint } from './table.ts';
import { unknownColumns, wrapped, type TerminalOptions } from './wrap.ts';

/** @returns the text, laid out for the width of the terminal */
export function renderTable(given: readonly Result[], { columns: told, color }: TerminalOptions): string {
  const columns = told || unknownColumns;
  const results = oneLineTexts(given);
  const paint: Paint = (style, text) => (color ? styleText(style, text, { validateStream: false }) : text);
  const table = resultTable(results);
  const parts = [
    '',
    wrapped(paint('bold', headlineOf(results)), columns),
    ...simulatedLines(results).map((line) => wrapped(line, columns)),
    '',
    ...atLoadLines(results, columns, paint),
    ...tableLines(table, columns, paint),
    ...table.notes.flatMap((line) => [wrapped(line, columns), '']),
    ...partLines(table).map((line) => wrapped(line, columns)),
    ...awayLines(results).map((line) => wrapped(line, columns)),
    ...afterTrialsLines(results).map((line) => wrapped(line, columns)),
    ...[costRateLine(results) ?? []].flat().map((line) => paint('dim', wrapped(line, columns))),
    ...headroomLine(results).map((line) => paint('dim', wrapped(line, columns))),
    ...expectations(results, columns, paint),
    ...warnings(results, columns, paint),
    ...simulationLines(results).map((line) => wrapped(line, columns)),
    ...leftOutLines(results).map((line) => wrapped(line, columns)),
  ];
  return withoutCommands(`${parts.join('\n')}\n`);
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

/** How far the load generator was from its limits, of the trial where it was nearest. */
function headroomLine(results: readonly Result[]): string[] {
  const nearest = nearestUse(loadUses(variantsOf(results)));
  if (!nearest) return [];
  const { headroom, who } = nearest;
  const text = `${headroomText(headroom)}${headroom < mostHeadroom ? ` (${who})` : ''}.`;
  return [
    headroom < 1 ? `The load generator was overloaded: headroom ${text}` : `Load generator headroom: ${text}`,
  ];
}

function expectations(results: readonly Result[], columns: number, paint: Paint): string[] {
  const all = expectedOf(results);
  if (all.length === 0) return [];
  const open = openIn(all);
  const title = expectationsTitle(all);
  return [
    all.every(({ verdict }) => verdict === 'held')
      ? paint('green', wrapped(`${title}.`, columns))
      : wrapped(`${title}.`, columns),
    ...open.map(({ who, check, made, measured, verdict }) => {
      const figure = verdict === 'not-judged' ? measured : `${made} ${measured}`; // the first has none
      const line = wrapped(`  ${verdictWords[verdict]}: ${who}: ${check} (${figure})`, columns);
      return verdict === 'failed' ? paint('red', line) : line;
    }),
  ];
}

/** What is not in simulated figures. */
function simulationLines(results: readonly Result[]): string[] {
  const lines = leavesOutLines(variantsOf(results));
  return [
    ...(lines.length === 0 ? [] : ['', 'Not in the simulated figures:', ...lines.map((line) => `  ${line}`)]),
    ...notSimulatedLines(results),
  ];
}

function warnings(results: readonly Result[], columns: number, paint: Paint): string[] {
  const lines = warningGroups(variantsOf(results)).map((group) => {
    const text = wrapped(`${headOf(group)}: ${groupText(group)}`, columns);
    return group.level === 'note' ? text : paint('red', text);
  });
  return lines.length === 0 ? [] : ['', ...lines];
}
