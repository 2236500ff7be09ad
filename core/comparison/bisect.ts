// Decides what a bisection goes by: the figure by which the bad commit is worse than the good one, and for
// each commit between them on which side of the middle it lies.

import type { Comparison, Judged, JudgedMetric } from './comparison-result.ts';
import { worseIn } from './comparison-result.ts';

/**
 * The figure that is followed: one metric of one variant, with its values for the good and the bad commit.
 */
export type Lead = {
  /** Label of the baseline's variant. */
  variant: string;
  metric: string;
} & (
  | { kind: 'ratio'; /** Bad over good. */ ratio: number }
  | { kind: 'exact' | 'loss'; good: number; bad: number }
);

export type Commit = { commit: string; subject: string };

export type BisectStep = Commit & {
  verdict: 'good' | 'bad' | 'skipped';
  /** The figure, or why there is none. */
  why: string;
  /** Where its results are, in the folder of the bisection. */
  folder?: string;
};

export type BisectEnd =
  | { kind: 'found'; commit: Commit }
  /** The commits of which one is the first bad one: those between them were skipped. */
  | { kind: 'narrowed'; suspects: Commit[] }
  /** The bad commit was not shown to be worse than the good one. */
  | { kind: 'not-worse'; why: string }
  | { kind: 'unfinished' };

/** What is kept of a bisection, as bisect.json. */
export type Bisection = {
  good: Commit;
  bad: Commit;
  /** How many commits could be the first bad one, the known bad one among them. */
  suspects: number;
  lead?: Lead;
  steps: BisectStep[];
  end: BisectEnd;
};

export const bisectionFormat = 'pushbench-bisection';
export const bisectionVersion = 1;

/** `4f2a1b9c0d "Log each event"` */
export function commitName({ commit, subject }: Commit): string {
  return `${commit.slice(0, 10)} "${subject}"`;
}

export type StepVerdict = { verdict: 'good' | 'bad' | 'undecided'; why: string };

/**
 * The clearest of the metrics that got worse: lost deliveries, then counts, then the timing whose change is
 * the largest beside its interval.
 * @returns `undefined` where nothing is shown to be worse
 */
export function leadOf(comparison: Comparison): Lead | undefined {
  const worse = worseIn(comparison)
    .filter(({ binding }) => binding)
    .toSorted((a, b) => clearness(b.metric) - clearness(a.metric));
  const [first] = worse;
  if (!first) return undefined;
  const about = { variant: first.judged.baseline, metric: first.metric.metric };
  const { metric } = first;
  switch (metric.kind) {
    case 'ratio':
      return { ...about, kind: 'ratio', ratio: metric.ratio };
    case 'exact':
    case 'loss':
      return { ...about, kind: metric.kind, good: metric.baseline, bad: metric.candidate };
    case 'absent':
      return undefined; // what is absent is not worse
  }
}

function clearness(metric: JudgedMetric): number {
  if (metric.kind === 'loss') return Number.MAX_VALUE;
  if (metric.kind === 'exact') return Number.MAX_VALUE / 2;
  if (metric.kind !== 'ratio' || metric.low === null || metric.high === null) return 0;
  return Math.log(metric.ratio) / Math.max(1e-9, Math.log(metric.high / metric.low));
}

/** The variant that is followed, in a comparison of the good commit with another. */
export function followed(comparison: Comparison, { variant }: Lead): Judged | undefined {
  return comparison.variants.find(({ baseline }) => baseline === variant);
}

/**
 * A commit is good or bad where the whole interval of its figure lies on one side of the middle between the
 * good commit and the bad one (of ratios, the geometric middle).
 */
export function judgeStep(comparison: Comparison, lead: Lead): StepVerdict {
  const metric = followed(comparison, lead)?.metrics.find((one) => one.metric === lead.metric);
  if (comparison.cut !== undefined) return { verdict: 'undecided', why: comparison.cut };
  if (!metric || metric.kind === 'absent')
    return { verdict: 'undecided', why: metric?.why ?? `no run has ${lead.metric}` };
  if (lead.kind === 'ratio') {
    if (metric.kind !== 'ratio' || metric.low === null || metric.high === null)
      return { verdict: 'undecided', why: 'too few pairs count' };
    const middle = Math.sqrt(lead.ratio);
    const why = `${changeText(metric.ratio)} (${changeText(metric.low)} to ${changeText(metric.high)})`;
    if (metric.low >= middle) return { verdict: 'bad', why };
    return { verdict: metric.high <= middle ? 'good' : 'undecided', why };
  }
  if (metric.kind === 'ratio') return { verdict: 'undecided', why: 'it was judged otherwise before' };
  if (metric.verdict === 'not-judged') return { verdict: 'undecided', why: 'too few runs count' };
  const why = `${figureText(metric.candidate)} a run, the good commit ${figureText(metric.baseline)}`;
  if (metric.candidate >= (lead.good + lead.bad) / 2) return { verdict: 'bad', why };
  return { verdict: metric.verdict === 'slower' ? 'undecided' : 'good', why };
}

/** `+19 %` */
export function changeText(ratio: number): string {
  const percent = (ratio - 1) * 100;
  const digits = Math.abs(percent) < 10 ? 1 : 0;
  return `${percent < 0 ? '-' : '+'}${Math.abs(percent).toFixed(digits)} %`;
}

function figureText(value: number): string {
  return String(Number(value.toPrecision(3)));
}
