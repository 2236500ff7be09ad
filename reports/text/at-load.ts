// Writes the answer to "which pattern?" as text: the figures at each load with a line of reasoning for each
// variant, and where in a matrix the choice changes. For terminals and for Markdown.

import type { Result } from '../../core/result/result.ts';
import { loadColumns, loadsOf, missingLines, type AtLoad, type LoadRow } from '../summary/at-load.ts';
import { choicesOf, choiceText, type Choices } from '../summary/choices.ts';
import { withRange } from '../summary/figure-text.ts';
import type { Cell, Table } from '../summary/summary-table.ts';
import { variantsOf } from '../summary/variants.ts';
import { codeSpan, markdownTable, markdownText } from './markdown-text.ts';
import { tableLines, type Paint } from './table.ts';
import { wrapped } from './wrap.ts';

/** More loads than this are left to the table of all figures. */
const mostLoads = 4;

/** @returns lines for the terminal; none where there is no load and no matrix */
export function atLoadLines(results: readonly Result[], columns: number, paint: Paint): string[] {
  return [
    ...loadsOf(results)
      .slice(0, mostLoads)
      .flatMap((load) => [
        wrapped(paint('bold', `${titleOf(load)}: ${load.setting}`), columns),
        ...loadLines(load, columns, paint),
        '',
      ]),
    ...choicesOf(variantsOf(results)).flatMap((choices) => [
      paint('bold', `${choicesTitle(choices)}:`),
      ...choices.changes.map((line) => wrapped(line, columns)),
      ...choices.rows.map((row) => wrapped(choiceLine(row, choices), columns)),
      '',
    ]),
  ];
}

/** The figures of a load, and a line of reasoning for each of its variants. */
export function loadLines(load: AtLoad, columns: number, paint: Paint): string[] {
  return [
    ...tableLines(loadTable(load), columns, paint),
    ...load.rows.map(({ label, reason }) => wrapped(`${label}: ${reason.text}`, columns)),
    ...missingLines(load).map((line) => paint('dim', wrapped(line, columns))),
  ];
}

/** The same as parts of a Markdown document. */
export function atLoadMarkdown(results: readonly Result[]): string[] {
  return [
    ...loadsOf(results)
      .slice(0, mostLoads)
      .flatMap((load) => {
        const missing = missingLines(load);
        return [
          `### ${markdownText(titleOf(load))}`,
          `${markdownText(load.setting)}.`,
          markdownTable(
            ['', ...loadColumns.map(({ title }) => title), 'lost'],
            `-${'r'.repeat(loadColumns.length + 1)}`,
            load.rows.map((row) => [markdownText(row.label), ...cellsOf(row).map(cellText)]),
          ),
          load.rows
            .map(({ label, reason }) => `- **${markdownText(label)}**: ${markdownText(reason.text)}`)
            .join('\n'),
          ...(missing.length === 0 ? [] : [missing.map(markdownText).join(' ')]),
        ];
      }),
    ...choicesOf(variantsOf(results)).flatMap((choices) => [
      `### ${markdownText(choicesTitle(choices))}`,
      ...(choices.changes.length === 0
        ? []
        : [choices.changes.map((line) => `- ${markdownText(line)}`).join('\n')]),
      markdownTable(
        [`lowest by ${markdownText(choices.parameter)}`, ...choices.places.map(codeSpan)],
        '-'.repeat(choices.places.length + 1),
        choices.rows.map(({ title, cells }) => [
          markdownText(title),
          ...cells.map((cell) => {
            const text = markdownText(choiceText(cell));
            return cell?.changed ? `**${text}**` : text;
          }),
        ]),
      ),
    ]),
  ];
}

function titleOf({ name }: AtLoad): string {
  return `At this load${name === '' ? '' : ` (${name})`}`;
}

function choicesTitle({ name }: Choices): string {
  return `Where the choice changes${name === '' ? '' : ` (${name})`}`;
}

function loadTable({ rows }: AtLoad): Table {
  return {
    columns: [
      ...loadColumns.map(({ key, short }) => ({ key, title: short, note: '' })),
      { key: 'lost', title: 'lost', note: '' },
    ],
    rows: rows.map((row) => ({
      label: row.label,
      pattern: row.pattern,
      out: undefined,
      cells: cellsOf(row),
    })),
    notes: [],
  };
}

function cellsOf({ figures, lost }: LoadRow): Cell[] {
  return [
    ...loadColumns.map(({ key }): Cell => {
      const { text, value, range, void: isVoid } = figures[key];
      return {
        text,
        value,
        ...(range !== undefined && { range }),
        ...(isVoid && { void: isVoid }),
      };
    }),
    { text: lost.text, value: lost.missed, ...(lost.void && { void: lost.void }) },
  ];
}

function cellText({ text, range, void: isVoid }: Cell): string {
  return isVoid ? `*${text}*` : markdownText(withRange(text, range));
}

/** `requests per delivery: at 1, sse 0 (webhook 1); at 10, ...` */
function choiceLine({ title, cells }: Choices['rows'][number], { places }: Choices): string {
  return `${title}: ${cells.map((cell, i) => `at ${places[i]!}, ${choiceText(cell)}`).join('; ')}`;
}
