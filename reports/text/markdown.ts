// Writes a result as Markdown for a job summary: the answer, the expectations, the table, the warnings. It is
// GitHub's flavour, for its tables, and the only HTML in it is what escapes text.

import type { Result } from '../../core/result/result.ts';
import { awayLines } from '../summary/away.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { headlineOf } from '../summary/headline.ts';
import { expectationsTitle, expectedOf, openIn, verdictWords } from '../summary/notices.ts';
import { afterTrialsLines } from '../summary/searches.ts';
import { withinRun, withRange } from '../summary/figure-text.ts';
import { coresText } from '../../core/result/machine-text.ts';
import { resultTable, type Cell } from '../summary/summary-table.ts';
import { isSimulated, leavesOutLines, notSimulatedLines, simulatedLines } from '../summary/simulated.ts';
import { variantsOf } from '../summary/variants.ts';
import { groupText, headOf, warningGroups } from '../summary/warnings.ts';
import { workersLine } from '../summary/workers.ts';
import { atLoadMarkdown } from './at-load.ts';
import { codeSpan, markdownTable, markdownText } from './markdown-text.ts';

/** Expectations that held are counted; of the others, more than this are counted too. */
const openShown = 100;

export function renderMarkdown(results: readonly Result[]): string {
  const title = [...new Set(results.map(({ scenario }) => scenario.name))].join(', ');
  const atLoad = atLoadMarkdown(results);
  const parts = [
    `## pushbench: ${markdownText(title)}${results.every(isSimulated) ? ', simulated' : ''}`,
    `**${markdownText(headlineOf(results))}**`,
    ...simulatedLines(results).map(markdownText),
    ...atLoad,
    ...(atLoad.length === 0 ? [] : ['### Results']),
    ...expectations(results),
    comparison(results),
    ...[costRateLine(results) ?? []].flat().map(markdownText),
    ...awayLines(results).map(markdownText),
    ...afterTrialsLines(results).map(markdownText),
    ...simulation(results),
    ...warnings(results),
    ...results.flatMap((result) => workersLine(result) ?? []).map(markdownText),
    ...results.map(
      ({ command, createdAt, pushbench, environment, simulated }) =>
        `${simulated ? 'Simulated' : 'Measured'} ${createdAt.slice(0, 19).replace('T', ' ')} UTC with ` +
        `pushbench ${markdownText(pushbench)} ${simulated ? 'for' : 'on'} ` +
        `${markdownText(environment.cpu)}, ${coresText(environment)}; ` +
        `repeat it with ${codeSpan(command)}.`,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

function expectations(results: readonly Result[]): string[] {
  const all = expectedOf(results);
  if (all.length === 0) return [];
  if (all.every(({ verdict }) => verdict === 'held')) return [`✅ ${expectationsTitle(all)}.`];
  const open = openIn(all);
  const rows = open
    .slice(0, openShown)
    .map(({ who, check, measured, bound, verdict }) => [
      markdownText(who),
      codeSpan(check),
      markdownText(measured),
      markdownText(bound),
      verdictWords[verdict],
    ]);
  const more = open.length > openShown ? [`and ${open.length - openShown} more`] : [];
  return [
    `${open.some(({ verdict }) => verdict === 'failed') ? '❌' : '⚠️'} ${expectationsTitle(all)}.`,
    markdownTable(
      ['variant', 'expected', [...new Set(all.map(({ made }) => made))].join(' or '), 'bound', 'verdict'],
      '--rr-',
      rows,
    ),
    ...more,
  ];
}

function comparison(results: readonly Result[]): string {
  const { columns, rows, notes } = resultTable(results);
  const shown = columns.flatMap(({ title }, i) =>
    rows.some(({ cells }) => cells[i]!.text !== '—') ? [{ title, i }] : [],
  );
  const body = rows.map(({ label, out, of, came, cells }) => [
    `${markdownText(label)}${out === undefined ? '' : ` *(${out})*`}${of === undefined ? '' : `, ${of}`}` +
      (came ? ' (latencies of deliveries that arrived)' : ''),
    ...shown.map(({ i }) => cellText(cells[i]!)),
  ]);
  const table = markdownTable(
    ['', ...shown.map(({ title }) => markdownText(title))],
    `-${'r'.repeat(shown.length)}`,
    body,
  );
  const intervals = rows.some(({ cells }) => cells.some(({ within = '' }) => within !== ''));
  return [table, ...(intervals ? [withinRun] : []), ...notes.map(markdownText)].join('\n\n');
}

function cellText({ text, range, within, of, void: isVoid }: Cell): string {
  if (isVoid) return `*${text}*`;
  return markdownText(`${withRange(text, range ?? within)}${of === undefined ? '' : `, ${of}`}`);
}

/** What is not in simulated figures. */
function simulation(results: readonly Result[]): string[] {
  const lines = [...leavesOutLines(variantsOf(results)), ...notSimulatedLines(results)];
  if (lines.length === 0) return [];
  return ['Not in the simulated figures:', lines.map((line) => `- ${markdownText(line)}`).join('\n')];
}

function warnings(results: readonly Result[]): string[] {
  const all = warningGroups(variantsOf(results));
  return all.length === 0
    ? []
    : [
        all
          .map((group) => `- **${markdownText(headOf(group))}**: ${markdownText(groupText(group))}`)
          .join('\n'),
      ];
}
