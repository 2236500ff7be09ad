// Reduces a trial to what a comparison needs: a figure for each metric, whether the trial counts, and why a
// figure is missing. Hundreds of them can be kept in a repository; histograms and series stay in the result.

import { z } from 'zod';
import { figureOf } from '../metrics/registry.ts';
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

export type Reading = z.infer<typeof readingSchema>;

/** Reads the metrics of one trial. @param names of metrics that there are */
export function readingOf(trial: Trial, names: readonly string[]): Reading {
  const { outcome, warnings, repetition, startedAt } = trial;
  const reading: Reading = { repetition, startedAt, valid: outcome.valid, why: [], values: {}, absent: {} };
  if (outcome.status === 'failed') return { ...reading, why: [outcome.code] };
  reading.why = warnings.filter(({ level }) => level === 'invalid').map(({ code }) => code);
  for (const name of names) {
    const figure = figureOf(name, outcome);
    if (figure.value === undefined) reading.absent[name] = figure.why;
    else reading.values[name] = figure.value;
  }
  return reading;
}
