// Reads the figures that predictions are held by, of measured trials and of simulated ones alike. Pure.

import { requestsOf } from '../../../core/result/counters.ts';
import { merge, newHistogram, quantileUs } from '../../../core/result/histogram.ts';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import type { Completed, ProcessUse } from '../../../core/result/result.ts';

export const figureNames = [
  'requests',
  'deliveries',
  'missed',
  'bytes',
  'descriptors',
  'serverCpu',
  'besideCpu',
  'p50',
  'p99',
] as const;
export type FigureName = (typeof figureNames)[number];

/**
 * Requests, deliveries and bytes a second; missed deliveries as a share of those expected; descriptors at
 * rest; CPU of all servers, and of broker and HAProxy, as a share of a core; percentiles in microseconds.
 */
export type Figures = Record<FigureName, number>;

/** 95 % interval of a percentile over the repeated trials; without an upper end where events are too few. */
export type Between = { lowUs: number; highUs: number };

/**
 * The figures of all trials of a point: costs are means, percentiles those of all deliveries together.
 * @param trials at least one
 */
export function figuresOf(trials: readonly Completed[]): Figures {
  const all = newHistogram();
  for (const { latency } of trials) merge(all, histogramOf(latency.endToEnd));
  const mean = (of: (trial: Completed) => number) =>
    trials.reduce((sum, trial) => sum + of(trial), 0) / trials.length;
  const cpuOf = (roles: readonly ProcessUse['role'][]) =>
    mean(({ processes }) =>
      processes
        .filter(({ role }) => roles.includes(role))
        .reduce((sum, { cpuUs, wallUs }) => sum + cpuUs / wallUs, 0),
    );
  const perS = (of: (trial: Completed) => number) => mean((trial) => of(trial) / (trial.measuredUs / 1e6));
  return {
    requests: perS(({ counters }) => requestsOf(counters.clientMeasured)),
    // Of all measured events, whenever they came: what came within the phase hangs on its last events.
    deliveries: perS(({ ledger }) => ledger.delivered),
    missed: mean(({ ledger }) => ledger.missed / ledger.expected),
    bytes: perS(({ counters: { clientMeasured } }) => clientMeasured.bytesIn + clientMeasured.bytesOut),
    descriptors: mean(({ descriptors }) =>
      descriptors ? descriptors.connected - descriptors.baseline : Number.NaN,
    ),
    serverCpu: cpuOf(['server']),
    besideCpu: cpuOf(['broker', 'in-front']),
    p50: quantileUs(all, 0.5) ?? Number.NaN,
    p99: quantileUs(all, 0.99) ?? Number.NaN,
  };
}

/** From the lowest to the highest end that a trial says; undefined where none says one. */
export function betweenOf(trials: readonly Completed[], quantile: number): Between | undefined {
  const ends = trials.flatMap(
    ({ precision }) => precision?.endToEnd.at.find((one) => one.quantile === quantile) ?? [],
  );
  if (ends.length === 0) return undefined;
  return {
    lowUs: Math.min(...ends.map(({ lowUs }) => lowUs)),
    highUs: Math.max(...ends.map(({ highUs }) => highUs ?? Infinity)),
  };
}

/** What a row of the tables has of its trials. */
export function measuredIn(trials: readonly Completed[]): {
  events: number;
  measured: Figures;
  between: Record<'p50' | 'p99', Between | undefined>;
} {
  return {
    events: trials.reduce((sum, { ledger }) => sum + ledger.published, 0),
    measured: figuresOf(trials),
    between: { p50: betweenOf(trials, 0.5), p99: betweenOf(trials, 0.99) },
  };
}
