// Draws delivery latency by percentile: the curve, the figures, and who takes longest.

import { overlap } from '../../core/metrics/alike.ts';
import { latencyAt } from '../../core/metrics/latency.ts';
import type { Metric } from '../../core/metrics/metric.ts';
import { figureOver, trialsFor, type FigureOver } from '../../core/metrics/registry.ts';
import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { eventsToShow } from '../../core/result/precision.ts';
import { noFigureText, rangeText, withinRun, withRange } from '../summary/figure-text.ts';
import { isOfWhatCame, ranked, whatCameText } from '../summary/losses.ts';
import { tailPoints } from '../summary/chart-data.ts';
import { canBeRanked } from '../summary/comparable.ts';
import { offMeaning, offText } from '../summary/simulated.ts';
import { tailSpec } from './chart-specs.ts';
import { drawChart } from './draw-chart.ts';
import type { Figure } from './figure.ts';
import { figureTable } from './table-markup.ts';
import { onScaledClock, timeScaleOf, timeScaleText } from '../summary/time-scale.ts';
import type { VariantTrials } from '../summary/variants.ts';
import { leftOutReading } from './void-reading.ts';

const quantiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
/** Those that the heading may speak of, the first that all variants have. */
const inHeading = [0.99, 0.9, 0.5];

/** A percentile of a variant as the table has it, on the scenario's clock. */
function latencyOf({ completed }: VariantTrials, quantile: number, timeScale: number): FigureOver {
  return onScaledClock(figureOver(latencyMetric(quantile), completed), timeScale);
}

function latencyMetric(quantile: number): Metric {
  return latencyAt('endToEnd', quantile, 'delivery latency');
}

/** None where no latency stands. */
export async function tailFigure(
  all: readonly VariantTrials[],
  live: boolean,
  over?: AbortSignal,
): Promise<Figure[]> {
  const standing = (variant: VariantTrials) => trialsFor({ rests: ['latency'] }, variant.completed);
  const variants = all.filter((variant) => standing(variant).length > 0);
  if (variants.length === 0) return [];
  const timeScale = timeScaleOf(variants);
  const points = tailPoints(variants).map((point) => ({ ...point, ms: point.ms * timeScale }));
  const heading = tailHeading(variants, timeScale);
  const labels = variants.map(({ label }) => label);
  const shown = variants.map((variant) => ({ variant, trials: standing(variant) }));
  const isComputed = shown.every(({ trials }) => trials.every(({ simulated }) => simulated));
  const several = shown.some(({ trials }) => trials.length > 1);
  const rows = shown.map(({ variant, trials }) => {
    const sum = (name: 'count' | 'overRange') =>
      trials.reduce((total, { latency }) => total + latency.endToEnd[name], 0);
    return {
      head: variant.label,
      cells: [
        ...quantiles.map((quantile) => {
          const figure = latencyOf(variant, quantile, timeScale);
          if (figure.value === undefined) return noFigureText(figure, 'us');
          const off = offText(latencyMetric(quantile), trials);
          if (off !== '') return `${formatUs(figure.value)} ${off}`;
          return withRange(formatUs(figure.value), figure.within && rangeText(figure.within, 'us'));
        }),
        formatNumber(sum('count')),
        formatNumber(sum('overRange')),
      ],
    };
  });
  const figure = {
    id: 'tail',
    heading,
    reading:
      'Further right is rarer: at 99 % a line shows how long all but one delivery in a hundred took. Lines ' +
      `end where fewer than ${eventsToShow} events were slower, which say little about the next run. ` +
      (several ? 'Each figure is the median of the trials.' : isComputed ? offMeaning : withinRun) +
      [whatCameText(variants) ?? []]
        .flat()
        .map((text) => ` ${text}`)
        .join('') +
      timeScaleText(timeScale) +
      leftOutReading(all, ['latency']),
    chart:
      points.length === 0
        ? undefined
        : await drawChart(
            tailSpec(points, variants),
            heading,
            `Delivery latency by percentile of ${labels.join(', ')}; the figures are in the table below.`,
            live,
            over,
          ),
    data: figureTable(
      'Delivery latency by percentile',
      [
        'variant',
        ...quantiles.map((quantile) => (quantile === 1 ? 'maximum' : formatShare(quantile))),
        'deliveries',
        'above the scale',
      ],
      rows,
    ),
  };
  return [figure];
}

/**
 * Of the highest percentile that every variant has the events for: who takes longest, and how much
 * longer than the soonest.
 */
function tailHeading(all: readonly VariantTrials[], timeScale: number): string {
  if (!canBeRanked(all)) return 'Delivery latency by percentile';
  const variants = ranked('latency.p50', all);
  const every = variants.length === all.length ? 'with every variant' : 'with all that lost nothing';
  const whole = !variants.some((variant) => isOfWhatCame('latency.p50', variant));
  const [of, came] = whole ? ['deliveries', 'came'] : ['what came', 'was there'];
  for (const quantile of inHeading) {
    const sorted = variants
      .flatMap((variant) => {
        const figure = latencyOf(variant, quantile, timeScale);
        return figure.value === undefined ? [] : [{ ...figure, label: variant.label, us: figure.value }];
      })
      .sort((a, b) => a.us - b.us);
    const [first, last] = [sorted[0], sorted.at(-1)];
    if (!first || !last || sorted.length < variants.length) continue;
    const share =
      quantile === 0.5 ? `Half of ${whole ? 'the ' : ''}${of}` : `${formatShare(quantile)} of ${of}`;
    const alone = sorted.length === 1 ? `with ${last.label}` : undefined;
    const same = sorted.length > 1 && overlap(first, last);
    return sorted.length === 1 || same || formatUs(first.us) === formatUs(last.us)
      ? `${share} ${came} within ${formatUs(last.us)}${all.length === 1 ? '' : `, ${alone ?? every}`}`
      : `${share} ${came} within ${formatUs(first.us)} with ${first.label}, ` +
          `within ${formatUs(last.us)} with ${last.label}`;
  }
  return 'Too few events for a percentile of every variant';
}
