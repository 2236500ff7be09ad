// Decides which latencies may be ranked. A lost delivery has no latency, so a side that lost deliveries looks
// faster than it was. Reports and comparisons go by this.

import { metrics } from './registry.ts';

/** Whether a metric covers only arrived deliveries, while others are missing. @param missed how many are */
export function isOfWhatCame(metric: string, missed: number): boolean {
  return metrics[metric]?.ofWhatCame === true && missed > 0;
}

/** What may be ranked: all that lost nothing, or everything if each of them lost some. */
export function rankable<T>(all: readonly T[], lost: (one: T) => boolean): readonly T[] {
  const whole = all.filter((one) => !lost(one));
  return whole.length > 0 ? whole : all;
}
