// Judges a scenario's expectations by the trials of a run. metrics/check.ts reads a check; the command line
// decides the exit code.

import { parseExpectation, type Check } from '../metrics/check.ts';
import { formatMetric } from '../metrics/metric.ts';
import { figureOf, metrics } from '../metrics/registry.ts';
import { notSimulated } from '../metrics/simulated.ts';
import type { Variant } from '../pattern/variant.ts';
import type { Expectation, Trial } from '../result/result.ts';
import type { Scenario } from './scenario.ts';

/**
 * The variants that a name in an expectation's `for` means: those with that label or called so (`as`), or
 * else all of that pattern, on our servers and on every target. `sse @NAME` means those on that target alone.
 */
export function variantsCalled<V extends Pick<Variant, 'label' | 'pattern' | 'as'>>(
  name: string,
  variants: readonly V[],
): V[] {
  const [own, target] = apart(name);
  const there = target === undefined ? variants : variants.filter(({ label }) => apart(label)[1] === target);
  const labelled = there.filter(({ label, as }) => apart(label)[0] === own || as === own);
  return labelled.length > 0 ? labelled : there.filter(({ pattern }) => pattern === own);
}

/** A name without its target, which is known only when a run begins. */
export function withoutTarget(name: string): string {
  return apart(name)[0];
}

/** `sse @hono` is `sse` and `hono`. */
function apart(name: string): [own: string, target: string | undefined] {
  const at = name.lastIndexOf(' @');
  return at < 0 ? [name, undefined] : [name.slice(0, at), name.slice(at + 2)];
}

/** A trial, or the plan of one that did not run. */
export type TrialOrPlan = Pick<Trial, 'variant' | 'repetition' | 'cell'> & Partial<Pick<Trial, 'outcome'>>;

/**
 * Holds every expectation against every trial that it is for, in the order of the scenario.
 * It is not judged where it has no trial, where the trial is missing or failed, and where the figure is void
 * or has too few samples. It is undecided where the bound lies inside the percentile's interval, and where no
 * model has a figure for it in a simulation, as that is not a fault of the trial.
 */
export function checkExpectations(
  scenario: Pick<Scenario, 'expect' | 'variants'>,
  trials: readonly TrialOrPlan[],
): Expectation[] {
  return scenario.expect.flatMap(({ check: text, for: names, where }) => {
    const check = parseExpectation(text);
    if ('problem' in check) throw new Error(`an expectation of a checked scenario cannot be read: ${text}`);
    const inCells = trials.filter(({ cell }) =>
      Object.entries(where ?? {}).every(([path, values]) => values.includes(cell?.parameters[path] ?? '')),
    );
    const calledBy = (called: readonly string[]) => {
      const labels = called
        .flatMap((name) => variantsCalled(name, scenario.variants))
        .map(({ label }) => label);
      return inCells.filter(({ variant, cell }) => labels.includes(cell?.variant ?? variant.label));
    };
    const about = names ? calledBy(names) : inCells;
    const ofNone = names
      ? names.filter((name) => calledBy([name]).length === 0)
      : about.length === 0
        ? ['every variant']
        : [];
    const judged = (variant: string, repetition: number, judgement: Judgement): Expectation => ({
      variant,
      repetition,
      check: text,
      metric: check.metric,
      bound: check.bound,
      held: judgement.verdict === 'held',
      ...judgement,
    });
    return [
      ...about.map((trial) => judged(trial.variant.label, trial.repetition, judge(check, trial))),
      ...ofNone.map((name) => judged(name, 1, notJudged('it applies to no trial of this run'))),
    ];
  });
}

type Judgement = Pick<Expectation, 'measured' | 'verdict' | 'why'>;

function judge(check: Check, { outcome }: TrialOrPlan): Judgement {
  if (!outcome) return notJudged('the trial is missing');
  if (outcome.status === 'failed') return notJudged('the trial failed');
  const figure = figureOf(check.metric, outcome);
  if (figure.value === undefined)
    return figure.why === notSimulated ? unknownToModels : notJudged(figure.why);
  const verdict = check.judge(figure);
  if (verdict !== 'undecided') return { measured: figure.value, verdict };
  const { value, low = value, high = value } = figure;
  const { unit } = metrics[check.metric]!; // the check was read with it
  return {
    measured: value,
    verdict,
    why:
      `${outcome.simulated ? 'by its expected error' : 'within this run'} it lies between ` +
      `${formatMetric(low, unit)} and ${formatMetric(high, unit)}, ` +
      'on both sides of the bound',
  };
}

const unknownToModels: Judgement = {
  measured: null,
  verdict: 'undecided',
  why: 'no model computes this figure; measure it in a run',
};

function notJudged(why: string): Judgement {
  return { measured: null, verdict: 'not-judged', why };
}

/** The verdict, also for results from before verdicts were stored. @param trial the trial that was judged */
export function verdictOf(
  { verdict, held, measured }: Expectation,
  trial: Pick<Trial, 'outcome'> | undefined,
): NonNullable<Expectation['verdict']> {
  if (verdict) return verdict;
  if (!trial || !trial.outcome.valid || measured === null) return 'not-judged';
  return held ? 'held' : 'failed';
}
