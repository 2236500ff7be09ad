// Says in words how long clients were away and how they came back, which every verdict on loss has to say.

import { z } from 'zod';
import { listed } from '../base/suggest.ts';
import { formatNumber, formatUs } from '../base/units.ts';
import { merge, newHistogram, quantileUs, samplesOf } from './histogram.ts';
import { histogramOf } from './load-histogram.ts';
import { eventsToShow } from './precision.ts';
import { absenceCauses, type Recovery } from './recovery.ts';

/** Of some trials together; small enough to be kept beside the figures of a run. */
export const timeAway = z.strictObject({
  medianUs: z.number().optional().describe('of the absences that ended; left out where they are too few'),
  longestUs: z.number(),
  back: z.int().min(0).describe('absences that ended'),
  neverBack: z.int().min(0),
  policies: z.array(z.string()).describe('reconnect policies of the clients that were cut off'),
});

export type TimeAway = z.infer<typeof timeAway>;

/** @returns undefined where nobody was away */
export function timeAwayOf(all: readonly Recovery[]): TimeAway | undefined {
  const groups = all.flatMap((one) => absenceCauses.flatMap((cause) => one[cause] ?? []));
  if (groups.length === 0) return undefined;
  const away = newHistogram();
  for (const { connected } of groups) merge(away, histogramOf(connected));
  // As of any median: as many lie beyond.
  const back = samplesOf(away);
  const medianUs = back >= 2 * eventsToShow ? quantileUs(away, 0.5) : undefined;
  return {
    // Above the range nobody knows it, and the longest time says enough.
    ...(medianUs !== undefined && medianUs !== Infinity && { medianUs }),
    longestUs: Math.max(...groups.map(({ longestUs }) => longestUs)),
    back,
    neverBack: groups.reduce((sum, one) => sum + one.neverBack, 0),
    policies: [...new Set(all.flatMap(({ cut, policy }) => (cut ? policy : [])))],
  };
}

/**
 * `clients were away for 1.2 s (median, longest 4.8 s) and came back by full-jitter (base 100 ms, cap 5 s);
 * 3 never came back`.
 * @param all of each variant, or of each run
 * @returns undefined where there is none
 */
export function awayWords(all: readonly TimeAway[]): string | undefined {
  if (all.length === 0) return undefined;
  const longest = formatUs(Math.max(...all.map(({ longestUs }) => longestUs)));
  const neverBack = all.reduce((sum, one) => sum + one.neverBack, 0);
  if (all.every(({ back }) => back === 0))
    return `clients were away for up to ${longest} and never came back`;
  const medians = all.flatMap(({ medianUs }) => medianUs ?? []);
  const [least, most] = [formatUs(Math.min(...medians)), formatUs(Math.max(...medians))];
  const time =
    medians.length < all.length
      ? `up to ${longest}`
      : least === most
        ? `${least} (median, longest ${longest})`
        : `${least} to ${most} (medians, longest ${longest})`;
  const policies = [...new Set(all.flatMap((one) => one.policies))];
  const how = policies.length === 0 ? 'when the scenario let them' : `by ${listed(policies)}`;
  const never = neverBack === 0 ? '' : `; ${formatNumber(neverBack)} never came back`;
  return `clients were away for ${time} and came back ${how}${never}`;
}

/** Of so many missed deliveries: `all while away`, `10 while away`; empty where nobody was. */
export function missedAwayWords(missed: number, all: readonly Recovery[]): string {
  if (all.length === 0 || missed === 0) return '';
  const away = all.reduce((sum, one) => sum + one.missedAway, 0);
  if (away === missed) return 'all while away';
  return away === 0 ? 'none while away' : `${formatNumber(away)} while away`;
}
