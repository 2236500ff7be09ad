// Holds a scenario's expectations against the trials of a run. What a check says is metrics/check.ts; the
// exit code is the command line's.

import { parseExpectation, type Check } from '../metrics/check.ts';
import { figureOf } from '../metrics/registry.ts';
import type { Variant } from '../pattern/variant.ts';
import type { Expectation, Trial } from '../result/result.ts';
import type { Scenario } from './scenario.ts';

/**
 * The variants that a name in an expectation's `for` means: the one with that label, or
 * else all of that pattern.
 */
export function variantsCalled<V extends Pick<Variant, 'label' | 'pattern'>>(
  name: string,
  variants: readonly V[],
): V[] {
  const labelled = variants.filter(({ label }) => label === name);
  return labelled.length > 0 ? labelled : variants.filter(({ pattern }) => pattern === name);
}

/** A trial, or one that is planned and not there. */
export type TrialOrPlan = Pick<Trial, 'variant' | 'repetition' | 'cell'> & Partial<Pick<Trial, 'outcome'>>;

/**
 * Holds every expectation against every trial that it is for, in the order of the scenario.
 * A trial that is missing or failed, and a figure that is void or that it has not enough samples for, put
 * nothing to the test: then the expectation is not judged. One that is for no trial at all is not judged
 * either.
 */
export function checkExpectations(
  scenario: Pick<Scenario, 'expect' | 'variants'>,
  trials: readonly TrialOrPlan[],
): Expectation[] {
  return scenario.expect.flatMap(({ check: text, for: names, where }) => {
    const check = parseExpectation(text);
    if ('problem' in check) throw new Error(`an expectation of a checked scenario cannot be read: ${text}`);
    const labels =
      names &&
      new Set(names.flatMap((name) => variantsCalled(name, scenario.variants)).map(({ label }) => label));
    const about = trials
      .filter(({ variant, cell }) => !labels || labels.has(cell?.variant ?? variant.label))
      .filter(({ cell }) =>
        Object.entries(where ?? {}).every(([path, values]) => values.includes(cell?.parameters[path] ?? '')),
      );
    const judged = (variant: string, repetition: number, judgement: Judgement): Expectation => ({
      variant,
      repetition,
      check: text,
      metric: check.metric,
      bound: check.bound,
      held: judgement.verdict === 'held',
      ...judgement,
    });
    if (about.length === 0)
      return [judged((names ?? ['every variant']).join(', '), 1, notJudged('it is for no trial of the run'))];
    return about.map((trial) => judged(trial.variant.label, trial.repetition, judge(check, trial)));
  });
}

type Judgement = Pick<Expectation, 'measured' | 'verdict' | 'why'>;

function judge(check: Check, { outcome }: TrialOrPlan): Judgement {
  if (!outcome) return notJudged('the trial is missing');
  if (outcome.status === 'failed') return notJudged('the trial failed');
  const figure = figureOf(check.metric, outcome);
  if (figure.value === undefined) return notJudged(figure.why);
  return { measured: figure.value, verdict: check.holds(figure.value) ? 'held' : 'failed' };
}

function notJudged(why: string): Judgement {
  return { measured: null, verdict: 'not-judged', why };
}

/** The verdict, of results too that are older than the word. @param trial the one that it is about */
export function verdictOf(
  { verdict, held, measured }: Expectation,
  trial: Pick<Trial, 'outcome'> | undefined,
): NonNullable<Expectation['verdict']> {
  if (verdict) return verdict;
  if (!trial || !trial.outcome.valid || measured === null) return 'not-judged';
  return held ? 'held' : 'failed';
}
