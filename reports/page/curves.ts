// Draws the charts of a matrix: a metric over a parameter, a line for each variant, with the figures and the
// crossings as tables. What the points are is curve-data.ts.

import { counted, plural } from '../../core/base/counted.ts';
import { formatMetric } from '../../core/metrics/metric.ts';
import { durationAxis, lineSpec } from './chart-specs.ts';
import { pointOf, type Encoding, type Key, type Spec, type Unit } from './chart-style.ts';
import { drawChart } from './draw-chart.ts';
import { rangeText, withRange } from '../summary/figure-text.ts';
import {
  crossingPlace,
  curveSentence,
  curvesOf,
  isRanked,
  type Curve,
  type CurvePoint,
} from '../summary/curve-data.ts';
import type { Scale } from '../summary/crossings.ts';
import type { Figure } from './figure.ts';
import { html } from './markup.ts';
import { figureTable } from './table-markup.ts';
import { logTicks, plainLabels } from './ticks.ts';
import type { VariantTrials } from '../summary/variants.ts';

/** Whether a figure of the page is one of these. */
export function isCurve({ id }: Pick<Figure, 'id'>): boolean {
  return id.startsWith('curve-');
}

/** The lines of all curves, each once. */
export function curveKeys(variants: readonly VariantTrials[]): Key[] {
  const all = curvesOf(variants).flatMap(({ lines }) => lines);
  return [...new Map(all.map((line) => [line.label, line])).values()];
}

/** Each curve under a heading that says what it shows; none for results without a matrix. */
export async function curveFigures(
  variants: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [i, curve] of curvesOf(variants).entries()) {
    const heading = curveSentence(curve);
    const { metric, parameter, place, points, lines: own, crossings, leftOut } = curve;
    const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
    const pointAt = (label: string, x: number) =>
      points.find((point) => point.variant === label && point.x === x);
    const several = points.some(({ low, high }) => low !== high);
    const rows = own.map(({ label }) => ({
      head: label,
      cells: xs.map((x) => textOf(pointAt(label, x), curve)),
    }));
    const about = `${metric.title} over ${parameter}`;
    figures.push({
      id: `curve-${i}`,
      heading,
      reading:
        (several
          ? 'Each point is the median of its trials, with a line from the lowest to the highest'
          : 'Each point is a trial') +
        (xs.length > 1 ? '; the lines between them only guide the eye' : '') +
        '.' +
        (crossings.length > 0 ? ' A ring marks where lines cross; this place was not measured.' : '') +
        (leftOut > 0
          ? ` ${counted(leftOut, 'trial')} that failed or in which the figure is void ` +
            `${plural(leftOut, 'is', 'are')} left out.`
          : '') +
        (points.every(isRanked)
          ? ''
          : ' Figures with * are for the deliveries that arrived, because others were lost; they are not ' +
            'ranked.'),
      chart: await drawChart(
        curveSpec(curve),
        heading,
        `${about}, a line for each of ${own.map(({ label }) => label).join(', ')}; ` +
          'the figures are in the table below.',
        live,
        over,
      ),
      data: html`${figureTable(about, ['variant', ...xs.map(place)], rows)}${
        crossings.length === 0
          ? ''
          : figureTable(
              'Places between measured points at which the drawn lines cross',
              ['lower at first', { words: 'lower then' }, 'measured from', 'to', 'cross at about'],
              crossings.map((one) => ({
                head: one.below,
                cells: [one.above, place(one.from), place(one.to), crossingPlace(one, curve)],
              })),
              'Where lines cross',
            )
      }`,
    });
  }
  return figures;
}

function textOf(point: CurvePoint | undefined, { metric }: Curve): string {
  return point === undefined
    ? '—'
    : withRange(
        `${formatMetric(point.value, metric.unit)}${isRanked(point) ? '' : '*'}`,
        rangeText([point.low, point.high], metric.unit),
      );
}

/** Values as the axis shows them: milliseconds, percent. */
const scales: Record<string, { factor: number; title: string }> = {
  us: { factor: 1e-3, title: 'milliseconds' },
  share: { factor: 100, title: '%' },
  bytes: { factor: 1, title: 'bytes' },
};
/** A longer title than this does not fit beside the axis; the heading has it. */
const longestTitle = 28;

function curveSpec({ metric, title: xTitle, points, lines: own, scales: drawn, crossings }: Curve): Spec {
  const { factor, title: yTitle } = scales[metric.unit] ?? {
    factor: 1,
    title: metric.title.length <= longestTitle ? metric.title : 'number',
  };
  const looks = new Map(own.map(({ label, look }) => [label, look]));
  const scaled = (value: number) => Number((value * factor).toPrecision(5));
  const rows = points.map(({ variant, x, value, low, high }) => ({
    variant,
    ...pointOf(looks.get(variant)!),
    x,
    value: scaled(value),
    low: scaled(low),
    high: scaled(high),
  }));
  const encoding: Encoding = {
    x: axis('x', xTitle, [...new Set(rows.map(({ x }) => x))], { zero: false, scale: drawn.x }),
    y:
      metric.unit === 'us' && drawn.y === 'log'
        ? durationAxis(rows.flatMap(({ low, high }) => [low, high]))
        : axis('value', yTitle, logTicks(rows.flatMap(({ low, high }) => [low, high])), {
            zero: true,
            scale: drawn.y,
          }),
  };
  const spread: Unit = {
    mark: { type: 'rule', opacity: 0.5 },
    encoding: {
      ...encoding,
      y: { ...encoding.y, field: 'low' },
      y2: { field: 'high' },
      stroke: { field: 'tint', type: 'nominal', scale: null },
    },
  };
  const rings: Unit = {
    data: { values: crossings.map(({ x, value }) => ({ x, value: scaled(value) })) },
    mark: { type: 'point', shape: 'circle', filled: false, size: 190, color: 'currentColor', opacity: 0.7 },
    encoding,
  };
  return lineSpec(rows, own, {
    height: 240,
    encoding,
    pointSize: 60,
    under: [...(points.some(({ low, high }) => low !== high) ? [spread] : []), rings],
    told: {
      x: ['x', { unit: '', before: `${xTitle}: ` }],
      y: ['value', metric.unit === 'us' ? 'duration' : { unit: metric.unit === 'share' ? '%' : '' }],
    },
    tooltip: [
      { field: 'x', title: xTitle, format: ',.6~r' },
      { field: 'value', title: yTitle, format: ',.4~r' },
    ],
  });
}

/** @param ticks of an axis that is logarithmic, or that need not begin at 0 */
function axis(
  field: string,
  title: string,
  ticks: number[],
  { zero, scale }: { zero: boolean; scale: Scale },
) {
  if (scale === 'linear')
    return {
      field,
      type: 'quantitative' as const,
      title,
      axis: { labelExpr: plainLabels, ...(zero ? { tickCount: 5 } : { values: ticks }) },
      scale: { zero, ...(!zero && { nice: false, padding: 12 }) },
    };
  return {
    field,
    type: 'quantitative' as const,
    title: `${title} (log)`,
    axis: { labelExpr: plainLabels, values: ticks },
    scale: { type: 'log' as const, nice: false, padding: 12 },
  };
}
