// Gathers a result's expectations for every form of report, with the measured figure beside the bound, and
// the variants that a target cannot run. Warnings are warnings.ts.

import { formatMetric } from '../../core/metrics/metric.ts';
import { counted } from '../../core/base/counted.ts';
import { figureOf, metrics } from '../../core/metrics/registry.ts';
import type { Expectation, Result, Trial } from '../../core/result/result.ts';
import { verdictOf } from '../../core/scenario/expectations.ts';
import { variantNames } from './names.ts';
import { withOff } from './simulated.ts';
import { labelIn, resultNames } from './variants.ts';

export type Verdict = NonNullable<Expectation['verdict']>;
export type Expected = {
  who: string;
  check: string;
  made: 'measured' | 'simulated';
  /** The figure, and why it decides nothing where that is so. */
  measured: string;
  bound: string;
  verdict: Verdict;
  /** For an expectation that is undecided or not judged. */
  why: string;
  /** Its trial was planned and is missing, which every form of report says by itself. */
  isMissing: boolean;
};

/** In the order in which they matter. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  failed: 'failed',
  'not-judged': 'not judged',
  undecided: 'undecided',
  held: 'held',
};

/** In the order of the scenario, those that failed first, then those that were not judged or undecided. */
export function expectedOf(results: readonly Result[]): Expected[] {
  const [names, called] = [resultNames(results), variantNames(results)];
  const all = results.flatMap((result, i) =>
    result.expectations.map((one): Expected => {
      const label = labelIn(names[i]!, called.of(one.variant));
      const trials = result.trials.filter(({ variant }) => variant.label === one.variant);
      const repeats =
        trials.length > 1 ||
        result.expectations.some(
          ({ variant, repetition }) => variant === one.variant && repetition !== one.repetition,
        );
      const { measured: figure, bound } = figuresOf(one);
      const trial = trials.find(({ repetition }) => repetition === one.repetition);
      const measured =
        trial?.outcome.status === 'completed' ? withOff(figure, one.metric, [trial.outcome]) : figure;
      const { verdict, why } = verdictOn(one, trial);
      return {
        who: repeats ? `${label} (trial ${one.repetition})` : label,
        check: one.check,
        made: result.simulated ? 'simulated' : 'measured',
        bound,
        verdict,
        why,
        isMissing: trial === undefined && verdict === 'not-judged',
        measured:
          verdict === 'not-judged' || one.measured === null
            ? `no figure: ${why}`
            : why === ''
              ? measured
              : `${measured}: ${why}`,
      };
    }),
  );
  const order = Object.keys(verdictWords);
  return all.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** Those that did not hold. Those of missing trials are left out: a list of them would bury the others. */
export function openIn(all: readonly Expected[]): Expected[] {
  return all.filter(({ verdict, isMissing }) => verdict !== 'held' && !isMissing);
}

/** The verdict, or why there is none, as far as older results tell. @param trial where there is one */
export function verdictOn(
  expectation: Expectation,
  trial: Trial | undefined,
): { verdict: Verdict; why: string } {
  const verdict = verdictOf(expectation, trial);
  if (verdict === 'held' || verdict === 'failed') return { verdict, why: '' };
  return { verdict, why: expectation.why ?? whyNotJudged(expectation, trial?.outcome) };
}

function whyNotJudged({ metric }: Expectation, outcome: Trial['outcome'] | undefined): string {
  if (!outcome) return 'the trial is missing';
  if (outcome.status === 'failed') return 'the trial failed';
  const figure = figureOf(metric, outcome);
  return figure.value === undefined ? figure.why : 'the trial does not count';
}

/** An expectation's two figures in words. */
export function figuresOf({ metric, measured, bound }: Expectation): { measured: string; bound: string } {
  const unit = metrics[metric]?.unit ?? 'count'; // an older result may name a metric that is gone
  return {
    measured: measured === null ? 'no figure' : formatMetric(measured, unit),
    bound: formatMetric(bound, unit),
  };
}

/** More reasons than this stand with the expectations alone. */
const reasonsTold = 2;

/** `All 12 expectations held`, `2 of 33 expectations failed, 17 not judged (the trial failed)` */
export function expectationsTitle(expected: readonly Expected[]): string {
  const of = `of ${counted(expected.length, 'expectation')}`;
  const open = (Object.keys(verdictWords) as Verdict[]) // it has no other keys
    .filter((verdict) => verdict !== 'held')
    .flatMap((verdict) => {
      const those = expected.filter((one) => one.verdict === verdict);
      if (those.length === 0) return [];
      const whys = [...new Set(those.map(({ why }) => why).filter((why) => why !== ''))];
      const told = whys.length > 0 && whys.length <= reasonsTold ? ` (${whys.join('; ')})` : '';
      return [{ count: those.length, text: `${verdictWords[verdict]}${told}` }];
    });
  if (open.length > 0)
    return open.map(({ count, text }, i) => `${count} ${i === 0 ? `${of} ` : ''}${text}`).join(', ');
  return expected.length === 1 ? 'The one expectation held' : `All ${expected.length} expectations held`;
}

/** A line for each variant that was left out because its target cannot run it. */
export function leftOutLines(results: readonly Result[]): string[] {
  return results.flatMap(({ targets = [] }) =>
    targets.flatMap(({ name, leftOut }) =>
      leftOut.map(({ variant, reason }) => `left out: ${variant} @${name}: ${reason}.`),
    ),
  );
}
