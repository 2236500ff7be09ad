// Takes out the runs that do not count before anything is judged: invalid ones with their pairs, and for each
// metric those without a figure.

import type { Judged } from './comparison-result.ts';
import type { Reading } from './reading.ts';
import { formatShare } from '../base/units.ts';

/** One run of each arm, close together in time and in fresh processes. */
export type Pair = { baseline: Reading; candidate: Reading };

/** What is compared with what: one variant, in pairs, or as two stored heaps of runs. */
export type Subject = { baseline: string; candidate: string } & (
  | { paired: true; pairs: readonly Pair[] }
  | { paired: false; baselineRuns: readonly Reading[]; candidateRuns: readonly Reading[] }
);

/** More dropped than this, and the measurement failed its own checks. */
const mostDropped = 0.2;

export type Runs = { baseline: readonly Reading[]; candidate: readonly Reading[] };
type Sifted = {
  runs: Runs;
  given: number;
  counted: number;
  dropped: Judged['dropped'];
  invalid: string | undefined;
};

/** Takes out what does not count: a run that is invalid takes its whole pair with it. */
export function sift(subject: Subject): Sifted {
  const rows = subject.paired
    ? subject.pairs.map(
        ({ baseline, candidate }) =>
          [
            ['baseline', baseline],
            ['candidate', candidate],
          ] as const,
      )
    : [
        ...subject.baselineRuns.map((run) => [['baseline', run]] as const),
        ...subject.candidateRuns.map((run) => [['candidate', run]] as const),
      ];
  const dropped = rows.flatMap((row, i) => {
    const bad = row
      .filter(([, { valid }]) => !valid)
      .map(([arm, { why }]) => `${arm}: ${why.join(', ') || 'does not count'}`);
    return bad.length === 0 ? [] : [{ run: i + 1, why: bad.join('; ') }];
  });
  const kept = rows.filter((row) => row.every(([, { valid }]) => valid)).flat();
  const arm = (name: string) => kept.filter(([own]) => own === name).map(([, run]) => run);
  const runs = { baseline: arm('baseline'), candidate: arm('candidate') };
  const given = rows.length;
  const what = subject.paired ? 'pairs' : 'runs';
  const invalid =
    given === 0
      ? `there are no ${what}`
      : dropped.length > mostDropped * given
        ? `${dropped.length} of ${given} ${what} do not count (at most ` +
          `${formatShare(mostDropped)} may be dropped)`
        : runs.baseline.length === 0 || runs.candidate.length === 0
          ? `no run of the ${runs.baseline.length === 0 ? 'baseline' : 'candidate'} counts`
          : undefined;
  return { runs, given, counted: given - dropped.length, dropped, invalid };
}

/** The figures of the runs that have one; a pair needs both. */
export function withFigures(
  metric: string,
  runs: Runs,
  paired: boolean,
  positive: boolean,
): { baseline: number[]; candidate: number[] } | { why: string; oneSided: boolean } {
  const has = (run: Reading) => run.values[metric] !== undefined && (!positive || run.values[metric]! > 0);
  const keep = paired ? runs.baseline.map((run, i) => has(run) && has(runs.candidate[i]!)) : undefined;
  const figures = (side: readonly Reading[]) =>
    side.flatMap((run, i) => ((keep ? keep[i]! : has(run)) ? [run.values[metric]!] : []));
  const [baseline, candidate] = [figures(runs.baseline), figures(runs.candidate)];
  const enough = (side: readonly Reading[], values: readonly number[]) =>
    values.length >= (1 - mostDropped) * side.length;
  if (enough(runs.baseline, baseline) && enough(runs.candidate, candidate)) return { baseline, candidate };
  const lacking = [...runs.baseline, ...runs.candidate].find((run) => !has(run))!; // or there were enough
  const why =
    lacking.absent[metric] ??
    (lacking.values[metric] === undefined
      ? 'one side was saved without it; save the baseline again'
      : 'it is 0, and a ratio needs more');
  return { why, oneSided: runs.baseline.some(has) !== runs.candidate.some(has) };
}
