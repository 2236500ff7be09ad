// Gathers what a result says besides its figures, for every form of report: each warning once, with the
// variants that it is about, and expectations with the measured figure beside the bound.

import { formatMetric } from '../../core/metrics/metric.ts';
import { listed } from '../../core/base/suggest.ts';
import { figureOf, metrics } from '../../core/metrics/registry.ts';
import type { Expectation, Result, Trial } from '../../core/result/result.ts';
import { voidedWords } from '../../core/result/voids.ts';
import { verdictOf } from '../../core/scenario/expectations.ts';
import { labelIn, resultNames, type VariantTrials } from './variants.ts';

export type Warning = {
  level: 'failed' | 'invalid' | 'note';
  /** What it comes to: `Failed`, `Does not count`, `Voids latencies`, `Note`. */
  head: string;
  who: string;
  message: string;
};
export type Verdict = NonNullable<Expectation['verdict']>;
export type Expected = {
  who: string;
  check: string;
  /** The figure, and why it decides nothing where that is so. */
  measured: string;
  bound: string;
  verdict: Verdict;
  /** Of one that is undecided or not judged. */
  why: string;
};

/** More names than this are counted and not listed. */
const mostNames = 8;

/** In the order in which they matter. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  failed: 'failed',
  'not-judged': 'not judged',
  undecided: 'undecided',
  held: 'held',
};

const levels: readonly Warning['level'][] = ['failed', 'invalid', 'note'];

/** Where all variants are concerned and there are more of them, no one is helped by their names. */
const namesListed = 3;

/** Failures first, then what makes trials not count, then notes. */
export function warningsByVariant(variants: readonly VariantTrials[]): Warning[] {
  const all = variants.flatMap((variant) =>
    variant.trials.flatMap(({ repetition, warnings, outcome }) => [
      ...(outcome.status === 'failed'
        ? [{ variant, repetition, level: 'failed' as const, head: 'Failed', message: outcome.message }]
        : []),
      // What made a trial of a search not count stands with its steps.
      ...warnings
        .filter(({ level }) => level === 'note' || variant.result.searches === undefined)
        .map(({ code, level, message }) => ({
          variant,
          repetition,
          level,
          head: level === 'note' ? 'Note' : voidsText(code, outcome),
          message,
        })),
    ]),
  );
  const said = [...Map.groupBy(all, ({ head, message }) => `${head} ${message}`).values()].map(
    (same): Warning => {
      const { level, head, message } = same[0]!; // a group has a member
      const concerned = Map.groupBy(same, ({ variant }) => variant);
      const everywhere = variants.length > namesListed && concerned.size === variants.length;
      const who = everywhere
        ? 'every variant'
        : concerned.size > mostNames
          ? `${concerned.size} of ${variants.length} variants`
          : listed(
              [...concerned].map(([{ label, trials }, own]) => {
                const repetitions = [...new Set(own.map(({ repetition }) => String(repetition)))];
                return repetitions.length === trials.length
                  ? label
                  : `${label} (trial ${listed(repetitions)})`;
              }),
            );
      return { level, head, who, message };
    },
  );
  return said.toSorted((a, b) => levels.indexOf(a.level) - levels.indexOf(b.level));
}

/** What a warning of level `invalid` comes to: `Voids latencies`; in an older result, all. */
function voidsText(code: string, outcome: Trial['outcome']): string {
  const voided = outcome.status === 'completed' ? voidedWords(code, outcome.voids) : '';
  return voided === '' || voided === 'everything' ? 'Does not count' : `Voids ${voided}`;
}

/** In the order of the scenario, those that failed first, then those that were not judged or undecided. */
export function expectedOf(results: readonly Result[]): Expected[] {
  const names = resultNames(results);
  const all = results.flatMap((result, i) =>
    result.expectations.map((one): Expected => {
      const label = labelIn(names[i]!, one.variant);
      const trials = result.trials.filter(({ variant }) => variant.label === one.variant);
      const repeats =
        trials.length > 1 ||
        result.expectations.some(
          ({ variant, repetition }) => variant === one.variant && repetition !== one.repetition,
        );
      const { measured, bound } = figuresOf(one);
      const trial = trials.find(({ repetition }) => repetition === one.repetition);
      const { verdict, why } = verdictOn(one, trial);
      return {
        who: repeats ? `${label} (trial ${one.repetition})` : label,
        check: one.check,
        bound,
        verdict,
        why,
        measured:
          verdict === 'not-judged' ? `no figure: ${why}` : why === '' ? measured : `${measured}: ${why}`,
      };
    }),
  );
  const order = Object.keys(verdictWords);
  return all.toSorted((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** The verdict, and why there is none; of older results what they tell. @param trial where there is one */
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
  const of = `of ${expected.length} expectation${expected.length === 1 ? '' : 's'}`;
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
