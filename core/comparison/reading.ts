// Reduces a trial to what a comparison needs: a figure for each metric, or why there is none. Hundreds of
// them can be kept in a repository; histograms and series stay in the result.

import { z } from 'zod';
import { formatNumber } from '../base/units.ts';
import { figureOf, metrics, type Figure } from '../metrics/registry.ts';
import { eventsToGate } from '../result/precision.ts';
import type { Trial } from '../result/result.ts';
import { timeAway, timeAwayOf } from '../result/recovery-words.ts';
import { allVoid, voidedBy } from '../result/voids.ts';

export const readingSchema = z.strictObject({
  repetition: z.int().min(1),
  startedAt: z.iso.datetime(),
  valid: z.boolean(),
  /** Why the trial does not count in full: codes of its warnings, or of its failure. */
  why: z.array(z.string()),
  /** Figures by metric, each in its metric's own unit. */
  values: z.record(z.string(), z.number()),
  /** Metrics without a figure, and why. */
  absent: z.record(z.string(), z.string()),
  /**
   * Metrics whose figure does not count, and the codes of the warnings that say so. A reading that is not
   * valid and has no such list does not count at all: its trial failed, or an earlier version made it.
   */
  voided: z.record(z.string(), z.array(z.string())).optional(),
  /** Where deliveries were missed and clients had been away: for how long. */
  away: timeAway.optional(),
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
  const { ledger, recovery } = outcome;
  const stands = ledger.missed > 0 && voidedBy(['losses', 'connections'], outcome).length === 0;
  const away = timeAwayOf(stands && recovery ? [recovery] : []);
  if (away) reading.away = away;
  const voided: Record<string, string[]> = {};
  for (const name of names) {
    const figure = figureOf(name, outcome);
    const few = tooFewToGate(name, figure);
    if (few !== undefined) reading.absent[name] = few;
    else if (figure.value !== undefined) reading.values[name] = figure.value;
    else if (figure.voided) voided[name] = [...figure.voided];
    else reading.absent[name] = figure.why;
  }
  // Where nothing stands, or an older result does not say what does, the run does not count at all.
  return outcome.valid || allVoid(outcome) ? reading : { ...reading, voided };
}

/** Whether any figure of the run may be used. */
export function countsAtAll({ valid, voided }: Reading): boolean {
  return valid || voided !== undefined;
}

/**
 * Why a run has no figure that can be used; nothing where it has one.
 * @param positive whether a figure of 0 is none
 */
export function lackOf(
  { values, absent, voided }: Reading,
  metric: string,
  positive: boolean,
): { why: string; voided: boolean } | undefined {
  const codes = voided?.[metric];
  if (codes) return { why: codes.join(', ') || 'does not count', voided: true };
  const value = values[metric];
  if (value !== undefined && (!positive || value > 0)) return undefined;
  if (value !== undefined) return { why: 'it is 0, and a ratio needs more', voided: false };
  return {
    why: absent[metric] ?? 'it was saved without this figure; save the baseline again',
    voided: false,
  };
}

/** A tail that is good enough to be shown moves too much from run to run to decide anything. */
function tooFewToGate(name: string, figure: Figure): string | undefined {
  const { quantile = 0 } = metrics[name]?.percentile ?? {};
  if (quantile < leastTail || figure.value === undefined || figure.beyond === undefined) return undefined;
  return figure.beyond >= eventsToGate
    ? undefined
    : `${formatNumber(figure.beyond)} events beyond it; a comparison needs ${eventsToGate}`;
}
