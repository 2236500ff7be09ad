// Writes a result as Markdown for a job summary: the answer, the expectations, the table, the warnings. It is
// GitHub's flavour, for its tables, and the only HTML in it is what escapes text.

import { oneLine } from '../../core/base/printable.ts';
import type { Result } from '../../core/result/result.ts';
import { costRateLine } from '../summary/cost-rate.ts';
import { headlineOf } from '../summary/headline.ts';
import { expectationsTitle, expectedOf, verdictWords, warningsByVariant } from '../summary/notices.ts';
import { afterTrialsLines } from '../summary/searches.ts';
import { withinRun, withRange } from '../summary/figure-text.ts';
import { coresText } from '../../core/result/machine-text.ts';
import { resultTable, type Cell } from '../summary/summary-table.ts';
import { variantsOf } from '../summary/variants.ts';

/** Expectations that held are counted; of the others, more than this are counted too. */
const openShown = 100;

export function renderMarkdown(results: readonly Result[]): string {
  const title = [...new Set(results.map(({ scenario }) => scenario.name))].join(', ');
  const parts = [
    `## pushbench: ${markdownText(title)}`,
    `**${markdownText(headlineOf(results))}**`,
    ...expectations(results),
    comparison(results),
    ...[costRateLine(results) ?? []].flat().map(markdownText),
    ...afterTrialsLines(results).map(markdownText),
    ...warnings(results),
    ...results.map(
      ({ command, createdAt, pushbench, environment }) =>
        `Measured ${createdAt.slice(0, 19).replace('T', ' ')} UTC with pushbench ` +
        `${markdownText(pushbench)} on ${markdownText(environment.cpu)}, ${coresText(environment)}; ` +
        `repeat it with ${codeSpan(command)}.`,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

function expectations(results: readonly Result[]): string[] {
  const all = expectedOf(results);
  if (all.length === 0) return [];
  const open = all.filter(({ verdict }) => verdict !== 'held');
  if (open.length === 0) return [`✅ ${expectationsTitle(all)}.`];
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
    markdownTable(['variant', 'expected', 'measured', 'bound', 'verdict'], '--rr-', rows),
    ...more,
  ];
}

function comparison(results: readonly Result[]): string {
  const { columns, rows, notes } = resultTable(results);
  const shown = columns.flatMap(({ title }, i) =>
    rows.some(({ cells }) => cells[i]!.text !== '—') ? [{ title, i }] : [],
  );
  const body = rows.map(({ label, out, of, cells }) => [
    `${markdownText(label)}${out === undefined ? '' : ` *(${out})*`}${of === undefined ? '' : `, ${of}`}`,
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

function warnings(results: readonly Result[]): string[] {
  const all = warningsByVariant(variantsOf(results));
  return all.length === 0
    ? []
    : [
        all
          .map(({ head, who, message }) => `- **${head}**: ${markdownText(who)}: ${markdownText(message)}`)
          .join('\n'),
      ];
}

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
