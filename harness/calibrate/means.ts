// Sums up repeated trials: means, spreads, and the quantiles that a profile keeps of histograms.

import { profileQuantiles } from '../../core/profile/profile.ts';
import { merge, newHistogram, quantileUs, type StoredHistogram } from '../../core/result/histogram.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import type { Completed, Trial } from '../../core/result/result.ts';
import type { Point } from './points.ts';

/** A completed trial, and the point that it was to measure. */
export type Done = {
  point: Pick<Point, 'subscribers' | 'perS' | 'cluster'>;
  variant: Trial['variant'];
  outcome: Completed;
};

export function quantilesOf(histograms: readonly StoredHistogram[]): number[] {
  const all = newHistogram();
  for (const one of histograms) merge(all, histogramOf(one));
  return profileQuantiles.map((quantile) =>
    quantile === 0 ? (all.count === 0 ? 0 : all.minUs) : (quantileUs(all, quantile) ?? 0),
  );
}

/** Standard deviation, as a share of the mean; 0 of one. */
export function spreadOf(values: readonly number[]): number {
  const middle = mean(values);
  if (values.length < 2 || middle === 0) return 0;
  return Math.sqrt(sum(values.map((value) => (value - middle) ** 2)) / (values.length - 1)) / middle;
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}
