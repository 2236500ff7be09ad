// Tells what became of clients that were away, and beside every loss how long they were away and how they
// came back.

import { figureOf, figureOver, trialsFor } from '../../core/metrics/registry.ts';
import { awayWords, missedAwayWords, timeAwayOf } from '../../core/result/recovery-words.ts';
import { absenceCauses, type Absences, type Recovery } from '../../core/result/recovery.ts';
import type { Completed, Result, TrialFault } from '../../core/result/result.ts';
import { counted, plural } from '../../core/base/counted.ts';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { variantsOf, type VariantTrials } from './variants.ts';

type Trials = Pick<VariantTrials, 'completed'>;

/** More variants than this are left to the table. */
const mostLines = 8;

/** Of the trials that lost deliveries and whose counts of connections stand. */
function lossesAway(variants: readonly Trials[]): { missed: number; away: Recovery[] } {
  const lossy = variants
    .flatMap(({ completed }) => trialsFor({ rests: ['connections'] }, completed))
    .flatMap((trial) => {
      const missed = figureOf('missed', trial).value ?? 0;
      return missed > 0 ? [{ missed, recovery: trial.recovery }] : [];
    });
  return {
    missed: lossy.reduce((sum, { missed }) => sum + missed, 0),
    away: lossy.flatMap(({ recovery }) => recovery ?? []),
  };
}

/** How long clients of variants that lost something were away; nothing where none was. */
export function awayOf(variants: readonly Trials[]): string | undefined {
  return awayWords(variants.flatMap((variant) => timeAwayOf(lossesAway([variant]).away) ?? []));
}

/** ` (all while away)`, to go behind a variant's loss; empty where nobody was away. */
export function missedAwayText(variant: Trials): string {
  const { missed, away } = lossesAway([variant]);
  const text = missedAwayWords(missed, away);
  return text === '' ? '' : ` (${text})`;
}

/** Who was away and came back, a line for each variant; none where nobody was away. */
export function awayLines(results: readonly Result[]): string[] {
  const lines = variantsOf(results).flatMap(({ label, completed }) => {
    const text = awayLine(trialsFor({ rests: ['connections'] }, completed));
    return text === undefined ? [] : [`${label}: ${text}.`];
  });
  const more = lines.length - mostLines;
  return more > 0 ? [...lines.slice(0, mostLines), `Clients were away in ${more} variants more.`] : lines;
}

/** `100 clients cut off, 100 recovered; caught up after 310 ms (median), at most 480 ms; ...`. */
function awayLine(trials: readonly Completed[]): string | undefined {
  const all = trials.flatMap(({ recovery }) => recovery ?? []);
  const groups = absenceCauses.flatMap((cause) => {
    const of = all.filter((one) => one[cause]);
    return of.length === 0 ? [] : [groupText(cause, of)];
  });
  const drained = letGoText(trials);
  if (groups.length === 0) return drained;
  const figure = (name: string) => figureOver(name, trials).value;
  const [median, longest] = [figure('recovery.p50'), figure('recovery.max')];
  const peak = Math.max(...all.map(({ connects }) => connects.peakPerS));
  const refused = all.reduce((sum, { connects }) => sum + connects.refused, 0);
  const attempts = figure('attempts-per-absence');
  return [
    ...groups,
    ...(longest === undefined
      ? []
      : [
          `caught up after ${median === undefined ? '' : `${formatUs(median)} (median), `}` +
            `at most ${formatUs(longest)}`,
        ]),
    `at most ${counted(peak, 'connection')} opened in a second, ${formatNumber(refused)} refused` +
      (refused > 0 && attempts !== undefined ? ` (${formatNumber(attempts)} attempts per absence)` : ''),
    ...(drained === undefined ? [] : [drained]),
  ].join('; ');
}

/** What drained servers say of all their clients; undefined where none was drained. */
function letGoText(trials: readonly Completed[]): string | undefined {
  const all = trials.flatMap(({ faults = [] }) => faults.flatMap(({ letGo }) => letGo ?? []));
  return all.length === 0 ? undefined : `drained servers ${letGoWords(all)}`;
}

/** `told 1,500 clients to go; 1,488 left before the limit, 12 were closed at it`, of all faults together. */
export function letGoWords(all: readonly NonNullable<TrialFault['letGo']>[]): string {
  const sum = (of: (one: NonNullable<TrialFault['letGo']>) => number) =>
    all.reduce((total, one) => total + of(one), 0);
  const closed = sum(({ closedAtLimit }) => closedAtLimit);
  return (
    `told ${counted(
      sum(({ told }) => told),
      'client',
    )} to go; ${formatNumber(sum(({ left }) => left))} left before the limit, ` +
    `${formatNumber(closed)} ${plural(closed, 'was', 'were')} closed at it`
  );
}

/** `40 clients cut off, 36 recovered, ...`; `100 absences of 60 clients cut off (1.7 each), ...`. */
function groupText(cause: keyof typeof causeWords, all: readonly Recovery[]): string {
  const groups = all.flatMap((one) => one[cause] ?? []);
  const sum = (of: (one: Absences) => number) => groups.reduce((total, one) => total + of(one), 0);
  const ends = [
    ['recovered', sum(({ recovered }) => recovered)],
    ['too late', sum(({ tooLate }) => tooLate)],
    ['without a cursor', sum(({ fresh }) => fresh)],
    ['never back', sum(({ neverBack }) => neverBack)],
  ] as const;
  const told = ends.filter(([, n]) => n > 0).map(([what, n]) => `${formatNumber(n)} ${what}`);
  return `${whoText(cause, all)}, ${told.join(', ')}`;
}

/** How many clients were away for one of two causes is not kept, so their absences stand alone there. */
function whoText(cause: keyof typeof causeWords, all: readonly Recovery[]): string {
  const absences = all.reduce((sum, one) => sum + (one[cause]?.absences ?? 0), 0);
  const what = causeWords[cause];
  const each = all.map((one) => absencesEach(one, cause));
  if (each.includes(undefined)) return `${counted(absences, 'time')} ${what}`;
  const clients = all.reduce((sum, one) => sum + (one[cause] ? one.subscribers : 0), 0);
  if (absences === clients) return `${counted(clients, 'client')} ${what}`;
  const mean = (absences / clients).toFixed(1);
  return `${counted(absences, 'absence')} of ${counted(clients, 'client')} ${what} (${mean} each)`;
}

/** Absences of a client that was away at all; undefined where some were away for another cause. */
export function absencesEach(recovery: Recovery, cause: keyof typeof causeWords): number | undefined {
  const isOnly = absenceCauses.every((other) => other === cause || !recovery[other]);
  return isOnly ? (recovery[cause]?.absences ?? 0) / recovery.subscribers : undefined;
}

/** What an absence of each cause is called. */
export const causeWords = { cut: 'cut off', left: 'left' } as const;
