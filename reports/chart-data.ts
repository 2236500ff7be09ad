// What the charts draw, as rows of plain values: percentiles, time series, receivers of a fan-out.

import { histogramOf, samplesAboveQuantile } from '../core/metrics.ts';
import { quantileUs } from '../core/histogram.ts';
import type { SeriesColumn } from '../core/result.ts';
import { mergedLatency, type VariantTrials } from './variants.ts';

export type TailPoint = { variant: string; /** 1 / (1 - quantile): 2 is the median, 100 the 99th percentile. */ tail: number; ms: number };
export type TimePoint = { variant: string; atS: number; value: number };
export type Receiver = { variant: string; which: 'first' | 'median' | 'last'; ms: number };

/** Points per decade of the tail axis. */
const density = 20;

/** The latency curve of each variant, up to where fewer than 100 samples remain beyond. */
export function tailPoints(variants: readonly VariantTrials[]): TailPoint[] {
  return variants.flatMap(({ label, completed }) => {
    const histogram = mergedLatency(completed, 'endToEnd');
    const end = Math.log10(histogram.count / samplesAboveQuantile);
    const steps = histogram.count === 0 || end < 0 ? [] : Array.from({ length: Math.floor(end * density) + 1 }, (_, i) => i / density);
    if (steps.length > 0) steps.push(end);
    return steps.map((step) => {
      const tail = 10 ** step;
      return { variant: label, tail, ms: quantileUs(histogram, 1 - 1 / tail)! / 1000 }; // the histogram is not empty
    });
  });
}

/** One column over time, of each variant's first trial that went through. */
export function timePoints(variants: readonly VariantTrials[], column: SeriesColumn, scale = 1): TimePoint[] {
  return variants.flatMap(({ label, completed: [trial] }) => {
    if (!trial) return [];
    const { startUs, columns } = trial.series;
    return startUs.flatMap((atUs, i) => {
      const value = columns[column]?.[i];
      return typeof value === 'number' ? [{ variant: label, atS: atUs / 1e6, value: value * scale }] : [];
    });
  });
}

/** The median event's first, median and last receiver, of variants with events that several received. */
export function receivers(variants: readonly VariantTrials[]): Receiver[] {
  const names = [['first', 'firstReceiver'], ['median', 'medianReceiver'], ['last', 'lastReceiver']] as const;
  return variants.flatMap(({ label, completed }) =>
    names.flatMap(([which, name]) => {
      const us = quantileUs(mergedLatency(completed, name), 0.5);
      return us === undefined ? [] : [{ variant: label, which, ms: us / 1000 }];
    }),
  );
}

/** How many events' receivers stand behind a variant's figures. */
export function receivedEvents(variants: readonly VariantTrials[]): number {
  return Math.max(0, ...variants.flatMap(({ completed }) => completed.map((trial) => histogramOf(trial.latency.lastReceiver).count)));
}
