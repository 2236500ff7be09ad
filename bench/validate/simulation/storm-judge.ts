// Judges predictions of storms and deploys against measurements: each measured trial against the median and
// the 95 % range of many simulated seeds, as a time that hangs on random waits differs from seed to seed.
// Pure.

import { median } from '../../../core/base/median.ts';
import { figureOf } from '../../../core/metrics/registry.ts';
import type { Evidence } from '../../../core/result/evidence.ts';
import type { Completed, Trial } from '../../../core/result/result.ts';
import { voidedBy } from '../../../core/result/voids.ts';

/** The metric of each, or how it is read. */
const readings = {
  lastBack: 'last-back',
  timeAway: 'offline.p50',
  peakConnects: 'peak-connects',
  refused: 'connects-refused',
  absences: 'absences',
  connects: ({ recovery }: Completed) => recovery?.connects.opened,
  missed: ({ ledger }: Completed) => ledger.missed,
  duplicated: ({ ledger }: Completed) => ledger.duplicated,
} as const;
export type StormFigure = keyof typeof readings;
export const stormFigures = Object.keys(readings) as StormFigure[]; // it has no other keys

/** Times in microseconds, connections opened in a second, counts. */
export type StormFigures = Record<StormFigure, number>;

export type Range = { median: number; low: number; high: number };

export type StormRow = {
  story: string;
  clients: string;
  subscribers: number;
  /** Of each trial. */
  measured: readonly StormFigures[];
  /** Over all seeds: the median, and where 95 % of them lie. */
  predicted: Record<StormFigure, Range>;
};

/** By how much of the measured figure the median of the seeds may be off. */
export const stormBars: Record<StormFigure, number> = {
  lastBack: 0.2,
  timeAway: 0.2,
  peakConnects: 0.2,
  refused: 0.2,
  absences: 0.01,
  connects: 0.01,
  missed: 0.2,
  duplicated: 0.01,
};

/** NaN for what the trial has no figure of. */
export function stormFiguresOf(trial: Completed): StormFigures {
  const read = (figure: StormFigure) => {
    const how = readings[figure];
    return (typeof how === 'string' ? figureOf(how, trial).value : how(trial)) ?? Number.NaN;
  };
  return Object.fromEntries(stormFigures.map((figure) => [figure, read(figure)])) as StormFigures; // of all
}

/** @param seeds the figures of each, at least one */
export function rangesOf(seeds: readonly StormFigures[]): StormRow['predicted'] {
  const rangeOf = (figure: StormFigure): Range => {
    const values = seeds.map((one) => one[figure]).toSorted((a, b) => a - b);
    const last = values.length - 1;
    return {
      median: median(values),
      low: values[Math.floor(0.025 * last)]!,
      high: values[Math.ceil(0.975 * last)]!,
    };
  };
  const ranges = Object.fromEntries(stormFigures.map((figure) => [figure, rangeOf(figure)]));
  return ranges as StormRow['predicted']; // of all figures
}

/** Signed, as a share of what was measured; infinite where nothing was and something was predicted. */
export function stormErrorOf(is: number, said: number): number {
  if (is === said) return 0;
  const error = is === 0 ? Infinity : (said - is) / is;
  return Number.isNaN(error) ? Infinity : error;
}

export type StormVerdict = {
  error: number;
  /** Within the bar. */
  near: boolean;
  /** Within the 95 % range of the seeds. */
  inside: boolean;
};

/** Of each measured trial. */
export function verdictsOf({ measured, predicted }: StormRow, figure: StormFigure): StormVerdict[] {
  const { median: said, low, high } = predicted[figure];
  return measured.map((trial) => {
    const is = trial[figure];
    const error = stormErrorOf(is, said);
    return { error, near: Math.abs(error) <= stormBars[figure], inside: is >= low && is <= high };
  });
}

export type StormSummary = {
  median: number;
  worst: number;
  near: number;
  inside: number;
  /** One of the two at least. */
  either: number;
  of: number;
};

/** Over all trials of all rows. @param rows at least one */
export function stormSummaryOf(rows: readonly StormRow[], figure: StormFigure): StormSummary {
  const all = rows.flatMap((row) => verdictsOf(row, figure));
  const errors = all.map(({ error }) => Math.abs(error));
  const count = (of: (one: StormVerdict) => boolean) => all.filter(of).length;
  return {
    median: median(errors),
    worst: Math.max(...errors),
    near: count(({ near }) => near),
    inside: count(({ inside }) => inside),
    either: count(({ near, inside }) => near || inside),
    of: all.length,
  };
}

/**
 * Two kinds of clients that meet with the same, one of which measured below the other in all trials.
 * @returns how many such pairs there are, and in how many the predicted medians are in the same order
 */
export function stormOrderOf(rows: readonly StormRow[], figure: StormFigure): { right: number; of: number } {
  let [right, of] = [0, 0];
  const ends = ({ measured }: StormRow) => {
    const values = measured.map((one) => one[figure]);
    return { low: Math.min(...values), high: Math.max(...values) };
  };
  for (const same of Map.groupBy(rows, ({ story }) => story).values())
    for (const [i, a] of same.entries())
      for (const b of same.slice(i + 1)) {
        const [ofA, ofB] = [ends(a), ends(b)];
        if (!(ofA.high < ofB.low || ofB.high < ofA.low)) continue;
        of++;
        const [saidA, saidB] = [a.predicted[figure].median, b.predicted[figure].median];
        if (saidA !== saidB && ofA.low < ofB.low === saidA < saidB) right++;
      }
  return { right, of };
}

/** What storms are judged by. */
const needed: readonly Evidence[] = ['connections', 'losses'];

/** @returns why the trial's figures say nothing, or undefined where they do */
export function stormProblem({ outcome, warnings }: Pick<Trial, 'outcome' | 'warnings'>): string | undefined {
  if (outcome.status === 'failed') return outcome.message;
  const [code] = voidedBy(needed, outcome);
  if (code !== undefined) return warnings.find((one) => one.code === code)?.message ?? code;
  const unfinished = outcome.faults?.find(({ atUs, unfinished: goesOn }) => atUs === null || goesOn);
  if (unfinished) return `It was not done when the trial ended: ${unfinished.did}.`;
  return outcome.recovery?.cut ? undefined : 'Nobody was cut off.';
}
