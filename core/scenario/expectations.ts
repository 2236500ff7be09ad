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
 * A trial that is missing, failed or does not count, and a figure that it does not have or not enough
 * samples for, fulfil nothing.
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
    return trials
      .filter(({ variant, cell }) => !labels || labels.has(cell?.variant ?? variant.label))
      .filter(({ cell }) =>
        Object.entries(where ?? {}).every(([path, values]) => values.includes(cell?.parameters[path] ?? '')),
      )
      .map((trial) => {
        const measured = measure(check, trial);
        const held = trial.outcome?.valid === true && measured !== null && check.holds(measured);
        return {
          variant: trial.variant.label,
          repetition: trial.repetition,
          check: text,
          metric: check.metric,
          bound: check.bound,
          measured,
          held,
        };
      });
  });
}

function measure({ metric }: Check, { outcome }: TrialOrPlan): number | null {
  return outcome?.status === 'completed' ? (figureOf(metric, outcome).value ?? null) : null;
}
