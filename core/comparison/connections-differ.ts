// Says where the subscribers of the two sides held different numbers of connections: then descriptors for
// each subscriber differ though each connection may cost the same. A target may carry one topic a connection.

import { median } from '../base/median.ts';
import { formatNumber } from '../base/units.ts';
import type { Comparison } from './comparison-result.ts';
import type { Reading } from './reading.ts';

/** A few that are being replaced make no difference. */
const alikeWithin = 0.05;

/** Nothing where a side does not say, as in results of earlier versions. */
export function connectionsDiffer(
  label: string,
  baseline: readonly Reading[],
  candidate: readonly Reading[],
): Comparison['differences'] {
  const heldBy = (runs: readonly Reading[]) => {
    const held = runs.flatMap(({ values }) => values['connections-per-subscriber'] ?? []);
    return held.length === 0 ? undefined : median(held);
  };
  const [from, to] = [heldBy(baseline), heldBy(candidate)];
  if (from === undefined || to === undefined || Math.abs(from - to) <= alikeWithin) return [];
  return [
    {
      what: `connections of a subscriber over ${label}, each with its descriptor`,
      baseline: formatNumber(from),
      candidate: formatNumber(to),
    },
  ];
}
