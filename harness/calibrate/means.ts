// Sums up repeated trials: means, spreads, the quantiles that a profile keeps of histograms; and finds what a
// process of a trial was used for.

import { profileQuantiles } from '../../core/profile/profile.ts';
import { merge, newHistogram, quantileUs, type StoredHistogram } from '../../core/result/histogram.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import type { Completed, ProcessUse, Trial } from '../../core/result/result.ts';
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

/** @throws Error where the process was not read: then the trial has no costs */
export function use({ processes }: Completed, role: ProcessUse['role']): ProcessUse {
  const one = processes.find((process) => process.role === role);
  if (!one) throw new Error(`the trial says nothing of its ${role} process`);
  return one;
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
