// Decides whether two figures are too close for a single run to tell them apart.

import type { Metric } from './metric.ts';

/** Figures closer than this, as a ratio, are told apart by no single run. */
const alikeRatio = 1.25;

/** A figure, with its interval where there is one. */
export type Between = { value: number; within?: readonly [low: number, high: number] };

/** Two figures of one metric. One of 0 is alike to another one of 0, or to one within the metric's step. */
export function alike({ alikeWithin = 0 }: Pick<Metric, 'alikeWithin'>, a: number, b: number): boolean {
  const [low, high] = [Math.min(a, b), Math.max(a, b)];
  return low === high || high - low < alikeWithin || (low > 0 && high / low < alikeRatio);
}

/**
 * The step within which figures lie that are {@link alike} although their ratio tells them apart: they do
 * differ, by less than matters. Nothing where not even a ratio does.
 */
export function stepBetween(
  { alikeWithin = 0 }: Pick<Metric, 'alikeWithin'>,
  values: readonly number[],
): number | undefined {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low > 0 && high / low >= alikeRatio && high - low < alikeWithin ? alikeWithin : undefined;
}

/** Whether the intervals of two figures have a value in common; not so where one of them has no interval. */
export function overlap(a: Between, b: Between): boolean {
  return (
    a.within !== undefined &&
    b.within !== undefined &&
    a.within[0] <= b.within[1] &&
    b.within[0] <= a.within[1]
  );
}

/**
 * Whether two figures of one metric can be told apart: they are not {@link alike}, and where both have
 * intervals, these have nothing in common.
 */
export function toldApart(metric: Pick<Metric, 'alikeWithin'>, a: Between, b: Between): boolean {
  return !alike(metric, a.value, b.value) && !overlap(a, b);
}
