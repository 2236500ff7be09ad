// Decides which latencies may be ranked: what is lost has none, so a side that lost deliveries looks sooner
// than it was. Reports and comparisons go by this.

import { metrics } from './registry.ts';

/** Whether a metric is of the deliveries that came, and some did not. @param missed how many did not */
export function isOfWhatCame(metric: string, missed: number): boolean {
  return metrics[metric]?.ofWhatCame === true && missed > 0;
}

/** What may be ranked: those that lost nothing, or all of them where each lost some. */
export function rankable<T>(all: readonly T[], lost: (one: T) => boolean): readonly T[] {
  const whole = all.filter((one) => !lost(one));
  return whole.length > 0 ? whole : all;
}
