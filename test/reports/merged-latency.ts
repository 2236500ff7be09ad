// Merges what trials stored of one latency, to hold reports against the bins that they are made from.

import { merge, newHistogram, type Histogram } from '../../core/result/histogram.ts';
import { histogramOf } from '../../core/result/load-histogram.ts';
import type { Completed } from '../../core/result/result.ts';

/** All trials' samples of one latency together. */
export function mergedLatency(completed: readonly Completed[], name: keyof Completed['latency']): Histogram {
  const all = newHistogram();
  for (const {
    latency: { [name]: stored },
  } of completed)
    if (stored) merge(all, histogramOf(stored));
  return all;
}
