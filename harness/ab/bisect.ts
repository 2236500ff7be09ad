// Finds the commit of a user's app that made delivery worse. The known bad commit is compared with the good
// one first, which says by which figure to go; then each commit that halves the rest is compared with the
// good one, in pairs that take turns as `ab` runs them.

import type { Comparison } from '../../core/comparison/comparison-result.ts';
import {
  commitName,
  judgeStep,
  leadOf,
  type Bisection,
  type BisectStep,
  type Commit,
  type Lead,
} from '../../core/comparison/bisect.ts';
import { UserError } from '../../core/base/errors.ts';
import { described, suspects } from './commits.ts';
import { gitIn } from './git.ts';

/** One commit compared with the good one; `undecided` says whether a first look decides nothing. */
export type Measure = (
  commit: Commit,
  step: { number: number; lead?: Lead; undecided(look: Comparison): boolean },
) => Promise<{ comparison: Comparison; folder: string }>;

export type BisectOptions = {
  /** A folder in the user's repository. */
  root: string;
  ends: { good: Commit; bad: Commit };
  measure: Measure;
  note(text: string): void;
  /** Called with the bisection as it stands after each step. */
  keep(sofar: Bisection): void;
  signal: AbortSignal;
};

/** A commit that cannot be installed or started decides nothing and is passed over. */
const passedOver = new Set(['start', 'install', 'arm']);

/**
 * @throws UserError when the good or the bad commit cannot be measured
 * @throws the signal's reason when it is aborted
 */
export async function bisect(options: BisectOptions): Promise<Bisection> {
  const { root, ends, measure, note, keep, signal } = options;
  const git = gitIn(root, signal);
  const skipped = new Set<string>();
  let goods = [ends.good.commit];
  let bad = ends.bad.commit;
  let left = await suspects(git, goods, bad, skipped);
  const found: Bisection = { ...ends, suspects: left.count, steps: [], end: { kind: 'unfinished' } };
  note(planText(ends, left.count));

  const first = await measure(ends.bad, {
    number: 0,
    undecided: (look) => leadOf(look) === undefined && look.verdict !== 'not-slower',
  });
  signal.throwIfAborted();
  const lead = leadOf(first.comparison);
  if (!lead) {
    found.end = { kind: 'not-worse', why: notWorseText(first.comparison) };
    keep(found);
    return found;
  }
  found.lead = lead;
  found.steps.push({
    ...ends.bad,
    verdict: 'bad',
    why: judgeStep(first.comparison, lead).why,
    folder: first.folder,
  });
  keep(found);
  for (let number = 1; left.next !== undefined; number++) {
    const commit = await described(left.next, git);
    note(
      `Step ${number} of about ${number - 1 + stepsFor(left.count)}: ${left.count} commits may be the ` +
        `first bad one; measuring ${commitName(commit)}.`,
    );
    const step = await stepOf(commit, lead, number, measure);
    signal.throwIfAborted();
    found.steps.push(step);
    note(`${step.commit.slice(0, 10)} is ${step.verdict}: ${step.why}`);
    if (step.verdict === 'good') goods = [...goods, step.commit];
    else if (step.verdict === 'bad') bad = step.commit;
    else skipped.add(step.commit);
    left = await suspects(git, goods, bad, skipped);
    keep(found);
  }
  found.end =
    left.count === 1
      ? { kind: 'found', commit: await described(bad, git) }
      : { kind: 'narrowed', suspects: await Promise.all(left.all.map((one) => described(one, git))) };
  keep(found);
  return found;
}

async function stepOf(commit: Commit, lead: Lead, number: number, measure: Measure): Promise<BisectStep> {
  try {
    const { comparison, folder } = await measure(commit, {
      number,
      lead,
      undecided: (look) => judgeStep(look, lead).verdict === 'undecided',
    });
    const { verdict, why } = judgeStep(comparison, lead);
    return { ...commit, verdict: verdict === 'undecided' ? 'skipped' : verdict, why, folder };
  } catch (error) {
    if (!(error instanceof UserError) || !passedOver.has(error.code)) throw error;
    return { ...commit, verdict: 'skipped', why: error.message };
  }
}

/** Steps that halve so many suspects down to one. */
export function stepsFor(count: number): number {
  return Math.ceil(Math.log2(Math.max(1, count)));
}

function planText({ good, bad }: BisectOptions['ends'], count: number): string {
  const commits = `${count} commit${count === 1 ? '' : 's'}`;
  return (
    `From ${commitName(good)} to ${commitName(bad)} are ${commits}. First the last one is compared with ` +
    `the good one, to see by which figure it is worse; then it takes about ${stepsFor(count)} step` +
    `${stepsFor(count) === 1 ? '' : 's'}.`
  );
}

function notWorseText(comparison: Comparison): string {
  if (comparison.verdict === 'not-slower') return 'it is shown to be not slower';
  return comparison.cut ?? comparison.variants.map(({ candidate, why }) => `${candidate}: ${why}`).join('; ');
}
