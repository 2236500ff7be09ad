// Decides whether there are enough samples for a percentile.

/** Fewest samples above a percentile for it to be shown: a p99 takes 10,000 (a rule of thumb). */
export const samplesAboveQuantile = 100;

/** How many samples it takes for {@link samplesAboveQuantile} of them to lie above a quantile below 1. */
export function samplesNeeded(quantile: number): number {
  return Math.round(samplesAboveQuantile / (1 - quantile));
}

/** @param quantile 0 to 1; at 1 it is the largest value, which takes one sample */
export function enoughSamples(count: number, quantile: number): boolean {
  return quantile === 1 ? count > 0 : count >= samplesNeeded(quantile);
}
