// Defines what a metric is: a figure with a name and a unit, read from one completed trial of a result. The
// metrics that there are is registry.ts.

import { loadHistogram, type Histogram, type StoredHistogram } from '../result/histogram.ts';
import type { Completed } from '../result/result.ts';

/**
 * Unit of a metric's value; `us` and `bytes` are scaled for display, `share` is 0 to
 * 1, `count` a plain number.
 */
export type Unit = 'us' | 'bytes' | 'share' | 'count' | 'per-s';

export type Metric = {
  unit: Unit;
  title: string;
  /** The metric's value, `undefined` where the trial has none (no samples, no /proc). */
  read(trial: Completed): number | undefined;
  /** Of a percentile: the share of samples that lie below it, and how many samples the trial has. */
  percentile?: { quantile: number; samples(trial: Completed): number };
};

/**
 * Fewest samples above a percentile for it to be shown: p99 needs 10,000 samples (rule of thumb,
 * see the statistics notes).
 */
export const samplesAboveQuantile = 100;

/** How many samples it takes for {@link samplesAboveQuantile} of them to lie above a quantile below 1. */
export function samplesNeeded(quantile: number): number {
  return Math.round(samplesAboveQuantile / (1 - quantile));
}

// Decoding a histogram costs a millisecond; a report reads the same one a dozen times.
const decoded = new WeakMap<StoredHistogram, Histogram>();

/** The histogram, decoded once however often it is asked for. */
export function histogramOf(stored: StoredHistogram): Histogram {
  let histogram = decoded.get(stored);
  if (!histogram) decoded.set(stored, (histogram = loadHistogram(stored)));
  return histogram;
}
