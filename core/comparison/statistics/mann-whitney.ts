// Tests two samples that are not paired: the Mann-Whitney test with its estimate and interval. It is for
// stored baselines only, because what changed between the two measurements is in the difference and no test
// can take it out.

import { medianOfSorted } from '../../base/median.ts';
import { normalAbove } from './normal.ts';
import { doubledMidranks, drawnSumAtMost, roundedDifference } from './ranks.ts';

export type MannWhitney = {
  /** Pairs (x, y) with y above x, ties counted half. */
  u: number;
  /** Two-sided. */
  p: number;
  /** The same to one side: the chance of a `u` as large. */
  pGreater: number;
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
    return { u, p: Math.min(1, 2 * Math.min(lower, upper)), pGreater: upper, exact: true };
  }
  const n = ranks.length;
  const ties = [...Map.groupBy(ranks, (rank) => rank).values()].reduce(
    (sum, { length: t }) => sum + t ** 3 - t,
    0,
  );
  const variance = ((x.length * y.length) / 12) * (n + 1 - ties / (n * (n - 1)));
  const above = u - (x.length * y.length) / 2;
  const chanceAbove = (distance: number) =>
    variance === 0 ? 1 : normalAbove(distance / Math.sqrt(variance));
  return {
    u,
    p: Math.min(1, 2 * chanceAbove(Math.max(0, Math.abs(above) - 0.5))),
    pGreater: chanceAbove(above - 0.5),
    exact: false,
  };
}

/** Rounded, so that equal ratios are equal differences of their logarithms. */
function sortedDifferences(x: readonly number[], y: readonly number[]): Float64Array {
  return Float64Array.from(y.flatMap((b) => x.map((a) => roundedDifference(b - a)))).sort();
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

/**
 * Tests "y lies above x by more than `shift`", as {@link shiftInterval} does: the differences at or below the
 * shift speak against it, ties among them too.
 * @returns `contrary` of the `averages` (all differences), and the chance of so few where y does not lie above
 */
export function shiftAbove(
  x: readonly number[],
  y: readonly number[],
  shift = 0,
): { contrary: number; averages: number; p: number } {
  const contrary = sortedDifferences(x, y).filter((difference) => difference <= shift).length;
  return { contrary, averages: x.length * y.length, p: untiedUAtMost(x.length, y.length)(contrary) };
}

/** Chance of a `u` of at most so much, of values without ties. */
function untiedUAtMost(m: number, n: number): (u: number) => number {
  const doubled = Array.from({ length: m + n }, (_, i) => 2 * (i + 1));
  const least = n * (n + 1); // twice the smallest rank sum
  const deviation = Math.sqrt((m * n * (m + n + 1)) / 12);
  return m + n <= mostExact
    ? (u) => drawnSumAtMost(doubled, n, least + 2 * u)
    : (u) => normalAbove(((m * n) / 2 - u - 0.5) / deviation);
}

function criticalU(m: number, n: number, alpha: number): number | undefined {
  const middle = Math.floor((m * n) / 2);
  const atMost = untiedUAtMost(m, n);
  let [rejects, holds] = [-1, middle + 1];
  while (holds - rejects > 1) {
    const u = (rejects + holds) >> 1;
    if (2 * atMost(u) <= alpha) rejects = u;
    else holds = u;
  }
  return rejects < 0 ? undefined : rejects;
}
