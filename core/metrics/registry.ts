// Lists the metrics by name, and reads their figures: of one trial, and of several trials of a variant. What
// an expectation bounds and what sentence, table, chart and comparison show is read here and nowhere else.

import { formatNumber } from '../base/units.ts';
import { median } from '../base/median.ts';
import { headroomMetrics } from './headroom.ts';
import { latencyMetrics } from './latency.ts';
import { ledgerMetrics } from './ledger.ts';
import type { Metric } from './metric.ts';
import { processMetrics } from './processes.ts';
import { requestMetrics } from './requests.ts';
import { voidedBy } from '../result/voids.ts';
import { enoughSamples, samplesNeeded } from './samples.ts';
import { webhookMetrics } from './webhook.ts';
import type { Completed } from '../result/result.ts';

export const metrics: Readonly<Record<string, Metric>> = {
  ...latencyMetrics,
  ...ledgerMetrics,
  ...requestMetrics,
  ...processMetrics,
  ...headroomMetrics,
  ...webhookMetrics,
};

/** Why there is no figure where nothing more is known. */
export const notMeasured = 'not measured';

export type NoFigure = {
  value: undefined;
  why: string;
  /** Where the trial's warnings make it void: their codes. */
  voided?: readonly string[];
};
/** What one trial has of a metric, in the metric's unit. */
export type Figure = { value: number } | NoFigure;
/** Median over trials, with the lowest and the highest; `trials` is how many it is of. */
export type FigureOver = { value: number; low: number; high: number; trials: number } | NoFigure;

/**
 * Reads a metric of one trial: no figure where what it rests on is void, or where the trial has too few
 * samples or subscribers for it.
 * @param which the name of a metric, or one that is in no list (another percentile)
 */
export function figureOf(which: string | Metric, trial: Completed): Figure {
  const metric = typeof which === 'string' ? metrics[which] : which;
  if (!metric) return none('this version has no such metric');
  const voided = voidedBy(metric.rests, trial);
  if (voided.length > 0) return { value: undefined, why: `void: ${voided.join(', ')}`, voided };
  return standing(metric, trial);
}

/** The figure, whether or not it is void. */
function standing(metric: Metric, trial: Completed): Figure {
  const why = tooFew(metric, trial);
  if (why !== undefined) return none(why);
  const value = metric.read(trial);
  return value === undefined || !Number.isFinite(value) ? none(notMeasured) : { value };
}

/**
 * Makes one figure of several trials of a variant: the median over those in which it is not void. Where one
 * of them has too few samples there is none; one in which nothing was measured is left out.
 * @param doubted where it is void in every trial, take them all the same: for tables that mark them
 */
export function figureOver(
  which: string | Metric,
  trials: readonly Completed[],
  { doubted = false }: { doubted?: boolean } = {},
): FigureOver {
  if (trials.length === 0) return none('no trial went through');
  const metric = typeof which === 'string' ? metrics[which] : which;
  const counting = metric ? trialsFor(metric, trials, { doubted }) : trials;
  const figures = counting.map((trial) =>
    metric && doubted ? standing(metric, trial) : figureOf(which, trial),
  );
  if (figures.length === 0) return allVoidIn(metric!, trials); // without a metric all trials are taken
  const short = figures.find((one): one is NoFigure => one.value === undefined && one.why !== notMeasured);
  if (short) return short;
  const values = figures.flatMap(({ value }) => value ?? []);
  if (values.length === 0) return none(notMeasured);
  return {
    value: median(values),
    low: Math.min(...values),
    high: Math.max(...values),
    trials: values.length,
  };
}

/** The trials that figures of a metric are made of: see {@link figureOver}. */
export function trialsFor(
  { rests }: Pick<Metric, 'rests'>,
  trials: readonly Completed[],
  { doubted }: { doubted: boolean },
): Completed[] {
  const counting = trials.filter((trial) => voidedBy(rests, trial).length === 0);
  return counting.length === 0 && doubted ? [...trials] : counting;
}

function allVoidIn({ rests }: Metric, trials: readonly Completed[]): NoFigure {
  const voided = [...new Set(trials.flatMap((trial) => voidedBy(rests, trial)))];
  return { value: undefined, why: `void: ${voided.join(', ')}`, voided };
}

function tooFew({ percentile, among, leastSubscribers = 0 }: Metric, trial: Completed): string | undefined {
  if (among?.count(trial) === 0) return among.none;
  if (percentile) {
    const { quantile, samples } = percentile;
    const count = samples(trial);
    if (!enoughSamples(count, quantile))
      return `${formatNumber(count)} samples; it takes ${formatNumber(samplesNeeded(quantile))}`;
  }
  return trial.subscribers < leastSubscribers
    ? `${formatNumber(trial.subscribers)} subscribers; below ${formatNumber(leastSubscribers)} it is lost ` +
        "in the process's own swings"
    : undefined;
}

function none(why: string): NoFigure {
  return { value: undefined, why };
}
