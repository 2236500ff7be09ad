// Estimates how sure a percentile is within its run. All receivers of an event share its delay, so events are
// the samples and not deliveries: the interval counts for each event how many of its receipts lie beyond
// (Woodruff's interval, with events as clusters).

import { bottomOfBinUs, countAbove, quantileUs, rangeUs, samplesOf, type Histogram } from './histogram.ts';

/** Fewest events beyond a percentile for it to be shown. */
export const eventsToShow = 10;
/** Fewest events beyond a percentile for its lower end to be shown, if it is not shown itself. */
export const eventsForLow = 3;
/** Fewest events beyond a percentile for a comparison to be decided by it. */
export const eventsToGate = 25;

/** Which samples of a histogram belong to one event. */
export type Clusters =
  /** Each sample is an event of its own. */
  | { kind: 'single' }
  /**
   * `events`: the receipts of each shared event that was kept, ascending. `shared`: the receipts of all
   * shared events, kept or not. All other samples are events of their own.
   */
  | { kind: 'kept'; events: readonly Int32Array[]; shared: number }
  /** Nobody knows which belong together, but an event has no more than so many. The worst is assumed. */
  | { kind: 'at-most'; receipts: number };

export type Interval = {
  /** Where 95 % of such intervals have the percentile between their ends, if events come as these did. */
  lowUs: number;
  /** `null` where there are too few events to say. */
  highUs: number | null;
  /** Distinct events with a receipt beyond the percentile. */
  beyond: number;
};

/** Percentiles whose intervals a result keeps, since reports and expectations ask for them. */
export const keptQuantiles = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999] as const;

/** How sure a distribution's percentiles are: {@link keptQuantiles}, and how far up any is shown. */
export type Precision = {
  /** 0 where not even the median is. */
  shownUpTo: number;
  at: ({ quantile: number } & Interval)[];
};

export function precisionOf(histogram: Histogram, clusters: Clusters): Precision {
  return {
    shownUpTo: shownUpTo(histogram, clusters),
    at: keptQuantiles.flatMap((quantile) => {
      const interval = intervalOf(histogram, quantile, clusters);
      return interval ? [{ quantile, ...interval }] : [];
    }),
  };
}

/** Whether a percentile is sure enough to be shown. */
export function isShown({ beyond, highUs }: Interval): boolean {
  return beyond >= eventsToShow && highUs !== null;
}

/**
 * The 95 % interval of a percentile, within this run.
 * @param quantile 0 to 1, both left out
 * @returns `undefined` for an empty histogram
 */
export function intervalOf(histogram: Histogram, quantile: number, clusters: Clusters): Interval | undefined {
  const atUs = quantileUs(histogram, quantile);
  if (atUs === undefined) return undefined;
  const { centre, squares, events, beyond } = tailOf(histogram, quantile, atUs, clusters);
  if (events <= 1 || beyond < 1) return { lowUs: 0, highUs: null, beyond: Math.floor(beyond) };
  const error = Math.sqrt(((events / (events - 1)) * squares) / samplesOf(histogram) ** 2);
  const reach = studentT975(Math.floor(events) - 1) * error;
  const [least, most] = [centre - reach, centre + reach];
  const ends = rangeUs(histogram);
  const highUs = most >= 1 ? Infinity : quantileUs(histogram, most)!;
  return {
    lowUs: least <= 0 ? 0 : Math.min(ends, quantileUs(histogram, least)!),
    highUs: highUs > ends ? null : highUs,
    beyond: Math.floor(beyond + 1e-9),
  };
}

function tailOf(
  histogram: Histogram,
  quantile: number,
  atUs: number,
  clusters: Clusters,
): Spread & { centre: number } {
  const all = samplesOf(histogram);
  const cutAt = (us: number) => {
    const above = countAbove(histogram, us);
    return { above, share: above / all, ...spreadOf(clusters, { all, above, share: above / all, atUs: us }) };
  };
  const beyond = cutAt(atUs);
  if (atUs === Infinity) {
    // Above the range nothing tells the values apart: as with ties below, a part of them are the slowest.
    return {
      ...beyond,
      beyond: (beyond.beyond * (1 - quantile) * all) / beyond.above,
      centre: quantile,
    };
  }
  const tied = (1 - quantile) * all - beyond.above;
  if (tied < 1) return { ...beyond, centre: 1 - beyond.share };
  // Many receipts took exactly as long as the percentile: a part of them are the slowest, too.
  const from = cutAt(bottomOfBinUs(atUs) - 1);
  const part = tied / (from.above - beyond.above);
  return {
    events: beyond.events,
    squares: Math.max(beyond.squares, from.squares),
    beyond: beyond.beyond + part * (from.beyond - beyond.beyond),
    centre: quantile,
  };
}

/**
 * The highest percentile that is sure enough to be shown.
 * @returns a quantile below 1, or 0 where not even the median is
 */
export function shownUpTo(histogram: Histogram, clusters: Clusters): number {
  return highestShown(samplesOf(histogram) / eventsToShow, (quantile) => {
    const interval = intervalOf(histogram, quantile, clusters);
    return interval !== undefined && isShown(interval);
  });
}

/** The highest quantile that is shown, looked for from the median up to all but one in `most`; 0 for none. */
export function highestShown(most: number, shown: (quantile: number) => boolean): number {
  const quantileOf = (tail: number) => 1 - 1 / tail;
  let [from, to] = [2, Math.max(2, most)];
  if (!shown(quantileOf(from))) return 0;
  if (shown(quantileOf(to))) return quantileOf(to);
  while (to / from > 1.001) {
    const middle = Math.sqrt(from * to);
    if (shown(quantileOf(middle))) from = middle;
    else to = middle;
  }
  return quantileOf(from);
}

type Spread = {
  /** Over the events: (receipts beyond - receipts times the share beyond), squared. */
  squares: number;
  events: number;
  beyond: number;
};
type Cut = { all: number; above: number; share: number; atUs: number };

function spreadOf(clusters: Clusters, { all, above, share, atUs }: Cut): Spread {
  if (clusters.kind === 'at-most') {
    // All receipts of an event on the same side is the widest that there is.
    const { receipts } = clusters;
    return { ...singles(all / receipts, above / receipts, share, receipts), beyond: above / receipts };
  }
  if (clusters.kind === 'single') return singles(all, above, share);
  const { events, shared } = clusters;
  let [kept, keptAbove, beyond, squares] = [0, 0, 0, 0];
  for (const receipts of events) {
    const count = receipts.length - countUpTo(receipts, atUs);
    kept += receipts.length;
    keptAbove += count;
    if (count > 0) beyond++;
    squares += (count - receipts.length * share) ** 2;
  }
  const scale = kept === 0 ? 0 : shared / kept;
  const privates = Math.max(0, all - shared);
  const own = singles(privates, Math.min(privates, Math.max(0, above - scale * keptAbove)), share);
  return {
    squares: scale * squares + own.squares,
    // Those that were not kept make nothing surer.
    events: events.length + own.events,
    beyond: beyond + own.beyond,
  };
}

/** Of events that have `receipts` receipts each, all beyond or none. */
function singles(events: number, beyond: number, share: number, receipts = 1): Spread {
  return {
    squares: receipts ** 2 * (beyond * (1 - share) ** 2 + (events - beyond) * share ** 2),
    events,
    beyond,
  };
}

/** How many of an ascending list are at most `most`. */
function countUpTo(ascending: Int32Array, most: number): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! <= most) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Of one to four degrees of freedom, for which the series below is too short. */
const t975 = [12.7062, 4.3027, 3.1824, 2.7764];
const z975 = 1.959964;

/** 97.5th percentile of Student's t (Cornish and Fisher's series; Abramowitz and Stegun 26.7.5). */
export function studentT975(degrees: number): number {
  const known = t975[degrees - 1];
  if (known !== undefined) return known;
  const z = z975;
  return (
    z +
    (z ** 3 + z) / (4 * degrees) +
    (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * degrees ** 2) +
    (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * degrees ** 3) +
    (79 * z ** 9 + 776 * z ** 7 + 1482 * z ** 5 - 1920 * z ** 3 - 945 * z) / (92_160 * degrees ** 4)
  );
}
