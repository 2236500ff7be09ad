// What a result says besides its figures, gathered for every form of report: warnings, each said once for all
// whom it concerns, and expectations with the measured figure beside the bound.

import { formatMetric } from '../../core/metrics/metric.ts';
import { figureOf, metrics, notMeasured } from '../../core/metrics/registry.ts';
import type { Expectation, Result } from '../../core/result/result.ts';
import { labelIn, resultNames, type VariantTrials } from './variants.ts';

export type Warning = { level: 'failed' | 'invalid' | 'note'; who: string; message: string };
export type Expected = {
  who: string;
  check: string;
  /** The figure, and why it fulfils nothing where that is so. */
  measured: string;
  bound: string;
  held: boolean;
  /** Its trial is missing, so nothing was put to the test. */
  untested: boolean;
};

/** More names than this are counted and not listed. */
const mostNames = 8;

export const levelWords: Readonly<Record<Warning['level'], string>> = {
  failed: 'Failed',
  invalid: 'Does not count',
  note: 'Note',
};

/** Where all variants are concerned and there are more of them, no one is helped by their names. */
const namesListed = 3;

/** Failures first, then what makes trials not count, then notes. */
export function warningsOf(variants: readonly VariantTrials[]): Warning[] {
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
      const outcome = trials.find(({ repetition }) => repetition === one.repetition)?.outcome;
      const counts = outcome?.valid ?? false;
      const untested = outcome === undefined;
      const figure =
        one.measured === null && outcome?.status === 'completed' ? figureOf(one.metric, outcome) : undefined;
      const few = figure?.value === undefined && figure?.why !== notMeasured ? figure?.why : undefined;
      return {
        who: repeats ? `${label} (trial ${one.repetition})` : label,
        check: one.check,
        bound,
        held: one.held,
        untested,
        measured: untested
          ? 'nothing: the trial is missing'
          : few !== undefined
            ? `${measured}: ${few}`
            : counts || one.measured === null
              ? measured
              : `${measured}, in a trial that does not count`,
      };
    }),
  );
  const order = ({ held, untested }: Expected) => (held ? 2 : untested ? 1 : 0);
  return all.toSorted((a, b) => order(a) - order(b));
}

/** An expectation's two figures in words. */
export function figuresOf({ metric, measured, bound }: Expectation): { measured: string; bound: string } {
  const unit = metrics[metric]?.unit ?? 'count'; // an older result may name a metric that is gone
  return {
    measured: measured === null ? 'no figure' : formatMetric(measured, unit),
    bound: formatMetric(bound, unit),
  };
}

/** `All 12 expectations held` */
export function expectationsTitle(expected: readonly Expected[]): string {
  const untested = expected.filter((one) => one.untested).length;
  const failed = expected.filter(({ held }) => !held).length - untested;
  if (untested > 0)
    return (
      `${untested} of ${expected.length} expectation${expected.length === 1 ? '' : 's'} not tested, for ` +
      `${untested === 1 ? 'its trial is' : 'their trials are'} ` +
      `missing${failed > 0 ? `, and ${failed} failed` : ''}`
    );
  if (failed > 0)
    return `${failed} of ${expected.length} expectation${expected.length === 1 ? '' : 's'} failed`;
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
