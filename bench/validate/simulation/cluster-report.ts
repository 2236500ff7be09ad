// Writes what came of the validation of simulated clusters and webhooks: claims with their bars, errors by
// figure, and every case. Pure.

import { formatNumber } from '../../../core/base/units.ts';
import { table, type Claim } from '../part.ts';
import { figureNames, type FigureName } from './figures.ts';
import { orderOf, summaryOf, type Row } from './judge.ts';
import { betweenText, coverageText, predictedText, share, titles, valueText, withinClaim } from './words.ts';

export type SteadyRow = Row<'simulated'> & { kind: 'cluster' | 'webhook'; setUp: string };

const kinds = { cluster: 'clusters', webhook: 'webhooks' } as const;

/** What stands beside no server has no CPU to predict. */
function rowsWith(rows: readonly SteadyRow[], figure: FigureName): readonly SteadyRow[] {
  return figure === 'besideCpu' ? rows.filter(({ measured }) => measured.besideCpu > 0) : rows;
}

/** @param rows at least one */
export function steadyClaims(rows: readonly SteadyRow[]): Claim[] {
  return [
    ...eachKind(rows).flatMap(([kind, own]) =>
      figureNames.flatMap((figure) =>
        withinClaim(rowsWith(own, figure), figure, `${kinds[kind]}, ${titles[figure]}`),
      ),
    ),
    ...orderClaim(rows.filter(({ kind }) => kind === 'cluster')),
  ];
}

function eachKind(rows: readonly SteadyRow[]): [SteadyRow['kind'], SteadyRow[]][] {
  return [...Map.groupBy(rows, ({ kind }) => kind)];
}

function orderClaim(clusters: readonly SteadyRow[]): Claim[] {
  const { right, of } = orderOf(clusters, 'simulated');
  if (of === 0) return [];
  return [
    {
      text:
        'two clusters of one size and rate whose measured medians differ for sure come in the right order: ' +
        `${right} of ${of}`,
      held: right === of,
    },
  ];
}

/** @param rows at least one */
export function steadyMarkdown(rows: readonly SteadyRow[]): string {
  const errors = eachKind(rows).flatMap(([kind, own]) =>
    figureNames.flatMap((figure) => {
      const summary = summaryOf(rowsWith(own, figure), figure, 'simulated');
      if (!summary) return [];
      const { median, worst, within, of } = summary;
      return [[kinds[kind], titles[figure], share(median), share(worst), `${within} of ${of}`]];
    }),
  );
  return `Absolute errors of cases where the servers used less than 80 % of a core together; missed \
deliveries as a share of all:

${table(['', 'figure', 'median', 'largest', 'within the bar'], errors)}

${coverageText(rows)}\
Every case; measured, then predicted and by how much that is off, ✗ where it is outside of its bar. \
Deliveries, requests and bytes are those of a second:

${table(caseHeads, rows.map(caseCells))}`;
}

/** One after the other: measured, predicted. */
const inPairs = figureNames.filter((figure) => figure !== 'descriptors');
const caseHeads = [
  'pattern',
  'set-up',
  'subscribers',
  'events/s',
  'events',
  ...inPairs.flatMap((figure) => [titles[figure], 'predicted']),
];

function caseCells(row: SteadyRow): string[] {
  return [
    row.pattern,
    row.setUp,
    formatNumber(row.subscribers),
    formatNumber(row.perS),
    formatNumber(row.events),
    ...inPairs.flatMap((figure) => {
      const between = figure === 'p50' || figure === 'p99' ? betweenText(row.between[figure]) : '';
      return [`${valueText(row.measured[figure], figure)}${between}`, predictedText(row, figure)];
    }),
  ];
}
