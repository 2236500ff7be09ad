// Tests paired differences: the exact Wilcoxon signed-rank test, the Hodges-Lehmann estimate, and bounds
// around all changes that the test would not reject. It neither resamples nor draws, so the same differences
// give the same numbers.

import { medianOfSorted } from '../../base/median.ts';
import { doubledMidranks, signSumAtMost } from './ranks.ts';

export type SignedRank = {
  /**
   * How many differences are not 0. Differences of 0 have no direction and are left out (Wilcoxon 1945).
   */
  n: number;
  zeros: number;
  /** Sum of the ranks of the positive differences. */
  positive: number;
  /**
   * Two-sided, exact given the ranks: tied differences share their mean rank, and all 2^n signs are counted.
   */
  p: number;
  /** The same to one side: the chance of a positive sum as large. */
  pGreater: number;
  /** Probability of a statistic still further out; `p` minus this is the probability of this very value. */
  beyond: number;
};

/** Wilcoxon's signed-rank test of "the differences lie evenly about 0". Without differences p is 1. */
export function signedRankTest(differences: readonly number[]): SignedRank {
  const moved = differences.filter((difference) => difference !== 0);
  const ranks = doubledMidranks(moved.map(Math.abs));
  const total = ranks.reduce((a, b) => a + b, 0);
  const positive = ranks.reduce((sum, rank, i) => (moved[i]! > 0 ? sum + rank : sum), 0);
  const tail = Math.min(positive, total - positive);
  return {
    n: moved.length,
    zeros: differences.length - moved.length,
    positive: positive / 2,
    p: Math.min(1, 2 * signSumAtMost(ranks, tail)),
    pGreater: signSumAtMost(ranks, total - positive),
    beyond: Math.min(1, 2 * signSumAtMost(ranks, tail - 1)),
  };
}

/** All means of two differences, each with itself too, in order (Walsh 1949). */
function walshAverages(differences: readonly number[]): Float64Array {
  const n = differences.length;
  const averages = new Float64Array((n * (n + 1)) / 2);
  let at = 0;
  for (let i = 0; i < n; i++)
    for (let j = i; j < n; j++) averages[at++] = (differences[i]! + differences[j]!) / 2;
  return averages.sort();
}

/**
 * Tests "the differences lie evenly about `centre`" against "they lie above it", by the Walsh averages that
 * speak against the latter: those at or below the centre. Without ties their number is the sum of the
 * negative ranks; ties and zeros count against, so that the chance given is never too small, and the test
 * says the same as {@link signedRankInterval}: p is at most alpha exactly where the lower end for 2 * alpha
 * lies above the centre.
 * @returns `contrary` of the `averages`, and the chance of so few where the differences lie evenly
 */
export function signedRankAbove(
  differences: readonly number[],
  centre = 0,
): { contrary: number; averages: number; p: number } {
  const averages = walshAverages(differences);
  const contrary = averages.filter((average) => average <= centre).length;
  const ranks = differences.map((_, i) => 2 * (i + 1)); // doubled, as signSumAtMost takes them
  return { contrary, averages: averages.length, p: signSumAtMost(ranks, 2 * contrary) };
}

/** The median of the Walsh averages (Hodges and Lehmann 1963). @param differences at least one */
export function hodgesLehmann(differences: readonly number[]): number {
  return medianOfSorted(walshAverages(differences));
}

/**
 * The largest T at or below which the signed-rank statistic of `n` differences rejects at `alpha`, two-sided:
 * what tables print. `undefined` where even the furthest statistic does not (5 differences or fewer at 0.05).
 */
export function criticalValue(n: number, alpha: number): number | undefined {
  const most = Math.floor((n * (n + 1)) / 4);
  const chance = new Float64Array(most + 1);
  chance[0] = 1;
  for (let rank = 1; rank <= n; rank++) {
    for (let s = most; s >= rank; s--) chance[s] = (chance[s]! + chance[s - rank]!) / 2;
    for (let s = Math.min(rank - 1, most); s >= 0; s--) chance[s]! /= 2;
  }
  let below = 0;
  for (let t = 0; t <= most; t++) {
    below += chance[t]!;
    if (2 * below > alpha) return t === 0 ? undefined : t - 1;
  }
  return most;
}

/**
 * The values that the test does not reject as the centre of the differences: from the (T+1)-th
 * smallest to the (T+1)-th largest Walsh average (Tukey 1949; Hollander and Wolfe, section 3.3).
 * Covers at least `1 - alpha`.
 * @returns `undefined` where there are too few differences for any bound
 */
export function signedRankInterval(
  differences: readonly number[],
  alpha: number,
): [low: number, high: number] | undefined {
  const t = criticalValue(differences.length, alpha);
  if (t === undefined) return undefined;
  const averages = walshAverages(differences);
  return [averages[t]!, averages[averages.length - 1 - t]!];
}
