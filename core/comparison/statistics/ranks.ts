// Computes ranks, and the distributions of their sums that rank tests use. All of it counts every
// arrangement, so that nothing rests on a normal approximation or on values without ties.

/** Differences of logarithms are told apart from here on: what is smaller is the rounding of their last bits. */
const leastDifference = 1e-12;

/** A difference of logarithms, rounded so that equal ratios give equal ones and equal figures give 0. */
export function roundedDifference(difference: number): number {
  return Math.round(difference / leastDifference) * leastDifference;
}

/**
 * Twice the rank of each value among all, from the smallest; tied values share the mean of their ranks, and
 * the doubling keeps that a whole number.
 */
export function doubledMidranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks = values.map(() => 0);
  for (let from = 0; from < order.length;) {
    let to = from;
    while (to < order.length && values[order[to]!] === values[order[from]!]) to++;
    for (let i = from; i < to; i++) ranks[order[i]!] = from + 1 + to; // first rank + last rank
    from = to;
  }
  return ranks;
}

/** Whole ranks where there are no ties: half of the sums to count. */
function smallest(doubled: readonly number[], sum: number): [ranks: readonly number[], sum: number] {
  return doubled.every((rank) => rank % 2 === 0)
    ? [doubled.map((rank) => rank / 2), Math.floor(sum / 2)]
    : [doubled, sum];
}

/**
 * Probability that a sum over the ranks, each taken with probability 1/2, is at most `sum`: the signed-rank
 * statistic's distribution, given the ranks. By dynamic programming over the sums (Streitberg and Roehmel
 * 1986, the shift algorithm).
 */
export function signSumAtMost(doubledRanks: readonly number[], sum: number): number {
  if (sum < 0) return 0;
  const [ranks, most] = smallest(doubledRanks, sum);
  const chance = new Float64Array(most + 1);
  chance[0] = 1;
  for (const rank of ranks) {
    for (let s = most; s >= rank; s--) chance[s] = (chance[s]! + chance[s - rank]!) / 2;
    for (let s = Math.min(rank - 1, most); s >= 0; s--) chance[s]! /= 2;
  }
  return Math.min(
    1,
    chance.reduce((a, b) => a + b, 0),
  );
}

/**
 * Probability that the ranks of `size` values drawn without replacement sum to at most `sum`: the rank-sum
 * statistic's distribution, given the ranks. The same algorithm with the number drawn as a second index.
 */
export function drawnSumAtMost(doubledRanks: readonly number[], size: number, sum: number): number {
  if (sum < 0) return 0;
  const [ranks, most] = smallest(doubledRanks, sum);
  const ways = Array.from({ length: size + 1 }, () => new Float64Array(most + 1));
  ways[0]![0] = 1;
  let arrangements = 1;
  for (let i = 0; i < size; i++) arrangements *= (ranks.length - i) / (i + 1);
  for (const rank of ranks) {
    for (let k = size; k >= 1; k--) {
      const [to, from] = [ways[k]!, ways[k - 1]!];
      for (let s = most; s >= rank; s--) to[s]! += from[s - rank]!;
    }
  }
  return Math.min(1, ways[size]!.reduce((a, b) => a + b, 0) / arrangements);
}
