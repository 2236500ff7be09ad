// Gathers what a result says besides its figures, for every form of report: each warning once for all whom it
// concerns, and expectations with the measured figure beside the bound.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOf, metrics, notMeasured } from '../../core/metrics/registry.ts';
import type { Expectation, Result, Trial } from '../../core/result/result.ts';
import { labelIn, resultNames, type VariantTrials } from './variants.ts';

export type Warning = { level: 'failed' | 'invalid' | 'note'; who: string; message: string };
export type Expected = {
  who: string;
  check: string;
  /** The figure, and why it fulfils nothing where that is so. */
  measured: string;
  bound: string;
  verdict: ExpectationVerdict;
};
/** Only a trial that counts puts an expectation to the test. */
export type ExpectationVerdict =
  | { kind: 'held' }
  | { kind: 'failed' }
  | { kind: 'untested'; trial: 'missing' | 'invalid' };

/** More names than this are counted and not listed. */
const mostNames = 8;

export const verdictWords: Readonly<Record<ExpectationVerdict['kind'], string>> = {
  held: 'held',
  failed: 'failed',
  untested: 'not tested',
};

export const levelWords: Readonly<Record<Warning['level'], string>> = {
  failed: 'Failed',
  invalid: 'Does not count',
  note: 'Note',
};

/** Where all variants are concerned and there are more of them, no one is helped by their names. */
const namesListed = 3;

/** Failures first, then what makes trials not count, then notes. */
export function warningsByVariant(variants: readonly VariantTrials[]): Warning[] {
  const all = variants.flatMap((variant) =>
    variant.trials.flatMap(({ repetition, warnings, outcome }) => [
      ...(outcome.status === 'failed'
        ? [{ variant, repetition, level: 'failed' as const, message: outcome.message }]
        : []),
      // What made a trial of a search not count stands with its steps.
      ...warnings
        .filter(({ level }) => level === 'note' || variant.result.searches === undefined)
        .map(({ level, message }) => ({ variant, repetition, level, message })),
    ]),
  );
  const said = [...Map.groupBy(all, ({ level, message }) => `${level} ${message}`).values()].map(
    (same): Warning => {
      const { level, message } = same[0]!; // a group has a member
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
      return { level, who, message };
    },
  );
  const order = Object.keys(levelWords);
  return said.toSorted((a, b) => order.indexOf(a.level) - order.indexOf(b.level));
}

/** In the order of the scenario, those that failed first, then those that were not tested. */
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
      const outcome = trial?.outcome;
      const figure =
        one.measured === null && outcome?.status === 'completed' ? figureOf(one.metric, outcome) : undefined;
      const few = figure?.value === undefined && figure?.why !== notMeasured ? figure?.why : undefined;
      return {
        who: repeats ? `${label} (trial ${one.repetition})` : label,
        check: one.check,
        bound,
        verdict: verdictOn(one, trial),
        measured:
          outcome === undefined
            ? 'nothing: the trial is missing'
            : few !== undefined
              ? `${measured}: ${few}`
              : outcome.valid || one.measured === null
                ? measured
                : `${measured}, in a trial that does not count`,
      };
    }),
  );
  const order: readonly ExpectationVerdict['kind'][] = ['failed', 'untested', 'held'];
  return all.toSorted((a, b) => order.indexOf(a.verdict.kind) - order.indexOf(b.verdict.kind));
}

/** @param trial the one that the expectation is about; `undefined` where it is missing */
export function verdictOn({ held }: Expectation, trial: Trial | undefined): ExpectationVerdict {
  if (trial === undefined) return { kind: 'untested', trial: 'missing' };
  if (!trial.outcome.valid) return { kind: 'untested', trial: 'invalid' };
  return { kind: held ? 'held' : 'failed' };
}

/** An expectation's two figures in words. */
export function figuresOf({ metric, measured, bound }: Expectation): { measured: string; bound: string } {
  const unit = metrics[metric]?.unit ?? 'count'; // an older result may name a metric that is gone
  return {
    measured: measured === null ? 'no figure' : formatMetric(measured, unit),
    bound: formatMetric(bound, unit),
  };
}

/** `All 12 expectations held`, `2 of 33 expectations failed, 17 not tested: their trials do not count` */
export function expectationsTitle(expected: readonly Expected[]): string {
  const failed = expected.filter(({ verdict }) => verdict.kind === 'failed').length;
  const untested = expected.flatMap(({ verdict }) => (verdict.kind === 'untested' ? [verdict.trial] : []));
  const of = `of ${expected.length} expectation${expected.length === 1 ? '' : 's'}`;
  if (untested.length > 0) {
    const many = untested.length > 1;
    const [missing, invalid] = many ? ['are missing', 'do not count'] : ['is missing', 'does not count'];
    const why = [
      ...(untested.includes('missing') ? [missing] : []),
      ...(untested.includes('invalid') ? [invalid] : []),
    ].join(' or ');
    const reason = `${many ? 'their trials' : 'its trial'} ${why}`;
    return failed > 0
      ? `${failed} ${of} failed, ${untested.length} not tested: ${reason}`
      : `${untested.length} ${of} not tested: ${reason}`;
  }
  if (failed > 0) return `${failed} ${of} failed`;
  return expected.length === 1 ? 'The one expectation held' : `All ${expected.length} expectations held`;
}

/** `a, b and c` */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** A line for each variant that was left out because its target cannot run it. */
export function leftOutLines(results: readonly Result[]): string[] {
  return results.flatMap(({ targets = [] }) =>
    targets.flatMap(({ name, leftOut }) =>
      leftOut.map(({ variant, reason }) => `left out: ${variant} @${name}: ${reason}.`),
    ),
  );
}
