// Writes figures in words: ranges of several trials, and the load generator's headroom.

import { mostHeadroom } from '../../core/metrics/headroom.ts';
import { formatMetric, type Unit } from '../../core/metrics/metric.ts';
import type { NoFigure } from '../../core/metrics/registry.ts';
import { formatNumber } from '../../core/base/units.ts';

/** Below 1 it is never rounded up to 1. */
const mostBelow = 0.99;

/** How many times this load the load generator could have made, about: `3.4x`. */
export function headroomText(headroom: number): string {
  if (headroom >= mostHeadroom) return `${mostHeadroom}x or more`;
  const rounded = Number(headroom.toPrecision(2));
  return `${formatNumber(headroom < 1 ? Math.min(mostBelow, rounded) : rounded)}x`;
}

/** A figure over several trials with the lowest and the highest of them: `3.1 ms (2.9 to 3.4 ms)`. */
export function withRange(text: string, range = ''): string {
  return range === '' ? text : `${text} (${range})`;
}

/** What stands where there is no figure: `≥ 12 ms`, where at least that can be said of a percentile. */
export function noFigureText({ atLeast }: NoFigure, unit: Unit): string {
  return atLeast === undefined ? '—' : `≥ ${formatMetric(atLeast, unit)}`;
}

/** `2.9 to 3.4 ms`, `900 ms to 1.1 s`; nothing where both ends read the same. */
export function rangeText([low, high]: readonly [low: number, high: number], unit: Unit): string {
  const [from, to] = [formatMetric(low, unit), formatMetric(high, unit)];
  return from === to ? '' : fromTo(from, to);
}

/** Two figures in words, with a unit that both have once. */
export function fromTo(from: string, to: string): string {
  const unitOf = (text: string) => text.slice(/^-?[\d.,]*/.exec(text)![0].length); // matches any text
  return unitOf(from) === unitOf(to)
    ? `${from.slice(0, from.length - unitOf(from).length)} to ${to}`
    : `${from} to ${to}`;
}

/** Several variants' figures: `2.9 to 3.4 ms`; one figure where all read the same. */
export function valuesText(values: readonly number[], unit: Unit): string {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return rangeText([low, high], unit) || formatMetric(low, unit);
}

/** What the interval beside a percentile is. */
export const withinRun =
  'The range beside a percentile is its 95 % interval within this run: all receivers of an event share its ' +
  'delay, so it counts events and not deliveries. Only repeated runs show what another run would measure.';

/** The text with each figure and its unit on one line, wherever it breaks. */
export function withUnits(text: string): string {
  return text.replace(/(?<=\d) (?=(?:%|[µm]?s|min|h|[KMG]?i?B)(?:\W|$))/g, '\u00A0');
}
