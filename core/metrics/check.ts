// Reads a check of one metric: `latency.p99 < 250ms`, `missed == 0`, `latency.mean within 15% of 500ms`.
// scenario/expectations.ts applies it to the trials of a run.

import { listNames, nearest } from '../base/suggest.ts';
import { parseDurationMs, parseRatePerS, parseShare, parseSizeBytes } from '../base/units.ts';
import type { Unit } from './metric.ts';
import { metrics } from './registry.ts';

/** An expectation, read. */
export type Check = {
  metric: string;
  /** In the metric's own unit; for `within`, the value that the figure should be near. */
  bound: number;
  holds(measured: number): boolean;
  /**
   * Whether it holds wherever in its interval the figure lies, nowhere in it, or in some of it alone. A
   * figure without an interval is held to the bound as it is.
   */
  judge(figure: { value: number; low?: number; high?: number }): 'held' | 'failed' | 'undecided';
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

/** How a bound of a unit is written. */
export function boundText(unit: Unit): string {
  return bounds[unit].what;
}

const howTo = 'write "METRIC < BOUND" (or <=, >, >=, ==) or "METRIC within 10% of VALUE"';

/**
 * Reads an expectation.
 * @returns the check, or a sentence on what is wrong with the text and what to write instead
 */
export function parseExpectation(text: string): Check | { problem: string } {
  const parts = /^\s*([\w.-]+)\s*(?:([<>=!~]+)\s*(.*?)|within\s+(\S+)\s+of\s+(.*?))\s*$/s.exec(text);
  if (!parts) return { problem: `this is not an expectation: ${howTo}` };
  const [, metric = '', operator = 'within', compared, tolerance = '', centre] = parts;
  if (!Object.hasOwn(metrics, metric)) return { problem: noSuchMetric(metric) };
  if (operator !== 'within' && !Object.hasOwn(comparisons, operator))
    return { problem: `"${operator}" is not a comparison: ${howTo}` };
  const read = parseBound(metric, compared ?? centre ?? '');
  if ('problem' in read) return read;
  const { bound } = read;
  if (operator !== 'within') {
    const holds = (measured: number) => comparisons[operator]!(measured, bound);
    const around = operator === '==' ? bound : undefined;
    return { metric, bound, holds, judge: (figure) => judgeInterval(holds, figure, around) };
  }

  const share = parseShare(tolerance);
  if (share === undefined)
    return { problem: `a tolerance is a share with its unit, such as 10%, and not "${tolerance}"` };
  const holds = (measured: number) => Math.abs(measured - bound) <= share * bound;
  return { metric, bound, holds, judge: (figure) => judgeInterval(holds, figure, bound) };
}

/** @param around what values must be near, where they can be too high and too low */
function judgeInterval(
  holds: (measured: number) => boolean,
  { value, low = value, high = value }: { value: number; low?: number; high?: number },
  around: number | undefined,
): 'held' | 'failed' | 'undecided' {
  if (holds(low) !== holds(high)) return 'undecided';
  if (holds(low)) return 'held'; // what holds at both ends holds between them
  return around !== undefined && low < around && around < high ? 'undecided' : 'failed';
}

/**
 * Reads a bound or a tolerance as its metric writes it.
 * @param metric the name of an existing metric
 * @returns the value in the metric's own unit, or a sentence on what is wrong with it
 */
export function parseBound(metric: string, text: string): { bound: number } | { problem: string } {
  const { what, parse } = bounds[metrics[metric]!.unit];
  const bound = parse(text);
  return bound === undefined || !Number.isFinite(bound)
    ? { problem: `the bound of ${metric} is ${what}, and not "${text}"` }
    : { bound };
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
