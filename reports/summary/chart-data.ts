// Collects what the charts draw, as rows of plain values: percentiles, time series, receivers of a fan-out.

import { latencyAt } from '../../core/metrics/latency.ts';
import { figureOver, trialsFor } from '../../core/metrics/registry.ts';
import { samplesAboveQuantile } from '../../core/metrics/samples.ts';
import type { Evidence } from '../../core/result/evidence.ts';
import type { SeriesColumn } from '../../core/result/result.ts';
import type { VariantTrials } from './variants.ts';

export type TailPoint = {
  variant: string;
  /** 1 / (1 - quantile): 2 is the median, 100 the 99th percentile. */ tail: number;
  ms: number;
  /** The quantile as people write it. */ share: string;
};
export type TimePoint = { variant: string; atS: number; value: number };
export type Receiver = { variant: string; which: 'first' | 'median' | 'last'; ms: number };

/**
 * Points of one chart, all lines together: what a page can hold, whatever the number of variants
 * and the length of a run.
 */
const pointsPerChart = 600;

/**
 * The latency curve of each variant, up to where fewer than 100 samples of a trial remain beyond. Each point
 * is what the table has at that percentile: the median over the trials.
 */
export function tailPoints(variants: readonly Pick<VariantTrials, 'label' | 'completed'>[]): TailPoint[] {
  const density = variants.length > 8 ? 10 : 20; // points per decade
  return variants.flatMap(({ label, completed }) => {
    const counts = trialsFor({ rests: ['latency'] }, completed).map(({ latency }) => latency.endToEnd.count);
    const end = Math.log10(Math.min(...counts) / samplesAboveQuantile);
    if (counts.length === 0 || end < 0) return [];
    const steps = Array.from({ length: Math.floor(end * density) + 1 }, (_, i) => i / density);
    return [...steps, end].map((step) => {
      const tail = 10 ** step;
      const metric = latencyAt('endToEnd', 1 - 1 / tail, 'delivery latency');
      return {
        variant: label,
        tail: digits(tail, 6),
        ms: figureOver(metric, completed).value! / 1000, // each trial has samples up to here
        share: `${digits(100 - 100 / tail, tail < 100 ? 3 : 5)} %`,
      };
    });
  });
}

/** One column over time, of each variant's first trial in which it is not void. */
export function timePoints(
  variants: readonly VariantTrials[],
  { column, rests }: { column: SeriesColumn; rests: readonly Evidence[] },
  scale = 1,
): TimePoint[] {
  return variants.flatMap(({ label, completed }) => {
    const [trial] = trialsFor({ rests }, completed);
    if (!trial) return [];
    const { startUs, columns } = trial.series;
    return startUs.flatMap((atUs, i) => {
      const value = columns[column]?.[i];
      return typeof value === 'number'
        ? [{ variant: label, atS: atUs / 1e6, value: digits(value * scale, 4) }]
        : [];
    });
  });
}

/**
 * As many points as a chart holds: of neighbours the highest stays, so that no peak is lost.
 * @returns `group`: of how many points each one is the highest; 1 where all were kept
 */
export function thinned(points: readonly TimePoint[], lines: number): { points: TimePoint[]; group: number } {
  const byVariant = [...Map.groupBy(points, ({ variant }) => variant).values()];
  const longest = Math.max(0, ...byVariant.map((own) => own.length));
  const group = Math.ceil(longest / Math.max(12, Math.floor(pointsPerChart / Math.max(1, lines))));
  if (group <= 1) return { points: [...points], group: 1 };
  const kept = byVariant.flatMap((own) =>
    Array.from({ length: Math.ceil(own.length / group) }, (_, i) =>
      own.slice(i * group, (i + 1) * group).reduce((a, b) => (b.value > a.value ? b : a)),
    ),
  );
  return { points: kept, group };
}

/** The median event's first, median and last receiver, of variants with events that several received. */
export function receivers(variants: readonly VariantTrials[]): Receiver[] {
  return variants.flatMap(({ label, completed }) =>
    (['first', 'median', 'last'] as const).flatMap((which) => {
      const { value } = figureOver(`${which}-receiver.p50`, completed);
      return value === undefined ? [] : [{ variant: label, which, ms: value / 1000 }];
    }),
  );
}

/** How many events' receivers a variant's figures are of. */
export function receivedEvents(variants: readonly VariantTrials[]): number {
  return Math.max(
    0,
    ...variants.flatMap(({ completed }) =>
      trialsFor({ rests: ['latency'] }, completed).map(({ latency }) => latency.lastReceiver.count),
    ),
  );
}

function digits(value: number, significant: number): number {
  return Number(value.toPrecision(significant));
}
