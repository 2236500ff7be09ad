// Adjusts the p-values of several tests, so that each can be compared with the level as if it were the only
// one.

/**
 * Holm's correction (1979), in the order given: any false rejection at all has at most the level's chance,
 * however the tests hang together.
 */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((_, i) => i).sort((a, b) => pValues[a]! - pValues[b]!);
  const adjusted = pValues.map(() => 1);
  let highest = 0;
  for (const [place, i] of order.entries()) {
    highest = Math.max(highest, Math.min(1, (pValues.length - place) * pValues[i]!));
    adjusted[i] = highest;
  }
  return adjusted;
}
