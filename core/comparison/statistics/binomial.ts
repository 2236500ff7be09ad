// Computes how sure a count of k of n is: the exact binomial interval, for rates of false alarms and of
// catches.

/** Probability of at most `k` of `n` where each has the chance `share`. */
export function binomialAtMost(k: number, n: number, share: number): number {
  if (k < 0) return 0;
  if (k >= n || share <= 0) return 1;
  if (share >= 1) return 0;
  let logTerm = n * Math.log1p(-share);
  const odds = Math.log(share) - Math.log1p(-share);
  let sum = Math.exp(logTerm);
  for (let i = 1; i <= k; i++) {
    logTerm += Math.log((n - i + 1) / i) + odds;
    sum += Math.exp(logTerm);
  }
  return Math.min(1, sum);
}

/**
 * The shares that `k` of `n` does not contradict (Clopper and Pearson 1934): it covers the true share at
 * least `confidence` of the time, whatever that is.
 * @returns two shares, 0 to 1
 */
export function binomialInterval(k: number, n: number, confidence = 0.95): [low: number, high: number] {
  const tail = (1 - confidence) / 2;
  return [
    k === 0 ? 0 : solve((share) => 1 - binomialAtMost(k - 1, n, share) < tail),
    k === n ? 1 : solve((share) => binomialAtMost(k, n, share) > tail),
  ];
}

/** The share at which `below` turns from true to false. */
function solve(below: (share: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (below(middle)) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
