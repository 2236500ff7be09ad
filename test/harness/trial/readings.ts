// Makes by hand what was read in a trial in which nothing went wrong, for tests that change a reading of it:
// 10 subscribers in two load processes, 100 events a second to all of them, one second of warm-up, ten
// measured. A delivery took 1 ms, and every process used a tenth of a core.

import assert from 'node:assert/strict';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf, type Variant } from '../../../core/pattern/variant.ts';
import type { LoadClosed, LoadLedger, SelfSample } from '../../../core/protocol/control.ts';
import { newCounters, type Counters } from '../../../core/result/counters.ts';
import type { Completed } from '../../../core/result/result.ts';
import {
  newHistogram,
  record,
  toSparse,
  type Histogram,
  type SparseHistogram,
} from '../../../core/result/histogram.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { planTrial, type TrialPlan } from '../../../harness/plan/plan.ts';
import { outcomeOf } from '../../../harness/trial/outcome.ts';
import type { Readings } from '../../../harness/trial/readings.ts';
import type { ProcessSamples } from '../../../harness/trial/sampling.ts';

/** A tenth of a second before the publisher's first event; microseconds of the host's clock. */
export const window = { warmupFromUs: 4e6, fromUs: 5e6, toUs: 15e6, slotUs: 250_000 };

const base = {
  question: 'Is it noticed?',
  subscribers: 10,
  topics: { news: { publish: '100/s' } },
  phases: { connect: '1s', warmup: '1s', measure: '10s', drain: '2s' },
  variants: ['sse'],
};

/** A trace of what the scenario publishes: 100 events a second, for ten seconds. */
const asOften = Array.from({ length: 1000 }, (_, i) => `${i / 100},100`).join('\n');

/** @param more keys of a scenario file, in place of the ones above or beside them; on eight cores */
export function planOf(more: object = {}, cores = 8): TrialPlan {
  const { scenario } = parseScenario(JSON.stringify({ ...base, ...more }), {
    file: 'readings.yaml',
    registry: patterns,
    overrides: [],
  });
  const nothing = () => {
    throw new Error('no file belongs to this scenario');
  };
  return planTrial(scenario, 2, { corpusOf: nothing, traceOf: () => asOften }, { cores });
}

export const streams: Variant = variantOf(patterns, 'sse');
export const polls: Variant = variantOf(patterns, 'polling');

/** So many samples of each value. */
export type Samples = readonly (readonly [valueUs: number, count: number])[];

export function histogram(...samples: Samples): Histogram {
  const into = newHistogram();
  for (const [valueUs, count] of samples) for (let i = 0; i < count; i++) record(into, valueUs);
  return into;
}

export function sparse(...samples: Samples): SparseHistogram {
  return toSparse(histogram(...samples));
}

export function counters(more: Partial<Counters>): Counters {
  return { ...newCounters(), ...more };
}

export function self(atUs: number, more: Partial<SelfSample> = {}): SelfSample {
  return {
    atUs,
    cpuUs: Math.round(atUs / 10),
    rssBytes: 50e6,
    heapUsedBytes: 10e6,
    loopDelayP99Us: 100,
    loopDelayMaxUs: 200,
    gcCount: 1,
    gcPauseUs: 1000,
    ...more,
  };
}

/** The share of one of the two load processes: five subscribers, which all got every event. */
export function closedBy(
  ledger: Partial<LoadLedger> = {},
  more: Partial<Omit<LoadClosed, 'ledger'>> = {},
): LoadClosed {
  return {
    kind: 'closed',
    counters: counters({ handshakes: 5, events: 5500, bytesIn: 1e6, bytesOut: 1000 }),
    ledger: {
      expected: 5000,
      delivered: 5000,
      missed: 0,
      duplicated: 0,
      reordered: 0,
      resumed: 0,
      corrupted: 0,
      unexpected: 0,
      missing: [],
      ...ledger,
    },
    acceptToReceipt: sparse([500, 5000]),
    fanout: [],
    shared: 0,
    problems: [],
    ...more,
  };
}

/**
 * The samples of one process, at both ends of the measured phase unless others are given.
 * @param cpu what was read of it from outside
 */
export function samplesOf(
  role: ProcessSamples['role'],
  index: number,
  samples: ProcessSamples['samples'] = [
    { sample: self(window.fromUs), counters: newCounters() },
    { sample: self(window.toUs), counters: newCounters() },
  ],
  cpu: ProcessSamples['cpu'] = [],
): ProcessSamples {
  return { role, index, samples, cpu };
}

const start = (role: ProcessSamples['role'], index: number, pid: number) => ({
  role,
  index,
  pid,
  baseline: self(1e6, { rssBytes: 40e6 }),
  connected: self(3e6, { rssBytes: 45e6 }),
});

/** @param more readings in place of those of a trial in which nothing went wrong */
export function readingsOf(more: Partial<Readings> = {}): Readings {
  const closed = more.closed ?? [closedBy(), closedBy()];
  return {
    window,
    serverReadings: 'self',
    emulator: undefined,
    connectUs: 1_100_000,
    connecting: { serverCpuUs: 20_000, requests: 10, bytesIn: 1000, bytesOut: 2000 },
    subscribers: 10,
    processes: [
      start('server', 0, 100),
      start('load', 0, 101),
      start('load', 1, 102),
      start('publisher', 0, 103),
    ],
    descriptors: { baseline: { total: 20, sockets: 3 }, connected: { total: 30, sockets: 13 } },
    kernelBaselineBytes: 8192,
    hostMemory: undefined,
    connections: 10,
    serversQueue: false,
    idleShares: [undefined],
    idleBytesPerS: 0,
    encrypted: false,
    descriptorsPeak: 31,
    kernelPeakBytes: 20_480,
    network: { from: { segments: 1000, bytes: 1e6 }, to: { segments: 2000, bytes: 1.2e6 } },
    throttling: undefined,
    hasProc: true,
    done: {
      kind: 'done',
      seq: Int32Array.from({ length: 1100 }, (_, i) => i + 1),
      lag: sparse([100, 1000]),
      roundTrip: sparse([900, 1000]),
      problems: [],
    },
    sent: [],
    playing: { begun: Promise.resolve(), soFar: () => [] },
    faults: [],
    serversKilled: 0,
    serverCount: undefined,
    othersTalk: false,
    ranges: [{ first: 101, last: 1100 }],
    unconfirmed: [],
    drainUs: 60_000,
    owed: closed.reduce((sum, { ledger }) => sum + ledger.expected, 0),
    closed,
    workers: [],
    serverCounters: counters({ handshakes: 10, events: 11_000, bytesOut: 2e6, bytesIn: 2000 }),
    serverGone: false,
    descriptorLimit: 1024,
    acted: [],
    drains: [],
    samples: [samplesOf('server', 0), samplesOf('load', 0), samplesOf('load', 1), samplesOf('publisher', 0)],
    // Beyond the 99th percentile lie events enough for it to be shown.
    latency: histogram([1000, 9950], [1001, 50]),
    latencySlots: new Map(),
    series: { slotUs: 250_000, startUs: [], columns: {} },
    ...more,
  };
}

/** The figures of a stream's trial in which nothing went wrong but what is given. */
export function figuresOf(readings: Partial<Readings>, scenario?: object): Completed {
  const { outcome } = outcomeOf(planOf(scenario), streams, readingsOf(readings));
  assert.ok(outcome.status === 'completed');
  return outcome;
}
