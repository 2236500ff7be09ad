// Reads latencies: of a delivery and its stages, of publishing, of what subscribers send, and of webhook
// deliveries by the attempt that brought them. Each has a mean, percentiles and a largest value, in µs.

import { points, timed, type LatencyName } from './latency-words.ts';
import type { Metric } from './metric.ts';
import { olderSureness, surenessOf, whyUnsure, type Sureness } from './sureness.ts';
import { calls, connects } from './who-has.ts';
import { endBelow, meanUs, merge, newHistogram, quantileUs, samplesOf } from '../result/histogram.ts';
import { histogramOf } from '../result/load-histogram.ts';
import type { Histogram, StoredHistogram } from '../result/histogram.ts';
import { highestShown } from '../result/precision.ts';
import type { Completed } from '../result/result.ts';
import { errorKinds } from '../result/simulated.ts';

export type { LatencyName } from './latency-words.ts';

/** A timer's step: latencies that differ by less are told apart by no single run. */
const timerStepUs = 1000;

/** Kinds of errors of simulated latencies by their quantile. */
const pointNames = new Map([
  [0.5, 'latency.p50'],
  [0.9, 'latency.p90'],
  [0.99, 'latency.p99'],
]);

/** What the samples are whose percentiles are shown, where they are not events. */
const sampleNames: Partial<Record<LatencyName, string>> = { page: 'request', upstream: 'message' };

/** A point of a latency's distribution. @param quantile 0 to 1; 1 is the largest value */
export function latencyAt(name: LatencyName, quantile: number, title: string): Metric {
  const errorKind =
    name === 'endToEnd' ? errorKinds.find((kind) => kind === pointNames.get(quantile)) : undefined;
  const metric = quantileOf(
    {
      histograms(trial) {
        const stored = trial.latency[name];
        return stored === undefined ? [] : [stored];
      },
      sureness: (trial, histogram) =>
        name === 'endToEnd' || name === 'acceptToReceipt'
          ? deliveriesSureness(trial, name, histogram, quantile)
          : surenessOf(histogram, quantile, { kind: 'single' }),
      samples: sampleNames[name] ?? 'event',
      timed: timed[name],
    },
    quantile,
    title,
    groundOf(name),
  );
  return errorKind === undefined ? metric : { ...metric, errorKind };
}

/** Receivers of an event share its delay, so what one delivery says others say too. */
function deliveriesSureness(
  trial: Completed,
  name: 'endToEnd' | 'acceptToReceipt',
  histogram: Histogram,
  quantile: number,
): Sureness {
  const { precision, latency } = trial;
  if (precision) {
    const { at, shownUpTo } = precision[name];
    const kept = at.find((one) => one.quantile === quantile);
    return kept ? { rests: 'events', ...kept } : { rests: 'reach', upTo: shownUpTo };
  }
  if (latency.lastReceiver.count === 0) return surenessOf(histogram, quantile, { kind: 'single' });
  return name === 'endToEnd'
    ? olderSureness(histogram, quantile, histogramOf(latency.lastReceiver))
    : olderSureness(histogram, quantile);
}

/** The highest quantile of the delivery latency that may be shown; 0 where not even the median. */
export function shownUpTo(trial: Completed): number {
  if (trial.precision) return trial.precision.endToEnd.shownUpTo;
  const histogram = histogramOf(trial.latency.endToEnd);
  return highestShown(
    samplesOf(histogram),
    (quantile) =>
      whyUnsure(deliveriesSureness(trial, 'endToEnd', histogram, quantile), quantile) === undefined,
  );
}

/** Results do not say which receivers an attempt reached, so the worst is assumed. */
function attemptsSureness(
  { precision, latency }: Completed,
  histogram: Histogram,
  quantile: number,
): Sureness {
  if (precision)
    return surenessOf(histogram, quantile, { kind: 'at-most', receipts: precision.mostReceivers });
  return latency.lastReceiver.count === 0
    ? surenessOf(histogram, quantile, { kind: 'single' })
    : olderSureness(histogram, quantile);
}

type Source = {
  histograms(trial: Completed): readonly StoredHistogram[];
  /** @param histogram all of them together */
  sureness(trial: Completed, histogram: Histogram): Sureness;
  samples: string;
  /** What they time, as a description says it. */
  timed: string;
};

/** Whose samples are not deliveries. */
const besideDeliveries: readonly LatencyName[] = ['publisherLag', 'publishRoundTrip', 'page', 'upstream'];

/** How late events were sent, and how long the server took to take them, is what the publisher saw. */
const publisherSaw: readonly LatencyName[] = ['publisherLag', 'publishRoundTrip'];
type Ground = Pick<Metric, 'rests' | 'ofWhatCame' | 'has'>;
const groundOf = (name: LatencyName): Ground => ({
  rests: publisherSaw.includes(name) ? [] : ['latency'],
  ...(!besideDeliveries.includes(name) && { ofWhatCame: true }),
  ...(name === 'page' && { has: connects }),
});

/** A quantile of the histograms' samples together. */
function quantileOf(
  { histograms, sureness, samples, timed: what }: Source,
  quantile: number,
  title: string,
  ground: Ground,
): Metric {
  const [, , point = `quantile ${quantile}`] = points.find(([, one]) => one === quantile) ?? [];
  return {
    unit: 'us',
    title,
    description: `The ${point} of ${what}.`,
    better: 'lower',
    ...ground,
    alikeWithin: timerStepUs,
    read: (trial) => quantileUs(merged(histograms(trial)), quantile),
    above: (trial) => endBelow(merged(histograms(trial)), quantileUs(merged(histograms(trial)), quantile)),
    ...(quantile < 1 && {
      percentile: {
        quantile,
        sureness: (trial) => sureness(trial, merged(histograms(trial))),
        samples,
      },
    }),
  };
}

function merged(stored: readonly StoredHistogram[]) {
  if (stored.length === 1) return histogramOf(stored[0]!);
  const all = newHistogram();
  for (const one of stored) merge(all, histogramOf(one));
  return all;
}

function latency(prefix: string, name: LatencyName, title: string): [string, Metric][] {
  const mean: Metric = {
    unit: 'us',
    title: `mean ${title}`,
    description: `The mean of ${timed[name]}.`,
    better: 'lower',
    ...groundOf(name),
    alikeWithin: timerStepUs,
    read(trial) {
      const stored = trial.latency[name];
      return stored && meanUs(histogramOf(stored));
    },
    above(trial) {
      const stored = trial.latency[name];
      return stored && endBelow(histogramOf(stored), meanUs(histogramOf(stored)));
    },
  };
  return [
    [`${prefix}.mean`, mean],
    ...points.map(([point, quantile, what]): [string, Metric] => [
      `${prefix}.${point}`,
      latencyAt(name, quantile, `${what} ${title}`),
    ]),
  ];
}

/** The latencies of the deliveries that some attempts brought, merged. */
function byAttempt(
  prefix: string,
  isMeant: (attempt: number) => boolean,
  title: string,
  which: string,
): [string, Metric][] {
  const meant = ({ latencyByAttempt = [] }: Completed) =>
    latencyByAttempt.filter(({ attempt }) => isMeant(attempt)).map(({ histogram }) => histogram);
  return points
    .filter(([point]) => point === 'p50' || point === 'p99' || point === 'max')
    .map(([point, quantile, what]) => [
      `${prefix}.${point}`,
      quantileOf(
        {
          histograms: meant,
          sureness: (trial, histogram) => attemptsSureness(trial, histogram, quantile),
          samples: 'event',
          timed: `the latency of deliveries that ${which}`,
        },
        quantile,
        `${what} ${title}`,
        { ...groundOf('endToEnd'), has: calls },
      ),
    ]);
}

/** The latencies of events before the faults of a trial, or while they went on, in whole slots. */
function aroundFaults(which: 'before' | 'during', title: string, when: string): [string, Metric][] {
  const among = {
    none: `there was no fault, or no event in a whole slot ${which === 'before' ? 'before' : 'during'} it`,
    count: ({ latencyAroundFaults: around }: Completed) => around?.[which].count ?? 0,
  };
  return points
    .filter(([point]) => point === 'p50' || point === 'p99' || point === 'max')
    .map(([point, quantile, what]) => [
      `latency.${which}-faults.${point}`,
      {
        ...quantileOf(
          {
            histograms: ({ latencyAroundFaults: around }) => (around ? [around[which]] : []),
            // Which receivers were of one event is not kept, so the worst is assumed.
            sureness: (trial, histogram) => attemptsSureness(trial, histogram, quantile),
            samples: 'event',
            timed: `the latency of events planned ${when}`,
          },
          quantile,
          `${what} ${title}`,
          // What is lost while clients are away is published during the faults.
          which === 'during' ? groundOf('endToEnd') : { rests: ['latency'] },
        ),
        among,
      },
    ]);
}

export const latencyMetrics: Readonly<Record<string, Metric>> = Object.fromEntries([
  ...latency('latency', 'endToEnd', 'latency'),
  ...latency('accept-to-receipt', 'acceptToReceipt', 'time from acceptance to receipt'),
  ...latency('publisher-lag', 'publisherLag', 'publisher lag'),
  ...latency('publish-round-trip', 'publishRoundTrip', 'time to confirm a published event'),
  ...latency('first-receiver', 'firstReceiver', 'latency of the first receiver'),
  ...latency('median-receiver', 'medianReceiver', 'latency of the median receiver'),
  ...latency('last-receiver', 'lastReceiver', 'latency of the last receiver'),
  ...latency('page-request', 'page', "latency of the browsers' other requests"),
  ...latency('upstream', 'upstream', "time to acknowledge a subscriber's message"),
  ...byAttempt(
    'latency.first-attempt',
    (attempt) => attempt === 1,
    'latency of deliveries at the first attempt',
    'the first attempt brought',
  ),
  ...byAttempt(
    'latency.retried',
    (attempt) => attempt > 1,
    'latency of deliveries after a retry',
    'took more than one attempt',
  ),
  ...aroundFaults('before', 'latency before the first fault', 'before the first fault began'),
  ...aroundFaults(
    'during',
    'latency during the faults',
    'from the first fault until all were over and those cut off were back',
  ),
]);

/** A percentile of the deliveries that one attempt made, where it may be shown; 1 is the largest value. */
export function attemptQuantileUs(
  trial: Completed,
  stored: StoredHistogram,
  quantile: number,
): number | undefined {
  const histogram = histogramOf(stored);
  return quantile < 1 && whyUnsure(attemptsSureness(trial, histogram, quantile), quantile)
    ? undefined
    : quantileUs(histogram, quantile);
}
