// The metrics by name: what an expectation may bound, what the table and the report show, in which unit,
// and whether less is better. Each is read from one completed trial of a result and nothing else.

import { requestsOf } from '../result/counters.ts';
import { derivedMetrics } from './derived.ts';
import { histogramOf, samplesNeeded, type Metric } from './metric.ts';
import { meanUs, merge, newHistogram, quantileUs } from '../result/histogram.ts';
import type { Completed } from '../result/result.ts';
import { formatNumber } from '../base/units.ts';

/**
 * The rule of all tables, curves, expectations and comparisons: a percentile needs samples beyond it.
 * @returns why a trial does not carry it, or `undefined`; other metrics than percentiles are always carried
 */
export function tooFewSamples(name: string, trial: Completed): string | undefined {
  const percentile = metrics[name]?.percentile;
  if (!percentile) return undefined;
  const [count, needed] = [percentile.samples(trial), samplesNeeded(percentile.quantile)];
  return count >= needed ? undefined : `${formatNumber(count)} samples; it takes ${formatNumber(needed)}`;
}

type LatencyName = keyof Completed['latency'];

function latencyMetrics(prefix: string, name: LatencyName, title: string): Record<string, Metric> {
  const of = ({ latency: { [name]: stored } }: Completed) => stored && histogramOf(stored);
  const at = (quantile: number): Pick<Metric, 'read' | 'percentile'> => ({
    read(trial) {
      const histogram = of(trial);
      return histogram && quantileUs(histogram, quantile);
    },
    ...(quantile < 1 && {
      percentile: { quantile, samples: ({ latency: { [name]: stored } }) => stored?.count ?? 0 },
    }),
  });
  const mean: Metric['read'] = (trial) => {
    const histogram = of(trial);
    return histogram && meanUs(histogram);
  };
  return {
    [`${prefix}.mean`]: { unit: 'us', title: `${title}, mean`, read: mean },
    [`${prefix}.p50`]: { unit: 'us', title: `${title}, median`, ...at(0.5) },
    [`${prefix}.p90`]: { unit: 'us', title: `${title}, 90 %`, ...at(0.9) },
    [`${prefix}.p99`]: { unit: 'us', title: `${title}, 99 %`, ...at(0.99) },
    [`${prefix}.p99.9`]: { unit: 'us', title: `${title}, 99.9 %`, ...at(0.999) },
    [`${prefix}.max`]: { unit: 'us', title: `${title}, largest`, ...at(1) },
  };
}

const perDelivery =
  (total: (trial: Completed) => number | undefined): Metric['read'] =>
  (trial) => {
    const value = total(trial);
    return value === undefined || trial.measuredDeliveries === 0
      ? undefined
      : value / trial.measuredDeliveries;
  };

const processes = (trial: Completed, role: string) =>
  trial.processes.filter((process) => process.role === role);
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
/** Over the processes of a role; nothing where none was read, as with a target whose process is not named. */
const total =
  (role: string, read: (process: Completed['processes'][number]) => number) => (trial: Completed) => {
    const all = processes(trial, role);
    return all.length === 0 ? undefined : sum(all.map(read));
  };
const cpuUs = (role: string) => total(role, (process) => process.cpuUs);
const perSubscriber =
  (role: string): Metric['read'] =>
  (trial) => {
    const bytes = total(role, (process) => process.rssConnectedBytes - process.rssBaselineBytes)(trial);
    return bytes === undefined ? undefined : bytes / trial.subscribers;
  };

export const metrics: Readonly<Record<string, Metric>> = {
  ...latencyMetrics('latency', 'endToEnd', 'delivery latency'),
  ...latencyMetrics('accept-to-receipt', 'acceptToReceipt', "server's acceptance to receipt"),
  ...latencyMetrics('publisher-lag', 'publisherLag', 'publisher lag'),
  ...latencyMetrics('publish-round-trip', 'publishRoundTrip', 'publication, sent to confirmed'),
  ...latencyMetrics('first-receiver', 'firstReceiver', 'first receiver of an event'),
  ...latencyMetrics('median-receiver', 'medianReceiver', 'median receiver of an event'),
  ...latencyMetrics('last-receiver', 'lastReceiver', 'last receiver of an event'),
  ...latencyMetrics('page-request', 'page', "browser's other request"),
  'page-requests-answered': {
    unit: 'share',
    title: "share of the browsers' other requests that were answered",
    read: ({ pageRequests: p }) => (p && p.planned > 0 ? p.answered / p.planned : undefined),
  },
  ...latencyMetrics('upstream', 'upstream', "subscriber's message to its acknowledgement"),
  published: { unit: 'count', title: 'events published', read: (t) => t.ledger.published },
  expected: { unit: 'count', title: 'deliveries expected', read: (t) => t.ledger.expected },
  delivered: { unit: 'count', title: 'deliveries made', read: (t) => t.ledger.delivered },
  missed: { unit: 'count', title: 'missed', read: (t) => t.ledger.missed },
  duplicated: { unit: 'count', title: 'duplicated', read: (t) => t.ledger.duplicated },
  reordered: { unit: 'count', title: 'reordered', read: (t) => t.ledger.reordered },
  resumed: { unit: 'count', title: 'resumed', read: (t) => t.ledger.resumed },
  corrupted: { unit: 'count', title: 'corrupted', read: (t) => t.ledger.corrupted },
  unexpected: { unit: 'count', title: 'unexpected', read: (t) => t.ledger.unexpected },
  requests: { unit: 'count', title: 'requests', read: (t) => requestsOf(t.counters.clientMeasured) },
  'requests-per-s': {
    unit: 'per-s',
    title: 'requests a second',
    read: (t) => requestsOf(t.counters.clientMeasured) / (t.measuredUs / 1e6),
  },
  'requests-per-delivery': {
    unit: 'count',
    title: 'requests per delivery',
    read: perDelivery((t) => requestsOf(t.counters.clientMeasured)),
  },
  'empty-polls': { unit: 'count', title: 'empty polls', read: (t) => t.counters.clientMeasured.emptyPolls },
  'empty-poll-share': {
    unit: 'share',
    title: 'share of polls that were empty',
    read: ({ counters: { clientMeasured: c } }) =>
      c.emptyPolls + c.fullPolls === 0 ? undefined : c.emptyPolls / (c.emptyPolls + c.fullPolls),
  },
  'bytes-per-delivery': {
    unit: 'bytes',
    title: 'bytes per delivery, both ways',
    read: perDelivery((t) => t.counters.clientMeasured.bytesIn + t.counters.clientMeasured.bytesOut),
  },
  'descriptors.peak': { unit: 'count', title: 'server descriptors, peak', read: (t) => t.descriptors?.peak },
  'descriptors.added': {
    unit: 'count',
    title: 'server descriptors for the subscribers',
    read: (t) => (t.descriptors ? t.descriptors.connected - t.descriptors.baseline : undefined),
  },
  'descriptors-per-subscriber': {
    unit: 'count',
    title: 'server descriptors per subscriber',
    read: (t) =>
      t.descriptors ? (t.descriptors.connected - t.descriptors.baseline) / t.subscribers : undefined,
  },
  'server-cpu-per-delivery': {
    unit: 'us',
    title: 'server CPU per delivery',
    read: perDelivery(cpuUs('server')),
  },
  'client-cpu-per-delivery': {
    unit: 'us',
    title: 'client CPU per delivery',
    read: perDelivery(cpuUs('load')),
  },
  'server-cpu': { unit: 'share', title: 'server CPU, share of a core', read: (t) => share(t, 'server') },
  'client-cpu': {
    unit: 'share',
    title: 'CPU of the busiest load process, share of a core',
    read: (t) => share(t, 'load'),
  },
  'server-memory-per-subscriber': {
    unit: 'bytes',
    title: 'server memory per idle subscriber',
    read: perSubscriber('server'),
  },
  'client-memory-per-subscriber': {
    unit: 'bytes',
    title: 'client memory per idle subscriber',
    read: perSubscriber('load'),
  },
  'server-loop-delay.p99': {
    unit: 'us',
    title: "server's event-loop delay, worst slot's 99 %",
    read: (t) =>
      largest(
        processes(t, 'server')
          .filter((p) => !p.outside)
          .map((p) => p.loopDelayP99Us),
      ),
  },
  ...derivedMetrics,
  'attempts-per-event': {
    unit: 'count',
    title: 'webhook requests for each first one',
    read: ({ counters: { server: c } }) =>
      c.deliveryRequests === 0 ? undefined : (c.deliveryRequests + c.retries) / c.deliveryRequests,
  },
  'answers-lost': {
    unit: 'count',
    title: 'requests acted upon whose answer was lost',
    read: (t) => t.counters.client.answersLost,
  },
  'duplicated.unexplained': {
    unit: 'count',
    title: 'duplicates beyond the lost answers',
    read: (t) => Math.max(0, t.ledger.duplicated - t.counters.client.answersLost),
  },
  'backlog.peak': {
    unit: 'count',
    title: 'deliveries accepted and not made, most at once',
    read: (t) => peak(t, 'serverBacklog'),
  },
  'backlog.end': {
    unit: 'count',
    title: 'the same at the end of the measured phase',
    read: (t) => t.series.columns['serverBacklog']?.findLast((value) => value !== null) ?? undefined,
  },
  'oldest-age.peak': {
    unit: 'us',
    title: "age of the oldest of them on the server's clock, largest",
    read: (t) => scaled(peak(t, 'serverOldestMs'), 1000),
  },
  ...attemptMetrics(),
  errors: {
    unit: 'count',
    title: 'errors of server and clients',
    read: ({ counters: { server, client } }) => server.errors + client.errors,
  },
  reconnects: { unit: 'count', title: 'reconnects', read: (t) => t.counters.client.reconnects },
};

/** The latency of what the first attempt brought, and of what the others did. */
function attemptMetrics(): Record<string, Metric> {
  const of = (
    isMeant: (attempt: number) => boolean,
    quantile: number,
  ): Pick<Metric, 'read' | 'percentile'> => {
    const meant = ({ latencyByAttempt = [] }: Completed) =>
      latencyByAttempt.filter(({ attempt }) => isMeant(attempt)).map(({ histogram }) => histogram);
    return {
      read(trial) {
        const into = newHistogram();
        for (const histogram of meant(trial)) merge(into, histogramOf(histogram));
        return quantileUs(into, quantile);
      },
      ...(quantile < 1 && {
        percentile: { quantile, samples: (trial) => sum(meant(trial).map(({ count }) => count)) },
      }),
    };
  };
  const points = [
    ['p50', 0.5, 'median'],
    ['p99', 0.99, '99 %'],
    ['max', 1, 'largest'],
  ] as const;
  return Object.fromEntries(
    points.flatMap(([name, quantile, title]): [string, Metric][] => [
      [
        `latency.first-attempt.${name}`,
        {
          unit: 'us',
          title: `latency of what a first attempt brought, ${title}`,
          ...of((attempt) => attempt === 1, quantile),
        },
      ],
      [
        `latency.retried.${name}`,
        {
          unit: 'us',
          title: `latency of what a later attempt brought, ${title}`,
          ...of((attempt) => attempt > 1, quantile),
        },
      ],
    ]),
  );
}

function peak(trial: Completed, column: string): number | undefined {
  return largest((trial.series.columns[column] ?? []).filter((value) => value !== null));
}

function scaled(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}

function share(trial: Completed, role: string): number | undefined {
  return largest(processes(trial, role).map((process) => process.cpuUs / process.wallUs));
}

function largest(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : Math.max(...values);
}
