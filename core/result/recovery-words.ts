// Says in words how long clients were away and how they came back, which every verdict on loss has to say.

import { listed } from '../base/suggest.ts';
import { formatNumber, formatUs } from '../base/units.ts';
import { histogramOf, merge, newHistogram, quantileUs } from './histogram.ts';
import { eventsToShow } from './precision.ts';
import { absenceCauses, type Recovery } from './recovery.ts';

/**
 * `clients were away for 1.2 s (median, longest 4.8 s) and came back by full-jitter (base 100 ms, cap 5 s);
 * 3 never came back`.
 * @param all of one trial or several
 * @returns undefined where nobody was away
 */
export function awayWords(all: readonly Recovery[]): string | undefined {
  const groups = all.flatMap((one) => absenceCauses.flatMap((cause) => one[cause] ?? []));
  if (groups.length === 0) return undefined;
  const away = newHistogram();
  for (const { connected } of groups) merge(away, histogramOf(connected));
  const longest = formatUs(Math.max(...groups.map(({ longestUs }) => longestUs)));
  const neverBack = groups.reduce((sum, one) => sum + one.neverBack, 0);
  if (away.count === 0) return `clients were away for up to ${longest} and never came back`;
  // As of any median: as many lie beyond.
  const median = away.count >= 2 * eventsToShow ? quantileUs(away, 0.5) : undefined;
  const time = median === undefined ? `up to ${longest}` : `${formatUs(median)} (median, longest ${longest})`;
  const policies = [...new Set(all.flatMap(({ cut, policy }) => (cut ? policy : [])))];
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
