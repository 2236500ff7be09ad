// Draws from a distribution that is known at the quantiles of a profile: in a straight line between two.

import { profileQuantiles } from '../../core/profile/profile.ts';

/** Microseconds at `profileQuantiles`, ascending. */
export type Knots = readonly number[];

export function drawUs(knots: Knots, u: number): number {
  let low = 0;
  let high = profileQuantiles.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (profileQuantiles[middle]! <= u) low = middle;
    else high = middle;
  }
  const [from, to] = [profileQuantiles[low]!, profileQuantiles[high]!];
  return knots[low]! + ((knots[high]! - knots[low]!) * (u - from)) / (to - from);
}

/** As `knots`, but never falling: as each quantile was interpolated by itself, they may fall. */
export function ascending(knots: Knots): number[] {
  let least = 0;
  return knots.map((us) => (least = Math.max(least, us)));
}
