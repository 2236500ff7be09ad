// Checks whether the test's p-values mean what they say on real runs, by swapping the labels of each pair at
// random. Then baseline and candidate are the same by construction, and p must be spread evenly whatever the
// runs are like.

import { random } from '../../base/random.ts';
import { signedRankTest } from './signed-rank.ts';

export type LabelSwap = {
  swaps: number;
  /** Share of p-values below 0.05. */
  below5: number;
  /** Largest distance between the p-values' distribution and the even one (Kolmogorov-Smirnov). */
  distance: number;
  /**
   * Chance of a distance as large where p is even: at most this (Massart 1990, the bound of
   * Dvoretzky, Kiefer and Wolfowitz).
   */
  chance: number;
};

/**
 * Swaps the labels of pairs at random, many times.
 * @param differences of each pair, on the logarithm; at least one
 * @param seed same seed, same swaps
 */
export function swapLabels(
  differences: readonly number[],
  { swaps, seed }: { swaps: number; seed: number },
): LabelSwap {
  const next = random(seed, 'label-swap');
  const pValues = Array.from({ length: swaps }, () => {
    const { p, beyond } = signedRankTest(
      differences.map((difference) => (next() < 0.5 ? difference : -difference)),
    );
    // With few pairs p takes few values; spread over the step that each one stands for, it is exactly even.
    return { p, spread: beyond + (p - beyond) * next() };
  });
  const distance = distanceFromEven(pValues.map(({ spread }) => spread));
  return {
    swaps,
    below5: pValues.filter(({ p }) => p < 0.05).length / swaps,
    distance,
    chance: Math.min(1, 2 * Math.exp(-2 * swaps * distance ** 2)),
  };
}

/** The Kolmogorov-Smirnov distance between values and the even distribution over 0 to 1. */
export function distanceFromEven(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted.reduce(
    (most, value, i) =>
      Math.max(most, Math.abs((i + 1) / sorted.length - value), Math.abs(value - i / sorted.length)),
    0,
  );
}
