// Decides whether two figures are too close for a single run to tell them apart.

import type { Metric } from './metric.ts';

/** Figures closer than this, as a ratio, are told apart by no single run. */
const alikeRatio = 1.25;

/** Two figures of one metric. One of 0 is alike to another one of 0, or to one within the metric's step. */
export function alike({ alikeWithin = 0 }: Pick<Metric, 'alikeWithin'>, a: number, b: number): boolean {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  return low === high || high - low < alikeWithin || (low > 0 && high / low < alikeRatio);
}
