// Readings into figures: merged histograms, the closed ledger, costs over the measured phase, warnings.
// Pure; the readings are all there is.

import { addCounters, newCounters, subtractCounters, type Counters } from '../../core/result/counters.ts';
import type { LoadClosed, Problem, SelfSample } from '../../core/protocol/control.ts';
import {
  fromSparse,
  merge,
  newHistogram,
  record,
  storeHistogram,
  type Histogram,
} from '../../core/result/histogram.ts';
import type { Variant } from '../../core/pattern/registry.ts';
import type { Completed, ProcessUse, Trial } from '../../core/result/result.ts';
import { isTooLarge } from '../../core/result/too-large.ts';
import { topicName } from '../../core/scenario/topics.ts';
import { crossCheck } from './cross-check.ts';
import type { ProcessReadings, Readings } from './phases.ts';
import type { TrialPlan } from '../plan/plan.ts';
import { pollRate } from './poll-rate.ts';
import { warningsOf } from './validity.ts';

export function outcomeOf(
  plan: TrialPlan,
  variant: Variant,
  readings: Readings,
): Pick<Trial, 'warnings' | 'outcome'> {
  const completed = completedOf(plan, readings);
  const warnings = [...warningsOf(plan, readings, completed), ...pollRate(plan.scenario, variant, completed)];
  return { warnings, outcome: { ...completed, valid: warnings.every(({ level }) => level !== 'invalid') } };
}

function completedOf(plan: TrialPlan, readings: Readings): Completed {
  const {
    window,
    timeline,
    done,
    sent,
    closed,
    processes,
    descriptors,
    kernelBaselineBytes,
    kernelPeakBytes,
    serverCounters,
  } = readings;
  const client = closed.reduce((sum, report) => addCounters(sum, report.counters), newCounters());
  const measured = (role: ProcessReadings['role']) =>
    processes
      .filter((one) => one.role === role)
      .reduce(
        (sum, one) => addCounters(sum, countersBetween(one, window.fromUs, window.toUs)),
        newCounters(),
      );
  const clientMeasured = measured('load');
  const pages = closed.flatMap((report) => report.pages ?? []);
  const fanout = fanoutOf(closed);
  return {
    status: 'completed',
    valid: true,
    latency: {
      endToEnd: storeHistogram(timeline.latency),
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
    },
    latencyByAttempt: latencyByAttempt(closed),
    ledger: ledgerOf(plan, readings),
    counters: { server: serverCounters, client, serverMeasured: measured('server'), clientMeasured },
    // A target does not tell what it counted.
    checks: readings.serverReadings === 'self' ? crossCheck(serverCounters, client) : [],
    ...(pages.length > 0 && {
      pageRequests: {
        planned: pages.reduce((sum, one) => sum + one.planned, 0),
        answered: pages.reduce((sum, one) => sum + fromSparse(one.latency).count, 0),
      },
    }),
    connectUs: readings.connectUs,
    subscribers: readings.subscribers,
    measuredUs: window.toUs - window.fromUs,
    drainUs: readings.drainUs,
    measuredDeliveries: clientMeasured.events,
    descriptors:
      descriptors.baseline && descriptors.connected && readings.descriptorLimit !== undefined
        ? {
            limit: readings.descriptorLimit,
            baseline: descriptors.baseline.total,
            connected: descriptors.connected.total,
            peak: Math.max(readings.descriptorsPeak, descriptors.connected.total),
            socketsBaseline: descriptors.baseline.sockets,
            socketsConnected: descriptors.connected.sockets,
          }
        : null,
    kernelSocketBytes:
      kernelPeakBytes === undefined || kernelBaselineBytes === undefined
        ? null
        : Math.max(0, kernelPeakBytes - kernelBaselineBytes),
    ...networkOf(readings),
    processes: processes
      .filter(({ role }) => role !== 'server' || readings.serverReadings !== 'none')
      .map((one) => ({
        ...useOf(one, window.fromUs, window.toUs),
        ...(one.role === 'server' && readings.serverReadings === 'outside' && { outside: true as const }),
      })),
    series: timeline.series(),
    problems: sumProblems([...closed, ...sent, done].flatMap((report) => report.problems)),
  };
}

function networkOf({ network: { from, to } }: Readings): Pick<Completed, 'network'> {
  if (!from || !to) return {};
  return { network: { segments: to.segments - from.segments, wireBytes: to.bytes - from.bytes } };
}

function ledgerOf(
  plan: TrialPlan,
  { ranges, done, closed, unconfirmed: disregarded }: Readings,
): Completed['ledger'] {
  const sum = (key: Exclude<keyof LoadClosed['ledger'], 'missing'>) =>
    closed.reduce((total, report) => total + report.ledger[key], 0);
  const warmupUs = plan.scenario.phases.warmup * 1000;
  let unconfirmed = 0;
  for (let i = 0; i < done.seq.length; i++)
    if (done.seq[i] === 0 && plan.publish.offsetUs[i]! >= warmupUs) unconfirmed++;
  return {
    published: ranges.reduce(
      (total, { first, last }, topic) =>
        total +
        Math.max(0, last - first + 1) -
        disregarded.filter((one) => one.topic === topic && one.seq >= first && one.seq <= last).length,
      0,
    ),
    unconfirmed,
    expected: sum('expected'),
    delivered: sum('delivered'),
    missed: sum('missed'),
    duplicated: sum('duplicated'),
    reordered: sum('reordered'),
    resumed: sum('resumed'),
    corrupted: sum('corrupted'),
    unexpected: sum('unexpected'),
    missing: closed
      .flatMap((report) => report.ledger.missing)
      .slice(0, 100)
      .map(({ subscriber, topic, from, to }) => ({
        subscriber,
        topic: topicName(plan.topics, topic),
        from,
        to,
      })),
  };
}

/** The first sample at or after each end of a stretch; samples are due at those very moments. */
function between<T extends { sample: SelfSample }>(
  samples: readonly T[],
  fromUs: number,
  toUs: number,
): [T, T] | undefined {
  const first = samples.find(({ sample }) => sample.atUs >= fromUs);
  const last = samples.find(({ sample }) => sample.atUs >= toUs) ?? samples.at(-1);
  return first && last && first !== last ? [first, last] : undefined;
}

function countersBetween({ samples }: ProcessReadings, fromUs: number, toUs: number): Counters {
  const ends = between(samples, fromUs, toUs);
  const [from, to] = [ends?.[0].counters, ends?.[1].counters];
  return from && to ? subtractCounters(to, from) : newCounters();
}

function useOf(
  { role, pid, baseline, connected, samples }: ProcessReadings,
  fromUs: number,
  toUs: number,
): ProcessUse {
  const ends = between(samples, fromUs, toUs);
  const inside = samples.filter(({ sample }) => sample.atUs > fromUs).map(({ sample }) => sample);
  const highest = (pick: (sample: SelfSample) => number) =>
    inside.reduce((most, sample) => Math.max(most, pick(sample)), 0);
  return {
    role,
    pid,
    cpuUs: ends ? ends[1].sample.cpuUs - ends[0].sample.cpuUs : 0,
    wallUs: ends ? ends[1].sample.atUs - ends[0].sample.atUs : toUs - fromUs,
    rssBaselineBytes: baseline.rssBytes,
    rssConnectedBytes: connected.rssBytes,
    rssPeakBytes: Math.max(
      connected.rssBytes,
      highest((sample) => sample.rssBytes),
    ),
    loopDelayP99Us: highest((sample) => sample.loopDelayP99Us),
    loopDelayMaxUs: highest((sample) => sample.loopDelayMaxUs),
    gcPauseUs: ends ? ends[1].sample.gcPauseUs - ends[0].sample.gcPauseUs : 0,
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
    record(median, all[(all.length - 1) >> 1]!);
    record(last, all.at(-1)!);
  }
  return { first, median, last };
}

/** By attempt, over all load processes. */
function latencyByAttempt(closed: readonly LoadClosed[]): NonNullable<Completed['latencyByAttempt']> {
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

function sumProblems(problems: readonly Problem[]): Problem[] {
  const byText = new Map<string, Problem>();
  for (const problem of problems) {
    const key = `${problem.code} ${problem.message}`;
    const known = byText.get(key);
    if (known) known.count += problem.count;
    else byText.set(key, { ...problem });
  }
  // What makes the trial invalid is among those that are kept.
  return [...byText.values()]
    .sort((a, b) => Number(isTooLarge(b)) - Number(isTooLarge(a)) || b.count - a.count)
    .slice(0, 50);
}
