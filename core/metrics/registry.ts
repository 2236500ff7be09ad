// Lists the metrics by name, and reads their figures: of one trial, and of several trials of a variant. What
// an expectation bounds and what sentence, table, chart and comparison show is read here and nowhere else.

import { formatNumber } from '../base/units.ts';
import { median } from '../base/median.ts';
import { connectingMetrics } from './connecting.ts';
import { descriptorMetrics } from './descriptors.ts';
import { headroomMetrics } from './headroom.ts';
import { latencyMetrics } from './latency.ts';
import { ledgerMetrics } from './ledger.ts';
import { formatMetric, type Metric } from './metric.ts';
import { processMetrics } from './processes.ts';
import { recoveryMetrics } from './recovery.ts';
import { requestMetrics } from './requests.ts';
import type { Evidence } from '../result/evidence.ts';
import { noProcReason } from '../result/machine-text.ts';
import { voidedBy } from '../result/voids.ts';
import { isUnsimulated, notSimulated, offOf } from './simulated.ts';
import { whyUnsure } from './sureness.ts';
import { serverMetrics } from './servers.ts';
import { webhookMetrics } from './webhook.ts';
import type { Completed } from '../result/result.ts';

/** All of them in groups, in the order of the reference page. */
export const metricGroups: Readonly<Record<string, Readonly<Record<string, Metric>>>> = {
  Latency: latencyMetrics,
  Deliveries: ledgerMetrics,
  'Requests and bytes': requestMetrics,
  'Descriptors and connections': descriptorMetrics,
  'CPU and memory': processMetrics,
  'The load generator': headroomMetrics,
  'Webhook deliveries': webhookMetrics,
  Absences: recoveryMetrics,
  'Several servers': serverMetrics,
  Connecting: connectingMetrics,
};

export const metrics: Readonly<Record<string, Metric>> = Object.fromEntries(
  Object.values(metricGroups).flatMap((group) => Object.entries(group)),
);

/** Why there is no figure where nothing more is known. */
export const notMeasured = 'not measured';
/** What Linux tells in /proc and nobody else does. */
const fromProc: readonly Evidence[] = ['descriptors', 'wire', 'memory'];

export type NoFigure = {
  value: undefined;
  why: string;
  /** Where the trial's warnings make it void: their codes. */
  voided?: readonly string[];
  /** The lower end of its interval, where that much can be said of a percentile. */
  atLeast?: number;
};
/**
 * What one trial has of a metric, in the metric's unit. Of a percentile, `low` and `high` are the ends of its
 * 95 % interval within the trial, and `beyond` the distinct events beyond it; left out where the result does
 * not say.
 */
export type Figure =
  | {
      value: number;
      low?: number;
      high?: number;
      beyond?: number;
      /** Of a simulated trial: the share by which the figure is expected to be off; `low` to `high`. */
      off?: number;
    }
  | NoFigure;
/**
 * Median over trials, with the lowest and the highest; `trials` counts them. `within` is an interval: of a
 * single trial's percentile, within that trial; of a simulated figure, the range that its error `off` gives.
 */
export type FigureOver =
  | {
      value: number;
      low: number;
      high: number;
      trials: number;
      within?: readonly [number, number];
      off?: number;
    }
  | NoFigure;

/**
 * Reads a metric of one trial: no figure where its evidence is void, or where the trial has too few samples
 * or subscribers for it.
 * @param which the name of a metric, or a metric that no list has (another percentile)
 */
export function figureOf(which: string | Metric, trial: Completed): Figure {
  const metric = typeof which === 'string' ? metrics[which] : which;
  if (!metric) return none('this version has no such metric');
  const { rests } = metric;
  const voided = voidedBy(rests, trial);
  if (voided.length > 0) return { value: undefined, why: `void: ${voided.join(', ')}`, voided };
  if (isUnsimulated(metric, trial)) return none(notSimulated);
  const { percentile, among, leastSubscribers = 0 } = metric;
  if (among?.count(trial) === 0) return none(among.none);
  if (trial.simulated && metric.read(trial) === undefined) return none(notSimulated);
  const lost = metric.lost?.(trial);
  if (lost !== undefined) return none(lost);
  if (trial.subscribers < leastSubscribers)
    return none(
      `needs at least ${formatNumber(leastSubscribers)} subscribers; with ` +
        `${formatNumber(trial.subscribers)} it is within noise`,
    );
  const end = metric.above?.(trial);
  if (end !== undefined) return none(`above ${formatMetric(end, metric.unit)}, where its scale ends`, end);
  const sureness = percentile?.sureness(trial);
  const unsure = percentile && sureness && whyUnsure(sureness, percentile.quantile, percentile.samples);
  if (unsure) return none(unsure.why, unsure.atLeastUs);
  const value = metric.read(trial);
  if (value === undefined || !Number.isFinite(value))
    return none(trial.noProc && rests.some((one) => fromProc.includes(one)) ? noProcReason : notMeasured);
  const figure =
    sureness?.rests === 'events' && sureness.highUs !== null
      ? { value, low: sureness.lowUs, high: sureness.highUs, beyond: sureness.beyond }
      : { value };
  const off = offOf(metric, trial);
  return typeof off === 'number' ? widened(figure, off) : figure;
}

/** A simulated figure that is expected to be off by this share of it. */
function widened<F extends { value: number; low?: number; high?: number }>(figure: F, off: number) {
  const { value, low = value, high = value } = figure;
  return { ...figure, low: Math.max(0, low * (1 - off)), high: high * (1 + off), off };
}

/**
 * Makes one figure of several trials of a variant: the median over those in which it is not void. Where one
 * of them has too few samples there is none; one in which nothing was measured is left out.
 */
export function figureOver(which: string | Metric, trials: readonly Completed[]): FigureOver {
  if (trials.length === 0) return none('no trial went through');
  const metric = typeof which === 'string' ? metrics[which] : which;
  const figures = (metric ? trialsFor(metric, trials) : trials).map((trial) => figureOf(which, trial));
  if (figures.length === 0) return allVoidIn(metric!, trials); // without a metric all trials are taken
  const short = figures.find((one): one is NoFigure => one.value === undefined && one.why !== notMeasured);
  if (short) return short;
  const known = figures.filter((one) => one.value !== undefined);
  const values = known.map(({ value }) => value);
  const [first] = known;
  if (!first) return none(notMeasured);
  const { low, high, off } = first;
  if (off !== undefined) return simulatedOver(known, off);
  return {
    value: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    trials: values.length,
    ...(known.length === 1 && low !== undefined && high !== undefined && { within: [low, high] as const }),
  };
}

function simulatedOver(known: readonly Extract<Figure, { value: number }>[], off: number): FigureOver {
  const values = known.map(({ value }) => value);
  return {
    value: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    trials: values.length,
    within: [
      Math.min(...known.map(({ value, low = value }) => low)),
      Math.max(...known.map(({ value, high = value }) => high)),
    ],
    off,
  };
}

/** The trials that figures of a metric are made of: see {@link figureOver}. */
export function trialsFor({ rests }: Pick<Metric, 'rests'>, trials: readonly Completed[]): Completed[] {
  return trials.filter((trial) => voidedBy(rests, trial).length === 0);
}

function allVoidIn({ rests }: Metric, trials: readonly Completed[]): NoFigure {
  const voided = [...new Set(trials.flatMap((trial) => voidedBy(rests, trial)))];
  return { value: undefined, why: `void: ${voided.join(', ')}`, voided };
}

function none(why: string, atLeast?: number): NoFigure {
  return { value: undefined, why, ...(atLeast !== undefined && { atLeast }) };
}
