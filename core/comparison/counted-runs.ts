// Decides which runs count, before anything is judged: both runs of a pair must count, and for each metric
// both must have its figure. Figures that a trial's warnings do not affect stay in.

import type { Judged } from './comparison-result.ts';
import { mostDropped } from './pairs.ts';
import { countsAtAll, lackOf, type Reading } from './reading.ts';
import { counted } from '../base/counted.ts';
import { formatShare } from '../base/units.ts';
import { isOfWhatCame, rankable } from '../metrics/what-came.ts';

/** One run of each arm, close together in time and in fresh processes. */
export type Pair = { baseline: Reading; candidate: Reading };

/** A comparison of one variant: in pairs, or as two stored heaps of runs. */
export type Subject = { baseline: string; candidate: string } & (
  | { paired: true; pairs: readonly Pair[] }
  | { paired: false; baselineRuns: readonly Reading[]; candidateRuns: readonly Reading[] }
);

const arms = ['baseline', 'candidate'] as const;
type Arm = (typeof arms)[number];
/** A pair, or one unpaired run, by its number from 1. */
type Row = { run: number; sides: readonly (readonly [Arm, Reading])[] };
type Lost = { run: number; why: string };

export type Sifted = {
  paired: boolean;
  /** What counts at all. */
  rows: readonly Row[];
  given: number;
  /** Whole pairs or runs. */
  dropped: readonly Lost[];
  /** Why nothing of it can be judged. */
  why: string | undefined;
};

/** Takes out what does not count at all: such a run takes its whole pair with it. */
export function sift(subject: Subject): Sifted {
  const all = (
    subject.paired
      ? subject.pairs.map(({ baseline, candidate }): Row['sides'] => [
          ['baseline', baseline],
          ['candidate', candidate],
        ])
      : [
          ...subject.baselineRuns.map((run): Row['sides'] => [['baseline', run]]),
          ...subject.candidateRuns.map((run): Row['sides'] => [['candidate', run]]),
        ]
  ).map((sides, i): Row => ({ run: i + 1, sides }));
  const { kept: rows, lost: dropped } = split(all, (reading) =>
    countsAtAll(reading) ? undefined : reading.why.join(', ') || 'does not count',
  );
  const { paired } = subject;
  return { paired, rows, given: all.length, dropped, why: whyNothing(all, rows, dropped, paired) };
}

function whyNothing(
  all: readonly Row[],
  rows: readonly Row[],
  dropped: readonly Lost[],
  paired: boolean,
): string | undefined {
  if (all.length === 0) return `there are no ${paired ? 'pairs' : 'runs'}`;
  if (dropped.length > mostDropped * all.length)
    return tooManyLost(dropped, all.length, paired, 'do not count');
  const empty = emptySide(rows);
  if (empty) return `no run of the ${empty} counts`;
  // Where a baseline was saved without the number, nobody knows.
  if (rows.every(({ sides }) => sides.every(([, { values }]) => values['delivered'] === 0)))
    return 'nothing was delivered on either side';
  return undefined;
}

/** Splits rows by whether one of their runs lacks something, and says which and why. */
function split(
  rows: readonly Row[],
  lacks: (reading: Reading) => string | undefined,
): { kept: Row[]; lost: Lost[] } {
  const kept: Row[] = [];
  const lost: Lost[] = [];
  for (const row of rows) {
    const why = row.sides.flatMap(([arm, reading]) => {
      const lack = lacks(reading);
      return lack === undefined ? [] : [`${arm}: ${lack}`];
    });
    if (why.length === 0) kept.push(row);
    else lost.push({ run: row.run, why: why.join('; ') });
  }
  return { kept, lost };
}

function emptySide(rows: readonly Row[]): Arm | undefined {
  return arms.find((arm) => rows.every(({ sides }) => sides.every(([own]) => own !== arm)));
}

/** @param verb what the lost ones do: of a metric, they `lack it` */
function tooManyLost(
  lost: readonly Lost[],
  given: number,
  paired: boolean,
  verb: 'do not count' | 'lack it',
): string {
  const reasons = [...new Set(lost.map(({ why }) => why))];
  const others = reasons.length - 3;
  return (
    `${lost.length} of ${given} ${paired ? 'pairs' : 'runs'} ${verb} (at most ` +
    `${formatShare(mostDropped)} may be dropped): ${reasons.slice(0, 3).join('; ')}` +
    (others > 0 ? `; and ${counted(others, 'other reason')}` : '')
  );
}

export type Figures =
  | {
      kind: 'figures';
      baseline: number[];
      candidate: number[];
      lost: readonly Lost[];
      /** Latencies of the deliveries that arrived, as both sides lost some. */
      came: boolean;
    }
  /** So few runs have the figure that nothing is judged by it. */
  | { kind: 'lacking'; why: string; lost: readonly Lost[] }
  /** No run of either side has it, and not because something went wrong: it does not apply here. */
  | { kind: 'none'; why: string; lost: readonly [] };

/** Whether a figure of this run is of the deliveries that arrived, as others were lost. */
const leavesOutLost = (metric: string, { values }: Reading) => isOfWhatCame(metric, values['missed'] ?? 0);

/** The sides whose figures may be compared although deliveries were lost. */
function ranked(metric: string, rows: readonly Row[]): readonly Arm[] {
  return rankable(arms, (arm) =>
    rows.some(({ sides }) => sides.some(([own, reading]) => own === arm && leavesOutLost(metric, reading))),
  );
}

/**
 * The figures of the runs that have one; a pair needs both. Where one side alone lost deliveries, its runs
 * that did have no latency that could be compared with the other's.
 * @param positive a ratio takes figures above 0
 */
export function figuresFor(
  metric: string,
  { paired, rows, given, dropped }: Sifted,
  positive: boolean,
): Figures {
  const isOneSided = ranked(metric, rows).length === 1;
  const lack = (reading: Reading) =>
    lackOf(reading, metric, positive) ??
    (isOneSided && leavesOutLost(metric, reading)
      ? { why: 'it lost deliveries, so its latency covers only those that arrived', voided: true }
      : undefined);
  const { kept, lost } = split(rows, (reading) => lack(reading)?.why);
  const lacks = rows.flatMap(({ sides }) => sides.map(([, reading]) => lack(reading)));
  const [first] = lacks;
  if (first && lacks.every((one) => one !== undefined && !one.voided))
    return { kind: 'none', why: first.why, lost: [] };
  const away = [...dropped, ...lost];
  if (away.length > mostDropped * given)
    return { kind: 'lacking', why: tooManyLost(away, given, paired, 'lack it'), lost };
  const empty = emptySide(kept);
  if (empty) return { kind: 'lacking', why: `no run of the ${empty} has a figure: ${lost[0]!.why}`, lost };
  const of = (wanted: Arm) =>
    kept.flatMap(({ sides }) =>
      sides.flatMap(([arm, { values }]) => (arm === wanted ? values[metric]! : [])),
    );
  const came = kept.some(({ sides }) => sides.some(([, reading]) => leavesOutLost(metric, reading)));
  return { kind: 'figures', baseline: of('baseline'), candidate: of('candidate'), lost, came };
}

/** What was dropped, whole pairs first; those of single metrics with the metrics' names. */
export function droppedOf(
  { dropped }: Sifted,
  byMetric: readonly { metric: string; lost: readonly Lost[] }[],
): Judged['dropped'] {
  const single = byMetric.flatMap(({ metric, lost }) => lost.map((one) => ({ ...one, metric })));
  const grouped = Map.groupBy(single, ({ run, why }) => `${run} ${why}`);
  return [
    ...dropped.map(({ run, why }) => ({ run, why })),
    ...[...grouped.values()]
      .map((same) => ({
        run: same[0]!.run,
        why: same[0]!.why,
        metrics: same.map(({ metric }) => metric),
      }))
      .sort((a, b) => a.run - b.run),
  ];
}
