// Estimates how many runs would decide what was left open. It goes by ranks, as the tests do: one run that
// stalled counts as one, however long it stalled.

import { enoughRuns, fewestPairs, type Tests } from './pairs.ts';
import { normalAbove } from './statistics/normal.ts';

/** More runs than this are not advised. */
const mostRunsAdvised = 1000;

/** How many of the averages (or of the pairs between two sets of runs) contradict what is to be shown. */
export type Contrary = { contrary: number; averages: number };

/**
 * About how many runs would show it: the first number with which it is significant when a like share of the
 * averages, and one standard error more, says the opposite.
 * @param runs that were too few
 * @returns `undefined` when no reasonable number would
 */
export function runsToShow(
  { contrary, averages }: Contrary,
  { runs, paired, of }: { runs: number; paired: boolean; of: Tests },
): number | undefined {
  const share = contrary / averages;
  for (let n = runs + 1; n <= mostRunsAdvised; n++) {
    if (paired ? n < fewestPairs(of) : !enoughRuns(n, n, of)) continue;
    const all = paired ? (n * (n + 1)) / 2 : n * n;
    const variance = paired ? (n * (n + 1) * (2 * n + 1)) / 24 : (n * n * (2 * n + 1)) / 12;
    const against = all * Math.min(1, share + Math.sqrt((share * (1 - share)) / n));
    if (of.tests * normalAbove((all / 2 - against - 0.5) / Math.sqrt(variance)) < of.alpha) return n;
  }
  return undefined;
}
