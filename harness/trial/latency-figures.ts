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
import { precisionOf } from '../../core/result/precision.ts';
import { followersOf } from '../../core/scenario/topics.ts';
import type { TrialPlan } from '../plan/plan.ts';
import type { Readings } from './readings.ts';

/** Every histogram of the trial, and how sure the percentiles over deliveries are. */
export function latencyOf(
  { scenario: { subscribers }, topics }: Pick<TrialPlan, 'scenario' | 'topics'>,
  { latency, closed, done, sent }: Readings,
): Pick<Completed, 'latency' | 'precision'> {
  const events = sharedEvents(closed);
  const acceptToReceipt = merged(closed.map((report) => fromSparse(report.acceptToReceipt)));
  const mostReceivers = Math.max(1, ...topics.map(({ first }) => followersOf(topics, first, subscribers)));
  const shared = closed.reduce((sum, report) => sum + report.shared, 0);
  const sureness = (histogram: Histogram, receipts: readonly Int32Array[]) =>
    precisionOf(
      histogram,
      shared > 0 && receipts.length === 0
        ? { kind: 'at-most', receipts: mostReceivers }
        : { kind: 'kept', events: receipts, shared },
    );
  return {
    latency: histograms({ latency, closed, done, sent }, events, acceptToReceipt),
    precision: {
      mostReceivers,
      endToEnd: sureness(
        latency,
        events.map(({ latenciesUs }) => latenciesUs),
      ),
      // The server took an event once, so all its receivers' times are shifted alike.
      acceptToReceipt: sureness(
        acceptToReceipt,
        events.flatMap(({ latenciesUs, acceptedUs }) =>
          acceptedUs === undefined ? [] : [latenciesUs.map((us) => us - acceptedUs)],
        ),
      ),
    },
  };
}

function histograms(
  { latency, closed, done, sent }: Pick<Readings, 'latency' | 'closed' | 'done' | 'sent'>,
  events: readonly SharedEvent[],
  acceptToReceipt: Histogram,
): Completed['latency'] {
  const pages = closed.flatMap((report) => report.pages ?? []);
  const requests = closed.flatMap((report) => report.request ?? []);
  const fanout = fanoutOf(events);
  return {
    endToEnd: storeHistogram(latency),
    acceptToReceipt: storeHistogram(acceptToReceipt),
    publisherLag: storeHistogram(merged([done.lag, ...sent.map(({ lag }) => lag)].map(fromSparse))),
    publishRoundTrip: storeHistogram(fromSparse(done.roundTrip)),
    firstReceiver: storeHistogram(fanout.first),
    medianReceiver: storeHistogram(fanout.median),
    lastReceiver: storeHistogram(fanout.last),
    ...(requests.length > 0 && { request: storeHistogram(merged(requests.map(fromSparse))) }),
    ...(pages.length > 0 && { page: storeHistogram(merged(pages.map((one) => fromSparse(one.latency)))) }),
    ...(sent.length > 0 && {
      upstream: storeHistogram(merged(sent.map((report) => fromSparse(report.upstream)))),
    }),
  };
}

/** An event with several receivers: when each had it, ascending, and the server; from planned time. */
type SharedEvent = { latenciesUs: Int32Array; acceptedUs: number | undefined };

/** The events whose receipts were kept, over all load processes. */
function sharedEvents(closed: readonly LoadClosed[]): SharedEvent[] {
  const events = Map.groupBy(
    closed.flatMap((report) => report.fanout).filter(({ latenciesUs }) => latenciesUs.length > 0),
    ({ topic, seq }) => `${topic} ${seq}`,
  );
  return [...events.values()].map((parts) => ({
    latenciesUs:
      parts.length === 1
        ? parts[0]!.latenciesUs
        : Int32Array.from(parts.flatMap(({ latenciesUs }) => [...latenciesUs])).sort(),
    acceptedUs: parts[0]!.acceptedUs,
  }));
}

/** First, median and last receiver of each event. */
function fanoutOf(events: readonly SharedEvent[]): { first: Histogram; median: Histogram; last: Histogram } {
  const [first, median, last] = [newHistogram(), newHistogram(), newHistogram()];
  for (const { latenciesUs: all } of events) {
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
