// Reduces a trial to what a comparison needs: a figure for each metric, whether the trial counts, and why a
// figure is missing. Hundreds of them can be kept in a repository; histograms and series stay in the result.

import { z } from 'zod';
import { formatNumber } from '../base/units.ts';
import { figureOf, metrics, type Figure } from '../metrics/registry.ts';
import { eventsToGate } from '../result/precision.ts';
import type { Trial } from '../result/result.ts';

export const readingSchema = z.strictObject({
  repetition: z.int().min(1),
  startedAt: z.iso.datetime(),
  valid: z.boolean(),
  /** Why the trial does not count: codes of its warnings, or of its failure. */
  why: z.array(z.string()),
  /** Figures by metric, each in its metric's own unit. */
  values: z.record(z.string(), z.number()),
  /** Metrics without a figure, and why. */
  absent: z.record(z.string(), z.string()),
});

/** Percentiles from here on are tails. */
const leastTail = 0.99;

export type Reading = z.infer<typeof readingSchema>;

/** Reads the metrics of one trial. @param names of metrics that there are */
export function readingOf(trial: Trial, names: readonly string[]): Reading {
  const { outcome, warnings, repetition, startedAt } = trial;
  const reading: Reading = { repetition, startedAt, valid: outcome.valid, why: [], values: {}, absent: {} };
  if (outcome.status === 'failed') return { ...reading, why: [outcome.code] };
  reading.why = warnings.filter(({ level }) => level === 'invalid').map(({ code }) => code);
  for (const name of names) {
    const figure = figureOf(name, outcome);
    const few = tooFewToGate(name, figure);
    if (figure.value === undefined) reading.absent[name] = figure.why;
    else if (few !== undefined) reading.absent[name] = few;
    else reading.values[name] = figure.value;
  }
  return reading;
}

/** A tail that is good enough to be shown moves too much from run to run to decide anything. */
function tooFewToGate(name: string, figure: Figure): string | undefined {
  const { quantile = 0 } = metrics[name]?.percentile ?? {};
  if (quantile < leastTail || figure.value === undefined || figure.beyond === undefined) return undefined;
  return figure.beyond >= eventsToGate
    ? undefined
    : `${formatNumber(figure.beyond)} events beyond it; a comparison takes ${eventsToGate}`;
}
