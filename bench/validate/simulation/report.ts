// Writes what came of the validation of simulations: claims with their bars, errors beside those of the
// rivals, and every point. Pure.

import { formatNumber, formatShare, formatUs } from '../../../core/base/units.ts';
import { table, type Claim } from '../part.ts';
import { figureNames } from './figures.ts';
import { orderOf, predictors, summaryOf, type Predictor, type Row, type Summary } from './judge.ts';
import { betweenText, coverageText, predictedText, share, titles, withinClaim } from './words.ts';

const names: Record<Predictor, string> = {
  simulated: 'simulated',
  nearest: 'nearest calibrated run',
  plane: 'log-log plane',
};

/** One server that keeps up misses nothing, and nothing stands beside it. */
const gridFigures = figureNames.filter((figure) => figure !== 'missed' && figure !== 'besideCpu');
/** Over the whole grid, of streams and long polling: polling's latencies are held by themselves. */
const medianBars = { p50: 0.1, p99: 0.25 } as const;
/** What rivals predict at all well; counts follow from a scenario without any model. */
const contested = ['p50', 'p99', 'serverCpu'] as const;

/** @param rows at least one */
export function claimsOf(rows: readonly Row[]): Claim[] {
  const asking = rows.filter(({ pattern }) => pattern === 'polling');
  const others = rows.filter(({ pattern }) => pattern !== 'polling');
  return [
    ...gridFigures
      .filter((figure) => figure !== 'p50' && figure !== 'p99')
      .flatMap((figure) => withinClaim(rows, figure, titles[figure])),
    ...withinClaim(asking, 'p50', "polling's p50"),
    ...withinClaim(asking, 'p99', "polling's p99"),
    ...withinClaim(others, 'p50', 'p50 of streams and long polling'),
    ...withinClaim(others, 'p99', 'p99 of streams and long polling'),
    ...(['p50', 'p99'] as const).flatMap((figure) => medianClaim(others, figure)),
    ...contested.flatMap((figure) => rivalClaim(figure === 'serverCpu' ? rows : others, figure)),
    ...orderClaim(rows),
  ];
}

function medianClaim(rows: readonly Row[], figure: 'p50' | 'p99'): Claim[] {
  const summary = summaryOf(rows, figure, 'simulated');
  if (!summary) return [];
  return [
    {
      text:
        `median error of ${titles[figure]} of streams and long polling over the grid: ` +
        `${share(summary.median)} (at most ${share(medianBars[figure])})`,
      held: summary.median <= medianBars[figure],
    },
  ];
}

function rivalClaim(rows: readonly Row[], figure: (typeof contested)[number]): Claim[] {
  const [own, nearest, plane] = predictors.map((by) => summaryOf(rows, figure, by));
  if (!own || !nearest || !plane) return [];
  return [
    {
      text:
        `${titles[figure]}: the simulation's median error of ${share(own.median)} is below that of the ` +
        `nearest calibrated run (${share(nearest.median)}) and of the log-log plane (${share(plane.median)})`,
      held: own.median < nearest.median && own.median < plane.median,
    },
  ];
}

function orderClaim(rows: readonly Row[]): Claim[] {
  const { right, of } = orderOf(rows, 'simulated');
  if (of === 0) return [];
  return [
    {
      text: `two patterns whose measured medians differ for sure come in the right order: ${right} of ${of}`,
      held: right === of,
    },
  ];
}

/** @param rows at least one */
export function markdownOf(rows: readonly Row[]): string {
  const patterns = [...new Set(rows.map(({ pattern }) => pattern))];
  const cell = (summary: Summary | undefined) =>
    summary ? `${share(summary.median)} / ${share(summary.worst)}` : '';
  const errors = [...patterns, 'all'].flatMap((pattern) =>
    gridFigures.map((figure) => [
      pattern,
      titles[figure],
      ...predictors.map((by) =>
        cell(
          summaryOf(
            rows.filter((row) => pattern === 'all' || row.pattern === pattern),
            figure,
            by,
          ),
        ),
      ),
    ]),
  );
  return `Absolute errors, median / largest, of points where the server used less than 80 % of a core:

${table(['pattern', 'figure', ...predictors.map((by) => names[by])], errors)}

${coverageText(rows)}Every point; predicted and by how much that is off, ✗ where it is outside of its bar:

${pointsTable(rows)}`;
}

function pointsTable(rows: readonly Row<'simulated'>[]): string {
  return table(
    [
      'pattern',
      'subscribers',
      'events/s',
      'events',
      'p50',
      'predicted',
      'p99',
      'predicted',
      'CPU',
      'predicted',
    ],
    rows.map((row) => [
      row.pattern,
      formatNumber(row.subscribers),
      formatNumber(row.perS),
      formatNumber(row.events),
      `${formatUs(row.measured.p50)}${betweenText(row.between.p50)}`,
      predictedText(row, 'p50'),
      `${formatUs(row.measured.p99)}${betweenText(row.between.p99)}`,
      predictedText(row, 'p99'),
      formatShare(Number(row.measured.serverCpu.toPrecision(3))),
      predictedText(row, 'serverCpu'),
    ]),
  );
}

/** Of points that the profile has itself. @param rows at least one */
export function againClaims(rows: readonly Row<'simulated'>[]): Claim[] {
  const others = rows.filter(({ pattern }) => pattern !== 'polling');
  return [
    ...withinClaim(rows, 'serverCpu', titles.serverCpu),
    ...withinClaim(others, 'p50', 'p50 of streams and long polling'),
    ...withinClaim(others, 'p99', 'p99 of streams and long polling'),
  ];
}

/** @param rows at least one */
export function againMarkdown(rows: readonly Row<'simulated'>[]): string {
  return `Every point; what the profile has, and by how much that is off, ✗ where it is outside of its bar:

${pointsTable(rows)}`;
}
