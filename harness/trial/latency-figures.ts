// Makes the latency histograms of a trial: those of all processes merged, never their percentiles.

import type { LoadClosed } from '../../core/protocol/control.ts';
import {
  fromSparse,
  merge,
  newHistogram,
  record,
  storeHistogram,
  type Histogram,
} from '../../core/result/histogram.ts';
import type { Completed } from '../../core/result/result.ts';
import type { Readings } from './readings.ts';

/** Every histogram of the trial. */
export function latencyOf({ latency, closed, done, sent }: Readings): Completed['latency'] {
  const pages = closed.flatMap((report) => report.pages ?? []);
  const fanout = fanoutOf(closed);
  return {
    endToEnd: storeHistogram(latency),
    acceptToReceipt: storeHistogram(merged(closed.map((report) => fromSparse(report.acceptToReceipt)))),
    publisherLag: storeHistogram(merged([done.lag, ...sent.map(({ lag }) => lag)].map(fromSparse))),
    publishRoundTrip: storeHistogram(fromSparse(done.roundTrip)),
    firstReceiver: storeHistogram(fanout.first),
    medianReceiver: storeHistogram(fanout.median),
    lastReceiver: storeHistogram(fanout.last),
    ...(pages.length > 0 && { page: storeHistogram(merged(pages.map((one) => fromSparse(one.latency)))) }),
    ...(sent.length > 0 && {
      upstream: storeHistogram(merged(sent.map((report) => fromSparse(report.upstream)))),
    }),
  };
}

/** First, median and last receiver of each event, over all load processes. */
function fanoutOf(closed: readonly LoadClosed[]): { first: Histogram; median: Histogram; last: Histogram } {
  const events = new Map<string, Int32Array[]>();
  for (const { topic, seq, latenciesUs } of closed.flatMap((report) => report.fanout)) {
    const key = `${topic} ${seq}`;
    const parts = events.get(key);
    if (parts) parts.push(latenciesUs);
    else events.set(key, [latenciesUs]);
  }
  const [first, median, last] = [newHistogram(), newHistogram(), newHistogram()];
  for (const parts of events.values()) {
    const all = parts.length === 1 ? parts[0]! : Int32Array.from(parts.flatMap((part) => [...part])).sort();
    if (all.length === 0) continue;
    record(first, all[0]!);
    // One receiver's own time, in whole microseconds: of two in the middle the sooner, and not their mean.
    record(median, all[(all.length - 1) >> 1]!);
    record(last, all.at(-1)!);
  }
  return { first, median, last };
}

/** Planned time to receipt by the attempt that brought it, over all load processes. */
export function latencyByAttempt(closed: readonly LoadClosed[]): NonNullable<Completed['latencyByAttempt']> {
  const parts = Map.groupBy(
    closed.flatMap(({ byAttempt }) => byAttempt ?? []),
    ({ attempt }) => attempt,
  );
  return [...parts]
    .sort(([a], [b]) => a - b)
    .map(([attempt, all]) => ({
      attempt,
      histogram: storeHistogram(merged(all.map((one) => fromSparse(one.histogram)))),
    }));
}

function merged(histograms: readonly Histogram[]): Histogram {
  const into = newHistogram();
  for (const histogram of histograms) merge(into, histogram);
  return into;
}
