// Tests two samples that are not paired: the Mann-Whitney test with its estimate and interval. It is for
// stored baselines only, because what changed between the two measurements is in the difference and no test
// can take it out.

import { medianOfSorted } from '../../base/median.ts';
import { doubledMidranks, drawnSumAtMost } from './ranks.ts';

export type MannWhitney = {
  /** Pairs (x, y) with y above x, ties counted half. */
  u: number;
  /** Two-sided. */
  p: number;
  /** Every arrangement was counted; otherwise a normal approximation with the correction for ties. */
  exact: boolean;
};

/** Samples together up to which every arrangement is counted. */
const mostExact = 60;

/**
 * Mann-Whitney test of "x and y come from one distribution" (Mann and Whitney 1947).
 * @param x, y at least one value each
 */
export function mannWhitneyTest(x: readonly number[], y: readonly number[]): MannWhitney {
  const ranks = doubledMidranks([...x, ...y]);
  const rankSum = ranks.slice(x.length).reduce((a, b) => a + b, 0);
  const u = (rankSum - y.length * (y.length + 1)) / 2;
  if (ranks.length <= mostExact) {
    const total = ranks.reduce((a, b) => a + b, 0);
    const lower = drawnSumAtMost(ranks, y.length, rankSum);
    // The rest's sum is small where this one's is large.
    const upper = drawnSumAtMost(ranks, x.length, total - rankSum);
    return { u, p: Math.min(1, 2 * Math.min(lower, upper)), exact: true };
  }
  const n = ranks.length;
  const ties = [...Map.groupBy(ranks, (rank) => rank).values()].reduce(
    (sum, { length: t }) => sum + t ** 3 - t,
    0,
  );
  const variance = ((x.length * y.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  const distance = Math.max(0, Math.abs(u - (x.length * y.length) / 2) - 0.5);
  return {
    u,
    p: variance === 0 ? 1 : Math.min(1, 2 * normalAbove(distance / Math.sqrt(variance))),
    exact: false,
  };
}

function sortedDifferences(x: readonly number[], y: readonly number[]): Float64Array {
  return Float64Array.from(y.flatMap((b) => x.map((a) => b - a))).sort();
}

/** By how much y lies above x: the median of all differences (Hodges and Lehmann 1963). */
export function shiftEstimate(x: readonly number[], y: readonly number[]): number {
  return medianOfSorted(sortedDifferences(x, y));
}

/**
 * The shifts that the test does not reject (Hollander and Wolfe, section 4.3).
 * @returns `undefined` where there are too few values for any bound
 */
export function shiftInterval(
  x: readonly number[],
  y: readonly number[],
  alpha: number,
): [low: number, high: number] | undefined {
  const c = criticalU(x.length, y.length, alpha);
  if (c === undefined) return undefined;
  const differences = sortedDifferences(x, y);
  return [differences[c]!, differences[differences.length - 1 - c]!];
}

function criticalU(m: number, n: number, alpha: number): number | undefined {
  const middle = Math.floor((m * n) / 2);
  const doubled = Array.from({ length: m + n }, (_, i) => 2 * (i + 1));
  const least = n * (n + 1); // twice the smallest rank sum
  const deviation = Math.sqrt((m * n * (m + n + 1)) / 12);
  const atMost =
    m + n <= mostExact
      ? (u: number) => drawnSumAtMost(doubled, n, least + 2 * u)
      : (u: number) => normalAbove(((m * n) / 2 - u - 0.5) / deviation);
  let [rejects, holds] = [-1, middle + 1];
  while (holds - rejects > 1) {
    const u = (rejects + holds) >> 1;
    if (2 * atMost(u) <= alpha) rejects = u;
    else holds = u;
  }
  return rejects < 0 ? undefined : rejects;
}

/** Upper tail of the normal distribution for z >= 0 (Abramowitz and Stegun 26.2.17; error below 7.5e-8). */
function normalAbove(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const poly =
    t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * poly;
}
