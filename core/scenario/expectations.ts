// Expectations: `latency.p99 < 250ms`, `missed == 0`, `latency.mean within 15% of 500ms`. Reading them, and
// holding them against the trials of a run. What the metrics are is metrics/registry.ts; the exit code is the command line's.

import { metrics, tooFewSamples, type Unit } from '../metrics/registry.ts';
import type { Variant } from '../pattern/registry.ts';
import type { Expectation, Trial } from '../result/result.ts';
import type { Scenario } from './scenario.ts';
import { listNames, nearest } from '../base/suggest.ts';
import { parseDurationMs, parseRatePerS, parseShare, parseSizeBytes } from '../base/units.ts';

/** An expectation, read. */
export type Check = {
  metric: string;
  /** In the metric's own unit; for `within`, the value that the figure should be near. */
  bound: number;
  holds(measured: number): boolean;
};

const comparisons: Readonly<Record<string, (measured: number, bound: number) => boolean>> = {
  '<': (measured, bound) => measured < bound,
  '<=': (measured, bound) => measured <= bound,
  '>': (measured, bound) => measured > bound,
  '>=': (measured, bound) => measured >= bound,
  '==': (measured, bound) => measured === bound,
};

/** How a bound of each unit is written, and what it is in that unit. */
const bounds: Readonly<Record<Unit, { what: string; parse(text: string): number | undefined }>> = {
  us: {
    what: 'a duration with its unit, such as 250ms',
    parse: (text) => times(parseDurationMs(text), 1000),
  },
  bytes: { what: 'a size with its unit, such as 4kB', parse: parseSizeBytes },
  share: { what: 'a share with its unit, such as 10%', parse: parseShare },
  'per-s': { what: 'a rate with its unit, such as 200/s', parse: parseRatePerS },
  count: {
    what: 'a plain number, such as 0',
    parse: (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined),
  },
};

const howTo = 'write "METRIC < BOUND" (or <=, >, >=, ==) or "METRIC within 10% of VALUE"';

/**
 * Reads an expectation.
 * @returns the check, or a sentence on what is wrong with the text and what to write instead
 */
export function parseExpectation(text: string): Check | { problem: string } {
  const parts = /^\s*([\w.-]+)\s*(?:([<>=!~]+)\s*(.*?)|within\s+(\S+)\s+of\s+(.*?))\s*$/s.exec(text);
  if (!parts) return { problem: `this is no expectation: ${howTo}` };
  const [, metric = '', operator = 'within', compared, tolerance = '', centre] = parts;
  if (!Object.hasOwn(metrics, metric)) return { problem: noSuchMetric(metric) };
  if (operator !== 'within' && !Object.hasOwn(comparisons, operator))
    return { problem: `"${operator}" is no comparison: ${howTo}` };
  const read = parseBound(metric, compared ?? centre ?? '');
  if ('problem' in read) return read;
  const { bound } = read;
  if (operator !== 'within')
    return { metric, bound, holds: (measured) => comparisons[operator]!(measured, bound) };

  const share = parseShare(tolerance);
  if (share === undefined)
    return { problem: `a tolerance is a share with its unit, such as 10%, and not "${tolerance}"` };
  return { metric, bound, holds: (measured) => Math.abs(measured - bound) <= share * bound };
}

/**
 * Reads a bound or a tolerance as its metric writes it.
 * @param metric one that there is
 * @returns the value in the metric's own unit, or a sentence on what is wrong with it
 */
export function parseBound(metric: string, text: string): { bound: number } | { problem: string } {
  const { what, parse } = bounds[metrics[metric]!.unit];
  const bound = parse(text);
  return bound === undefined || !Number.isFinite(bound)
    ? { problem: `the bound of ${metric} is ${what}, and not "${text}"` }
    : { bound };
}

/** The variants that a name in an expectation's `for` means: the one with that label, or else all of that pattern. */
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
 * A trial that is missing, failed or does not count, and a figure that it does not have or not enough samples for,
 * fulfil nothing.
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
  const value =
    outcome?.status === 'completed' && tooFewSamples(metric, outcome) === undefined
      ? metrics[metric]!.read(outcome)
      : undefined;
  return value === undefined || !Number.isFinite(value) ? null : value;
}

function noSuchMetric(metric: string): string {
  const names = Object.keys(metrics);
  const near = nearest(metric, names);
  return near
    ? `there is no metric "${metric}"; did you mean "${near}"?`
    : `there is no metric "${metric}"; there are ${listNames(names, Infinity)}`;
}

function times(value: number | undefined, factor: number): number | undefined {
  return value === undefined ? undefined : value * factor;
}
