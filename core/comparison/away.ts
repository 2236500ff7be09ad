// Tells how long the clients of each side of a comparison were away in the runs that lost deliveries.

import { awayWords } from '../result/recovery-words.ts';
import type { Judged } from './comparison-result.ts';
import { variantCalled, type RunSet } from './run-set.ts';

type Sides = { baseline: RunSet; candidate: RunSet };

/** The verdicts with that in words, where it is known. */
export function withAway(variants: readonly Judged[], { baseline, candidate }: Sides): Judged[] {
  return variants.map((judged) => {
    const [from, to] = [awayIn(baseline, judged.baseline), awayIn(candidate, judged.candidate)];
    if (from === undefined && to === undefined) return judged;
    return {
      ...judged,
      away: { ...(from !== undefined && { baseline: from }), ...(to !== undefined && { candidate: to }) },
    };
  });
}

function awayIn(side: RunSet, label: string): string | undefined {
  return awayWords((variantCalled(side, label)?.runs ?? []).flatMap(({ away }) => away ?? []));
}
