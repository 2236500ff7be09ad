// A completed trial of which every figure is known, for tests of what is read from results.

import { newCounters } from '../../../core/result/counters.ts';
import {
  newHistogram,
  record,
  storeHistogram,
  type StoredHistogram,
} from '../../../core/result/histogram.ts';
import type { Completed, ProcessUse, Trial } from '../../../core/result/result.ts';

export function stored(...valuesUs: number[]): StoredHistogram {
  const histogram = newHistogram();
  for (const value of valuesUs) record(histogram, value);
  return storeHistogram(histogram);
}

/** `from`, `from` + 1 us, ... `from` + 999 us: below 2048 us, where histograms are exact. */
export function thousandFrom(from: number): StoredHistogram {
  return stored(...Array.from({ length: 1000 }, (_, i) => from + i));
}

export function processUse(role: ProcessUse['role'], more: Partial<ProcessUse> = {}): ProcessUse {
  return {
    role,
    pid: 1,
    cpuUs: 0,
    wallUs: 10e6,
    rssBaselineBytes: 0,
    rssConnectedBytes: 0,
    rssPeakBytes: 0,
    loopDelayP99Us: 0,
    loopDelayMaxUs: 0,
    gcPauseUs: 0,
    ...more,
  };
}

export function completed(more: Partial<Completed> = {}): Completed {
  return {
    status: 'completed',
    valid: true,
    latency: {
      endToEnd: thousandFrom(1),
      acceptToReceipt: thousandFrom(101),
      publisherLag: thousandFrom(201),
      publishRoundTrip: thousandFrom(301),
      firstReceiver: thousandFrom(401),
      medianReceiver: thousandFrom(501),
      lastReceiver: thousandFrom(601),
      upstream: thousandFrom(701),
      page: thousandFrom(801),
    },
    ledger: {
      published: 11,
      unconfirmed: 12,
      expected: 13,
      delivered: 14,
      missed: 15,
      duplicated: 16,
      reordered: 17,
      resumed: 18,
      corrupted: 19,
      unexpected: 20,
      missing: [],
    },
    counters: {
      server: { ...newCounters(), deliveryRequests: 40, retries: 10, errors: 2 },
      client: { ...newCounters(), reconnects: 21, fullPolls: 9999, answersLost: 3, errors: 4 },
      serverMeasured: newCounters(),
      clientMeasured: {
        ...newCounters(),
        handshakes: 1,
        fullPolls: 30,
        emptyPolls: 10,
        deliveryRequests: 9,
        bytesIn: 4000,
        bytesOut: 1000,
      },
    },
    checks: [],
    pageRequests: { planned: 20, answered: 15 },
    connectUs: 1,
    subscribers: 4,
    connections: 8,
    measuredUs: 10e6,
    drainUs: 1,
    measuredDeliveries: 100,
    descriptors: {
      limit: 1024,
      baseline: 20,
      connected: 24,
      peak: 25,
      socketsBaseline: 2,
      socketsConnected: 6,
    },
    kernelSocketBytes: null,
    hostMemory: {
      baseline: { availableBytes: 9000, slabBytes: 1000, socketBytes: 0 },
      connected: { availableBytes: 2000, slabBytes: 1600, socketBytes: 200 },
    },
    network: { segments: 300, wireBytes: 6000 },
    processes: [
      processUse('server', {
        cpuUs: 2e6,
        rssBaselineBytes: 1000,
        rssConnectedBytes: 5000,
        rssPeakBytes: 9000,
        loopDelayP99Us: 70,
      }),
      processUse('load', { cpuUs: 1e6, rssBaselineBytes: 100, rssConnectedBytes: 300 }),
      processUse('load', { cpuUs: 3e6, rssBaselineBytes: 100, rssConnectedBytes: 500 }),
      processUse('publisher', { cpuUs: 5e6, rssConnectedBytes: 1e9, loopDelayP99Us: 1e6 }),
    ],
    latencyByAttempt: [
      { attempt: 1, histogram: thousandFrom(701) },
      { attempt: 2, histogram: thousandFrom(801) },
    ],
    series: {
      slotUs: 1e6,
      startUs: [],
      columns: { serverBacklog: [1, 7, 5, null], serverOldestMs: [2, null, 9, null] },
    },
    problems: [],
    ...more,
  };
}

export function trialOf(label: string, outcome: Trial['outcome'] = completed(), repetition = 1): Trial {
  return {
    variant: { pattern: label.split(' ')[0]!, label, options: {} },
    repetition,
    startedAt: '2026-01-01T00:00:00Z',
    warnings: [],
    outcome,
  };
}
