// Decides whether a percentile may be shown: how many distinct events lie beyond it, and whether its interval
// has an upper end. Results of earlier builds counted deliveries; of those less is known.

import { counted } from '../base/counted.ts';
import { formatNumber } from '../base/units.ts';
import {
  eventsForLow,
  eventsToShow,
  intervalOf,
  isShown,
  type Clusters,
  type Interval,
} from '../result/precision.ts';
import { countAbove, quantileUs, samplesOf, type Histogram } from '../result/histogram.ts';

/** What a trial says of one of its percentiles. */
export type Sureness =
  | ({ rests: 'events' } & Interval)
  /** A percentile between those whose intervals are kept: shown up to the quantile `upTo`. */
  | { rests: 'reach'; upTo: number }
  /** Of a result that did not count events: its samples, and how many events are known to lie beyond. */
  | { rests: 'samples'; samples: number; beyond?: number };

/** Fewest samples above a percentile of an older result: a p99 takes 10,000. */
const samplesAbove = 100;

/** How many samples it takes in an older result for a percentile below 1. */
export function samplesNeeded(quantile: number): number {
  return Math.round(samplesAbove / (1 - quantile));
}

/** A percentile of samples of which `clusters` says how they belong together. */
export function surenessOf(histogram: Histogram, quantile: number, clusters: Clusters): Sureness {
  const interval = intervalOf(histogram, quantile, clusters);
  return { rests: 'events', ...(interval ?? { lowUs: 0, highUs: null, beyond: 0 }) };
}

/**
 * A percentile of deliveries in a result that did not count events.
 * @param last the last receivers of events with several, where that is known of all these deliveries
 */
export function olderSureness(histogram: Histogram, quantile: number, last?: Histogram): Sureness {
  const atUs = quantileUs(histogram, quantile) ?? 0;
  return {
    rests: 'samples',
    samples: samplesOf(histogram),
    ...(last && { beyond: countAbove(last, atUs) }),
  };
}

/**
 * Why a percentile is not shown, and what can be said instead.
 * @returns `undefined` where it may be shown
 */
export function whyUnsure(
  sureness: Sureness,
  quantile: number,
  one = 'event',
): { why: string; atLeastUs?: number } | undefined {
  const few = (beyond: number) => `${counted(beyond, one)} beyond it; ${eventsToShow} are needed`;
  switch (sureness.rests) {
    case 'events': {
      const { beyond, lowUs } = sureness;
      if (isShown(sureness)) return undefined;
      return {
        why:
          beyond < eventsToShow
            ? few(beyond)
            : `the ${formatNumber(beyond)} ${one}s beyond it leave its upper end open`,
        ...(beyond >= eventsForLow && lowUs > 0 && { atLeastUs: lowUs }),
      };
    }
    case 'reach':
      return quantile <= sureness.upTo ? undefined : { why: `fewer than ${eventsToShow} ${one}s beyond it` };
    case 'samples': {
      const { samples, beyond = eventsToShow } = sureness;
      if (samples < samplesNeeded(quantile))
        return {
          why: `${formatNumber(samples)} samples; ${formatNumber(samplesNeeded(quantile))} are needed`,
        };
      return beyond < eventsToShow ? { why: few(beyond) } : undefined;
    }
  }
}
