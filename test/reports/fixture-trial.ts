// Makes the trials of the fixture by formula: latencies, series, counters and costs of each pattern.

import { newCounters, type Counters } from '../../core/result/counters.ts';
import {
  merge,
  newHistogram,
  quantileUs,
  record,
  storeHistogram,
  type Histogram,
} from '../../core/result/histogram.ts';
import { precisionOf } from '../../core/result/precision.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { random, type Random } from '../../core/base/random.ts';
import type { Completed, ProcessUse, ResultWarning, Series, Trial } from '../../core/result/result.ts';
import type { Shape } from './fixture-shapes.ts';

export const subscribers = 100;
export const eventsPerS = 10;
const slotUs = 250_000;
const warmupSlots = 3;
const MiB = 1024 ** 2;

export function trialOf(
  shape: Shape,
  repetition: number,
  measureS: number,
  seed: number,
  trouble: boolean,
): Trial {
  const { pattern } = shape;
  const trial = {
    variant: { pattern, label: pattern, options: patterns[pattern].options.parse({}) },
    repetition,
    startedAt: new Date(Date.UTC(2026, 0, 2, 10, repetition, 0)).toISOString(),
  };
  if (trouble && pattern === 'http-stream') {
    return {
      ...trial,
      warnings: [],
      outcome: {
        status: 'failed',
        valid: false,
        code: 'server-died',
        message: 'the server process ended with code 1 while subscribers connected.',
      },
    };
  }
  const outcome = completedOf(shape, random(seed * 100 + repetition, pattern), measureS, trouble);
  const warnings = warningsOf(outcome, trouble && pattern === 'long-polling');
  return {
    ...trial,
    warnings,
    outcome: { ...outcome, valid: warnings.every(({ level }) => level !== 'invalid') },
  };
}

function warningsOf({ ledger }: Completed, loadLimited: boolean): ResultWarning[] {
  return [
    ...(loadLimited
      ? [
          {
            code: 'load-limited',
            level: 'invalid' as const,
            message:
              'this trial measured the load generator, not the server: a load process used 97 % of a core ' +
              '(at most 90 % is trusted). Use more load processes (--set ' +
              'loadProcesses=2) on more cores, or less load.',
          },
        ]
      : []),
    ...(ledger.missed > 0
      ? [
          {
            code: 'missed',
            level: 'note' as const,
            message:
              `${ledger.missed} of ${ledger.expected} deliveries had not ` +
              'arrived when the drain limit was reached.',
          },
        ]
      : []),
  ];
}

function completedOf(shape: Shape, next: Random, measureS: number, trouble: boolean): Completed {
  const events = measureS * eventsPerS;
  const missed = trouble && shape.pattern === 'webhook' ? 12 : 0;
  const expected = events * subscribers;
  const { series, latency } = measured(shape, next, measureS);
  const deliveries = latency.count;
  const connections = shape.pattern === 'webhook' ? 0 : subscribers;
  const client: Counters = {
    ...newCounters(),
    events: deliveries,
    bytesIn: Math.round(deliveries * shape.bytesPerDelivery * 0.8),
    bytesOut: Math.round(deliveries * shape.bytesPerDelivery * 0.2),
    ...requests(shape, deliveries),
  };
  const server: Counters = { ...client, bytesIn: client.bytesOut, bytesOut: client.bytesIn };
  const clientMeasured: Counters = { ...client, handshakes: 0, registrations: 0 };
  const loadCpu =
    trouble && shape.pattern === 'long-polling' ? 0.97 * measureS * 1e6 : shape.clientCpuUs * deliveries;
  const spread = (share: number) =>
    stored(events, () => latencyUs(shape, next) * 0.5 + share * shape.fanoutUs);
  return {
    status: 'completed',
    valid: true,
    latency: {
      endToEnd: storeHistogram(latency),
      acceptToReceipt: storeHistogram(latency),
      publisherLag: stored(events, () => 120 + next() * 400),
      publishRoundTrip: stored(events, () => 600 + next() * 900),
      firstReceiver: spread(0),
      medianReceiver: spread(0.5),
      lastReceiver: spread(1),
    },
    // As if eight receivers of an event had it at the same time: 2,500 events of 20,000 deliveries.
    precision: {
      mostReceivers: subscribers,
      endToEnd: precisionOf(latency, { kind: 'at-most', receipts: 8 }),
      acceptToReceipt: precisionOf(latency, { kind: 'at-most', receipts: 8 }),
    },
    ledger: {
      published: events,
      unconfirmed: 0,
      expected,
      delivered: expected - missed,
      missed,
      duplicated: 0,
      reordered: shape.pattern === 'webhook' ? 37 : 0,
      resumed: 0,
      corrupted: 0,
      unexpected: 0,
      missing: missed === 0 ? [] : [{ subscriber: 17, topic: 'news', from: 101, to: 112 }],
    },
    counters: { server, client, serverMeasured: server, clientMeasured },
    checks: [
      { name: 'events', server: deliveries, client: deliveries, agree: true, note: '' },
      {
        name: 'bytes to the subscribers',
        server: server.bytesOut,
        client: client.bytesIn,
        agree: true,
        note: '',
      },
    ],
    connectUs: 1_020_000,
    subscribers,
    connections: shape.descriptors,
    measuredUs: measureS * 1e6,
    drainUs: 60_000,
    measuredDeliveries: deliveries,
    descriptors: {
      limit: 20_000,
      baseline: 24,
      connected: 24 + shape.descriptors,
      peak: shape.pattern === 'webhook' ? 93 : 25 + shape.descriptors,
      socketsBaseline: 3,
      socketsConnected: 3 + connections,
    },
    kernelSocketBytes: MiB,
    processes: [
      use('server', shape.serverCpuUs * deliveries, measureS, 2),
      use('load', loadCpu, measureS, 7),
      use('publisher', 400_000, measureS, 0),
    ],
    series,
    problems:
      missed === 0
        ? []
        : [{ code: 'receiver-refused', message: 'a webhook receiver answered 503', count: 36 }],
  };
}

function requests({ pattern, requestsPerDelivery }: Shape, deliveries: number): Partial<Counters> {
  const all = Math.round(requestsPerDelivery * deliveries);
  if (pattern === 'polling' || pattern === 'long-polling')
    return { fullPolls: Math.round(all * 0.9), emptyPolls: all - Math.round(all * 0.9) };
  return pattern === 'webhook'
    ? { registrations: subscribers, deliveryRequests: deliveries, retries: all - deliveries }
    : { handshakes: subscribers };
}

function use(role: ProcessUse['role'], cpuUs: number, measureS: number, connectedMiB: number): ProcessUse {
  return {
    role,
    pid: 1000,
    cpuUs: Math.round(cpuUs),
    wallUs: measureS * 1e6,
    rssBaselineBytes: 108 * MiB,
    rssConnectedBytes: (108 + connectedMiB) * MiB,
    rssPeakBytes: (116 + connectedMiB) * MiB,
    loopDelayP99Us: 2200,
    loopDelayMaxUs: 4100,
    gcPauseUs: 1800,
  };
}

/** Slot by slot: the latencies of a slot's deliveries, and what else was sampled in it. */
function measured(shape: Shape, next: Random, measureS: number): { series: Series; latency: Histogram } {
  const slots = (measureS * 1e6) / slotUs;
  const perSlot = Math.round((eventsPerS * subscribers * slotUs) / 1e6);
  const latency = newHistogram();
  const columns: Record<string, (number | null)[]> = {};
  const put = (column: string, value: number | null) => (columns[column] ??= []).push(value);
  for (let slot = -warmupSlots; slot < slots; slot++) {
    const own = newHistogram();
    // A pause of the server in the middle: every pattern shows one, at a moment of its own.
    const pause = slot === Math.floor(slots * 0.6) && shape.pattern === 'long-polling' ? 8 : 1;
    if (slot >= 0) for (let i = 0; i < perSlot; i++) record(own, Math.round(latencyUs(shape, next) * pause));
    merge(latency, own);
    put('latencyP50Us', quantileUs(own, 0.5) ?? null);
    put('latencyP99Us', quantileUs(own, 0.99) ?? null);
    put('latencyMaxUs', own.count > 0 ? own.maxUs : null);
    put('deliveries', own.count > 0 ? own.count : null);
    const wobble = 0.85 + 0.3 * next();
    const perS = (perSlot * 1e6) / slotUs;
    put('connected', slot === -warmupSlots ? null : subscribers);
    put('requestsPerS', slot === -warmupSlots ? null : shape.requestsPerDelivery * perS * wobble);
    put(
      'serverDescriptors',
      24 + shape.descriptors + (shape.pattern === 'webhook' ? Math.round(60 * next()) : 1),
    );
    put('serverCpuShare', (shape.serverCpuUs * perS * wobble) / 1e6);
    put('loadCpuShare', (shape.clientCpuUs * perS * wobble) / 1e6);
    put('serverRssBytes', (112 + next()) * MiB);
  }
  const startUs = Array.from({ length: slots + warmupSlots }, (_, i) => (i - warmupSlots) * slotUs);
  return { series: { slotUs, startUs, columns }, latency };
}

function latencyUs({ pattern, medianUs, sigma }: Shape, next: Random): number {
  if (pattern === 'polling') return Math.round(2000 + next() * 1_000_000);
  const normal = Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
  return Math.round(medianUs * Math.exp(sigma * normal));
}

function stored(count: number, valueUs: () => number) {
  const histogram = newHistogram();
  for (let i = 0; i < count; i++) record(histogram, Math.round(valueUs()));
  return storeHistogram(histogram);
}
