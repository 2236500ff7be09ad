// Chooses the axes of charts over time and of durations: the unit that suits, where ticks are, how they read.

import { formatUs } from '../../core/base/units.ts';
import { logTicks } from './ticks.ts';

/** What a chart over time counts in, and how much of a trial's second one of it is. */
export type TimeUnit = { name: string; short: string; perS: number };

const units = [
  { name: 'days', short: 'd', s: 86_400, from: 4 * 86_400 },
  { name: 'hours', short: 'h', s: 3600, from: 4 * 3600 },
  { name: 'minutes', short: 'min', s: 60, from: 600 },
  { name: 'seconds', short: 's', s: 1, from: 0 },
];
const mostTicks = 9;

/** @param scale seconds of the scenario's clock in one of the trial; 1 where it is the real one */
export function timeUnit([from, to]: readonly [number, number], scale: number): TimeUnit {
  const { name, short, s } = units.find((unit) => (to - from) * scale >= unit.from)!; // the last has no least
  return { name, short, perS: scale / s };
}

/** Whole steps of the unit, in seconds of the trial, and the text beside each. */
export function timeTicks([from, to]: readonly [number, number], { perS, short }: TimeUnit) {
  const span = (to - from) * perS;
  const steps = (short === 'h' ? [1, 2, 3, 6, 12, 24, 48] : short === 'd' ? [1, 2, 7, 14, 28] : []).concat(
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600].map((step) => step * (span > 6000 ? 10 : 1)),
  );
  const step = steps.find((one) => span / one <= mostTicks) ?? span / mostTicks;
  const first = Math.ceil((from * perS) / step);
  const count = Math.floor((to * perS) / step) - first + 1;
  return Array.from({ length: count }, (_, i) => {
    const at = (first + i) * step;
    return { value: at / perS, text: String(Number(at.toPrecision(4))) };
  });
}

const [s, min, h, d] = [1000, 60_000, 3_600_000, 86_400_000] as const;
const coarse = [0.001, 0.01, 0.1, 1, 10, 100, s, 10 * s, min, 10 * min, h, 10 * h, 4 * d, 40 * d];
const fine = [
  ...[0.001, 0.01, 0.1, 1, 10, 100].flatMap((unit) => [unit, 2 * unit, 5 * unit]),
  ...[1, 2, 5, 10, 20].map((count) => count * s),
  ...[1, 2, 5, 10, 30].map((count) => count * min),
  ...[1, 2, 5, 10].map((count) => count * h),
  ...[1, 2, 4, 10, 20, 40].map((count) => count * d),
];

/** Ticks of a logarithmic axis of durations: at whole milliseconds, seconds, minutes and hours. */
export function durationTicks(valuesMs: readonly number[]): { value: number; text: string }[] {
  const [least, most] = [Math.min(...valuesMs), Math.max(...valuesMs)];
  const within = (ticks: readonly number[]) =>
    ticks.filter((tick) => tick >= least * 0.98 && tick <= most * 1.02);
  const found = [coarse, fine].map(within).find((ticks) => ticks.length >= 3) ?? logTicks(valuesMs);
  return found.map((value) => ({ value, text: durationText(value) }));
}

/** `10 min`, `1 h`, `4 d`: of a whole number of units, in that unit. */
function durationText(ms: number): string {
  if (ms >= d && ms % d === 0) return `${ms / d} d`;
  if (ms >= h && ms % h === 0) return `${ms / h} h`;
  if (ms >= min && ms % min === 0) return `${ms / min} min`;
  return formatUs(ms * 1000);
}

/** An expression that writes these texts at these values; they are ours and never of a scenario. */
export function textsAt(ticks: readonly { value: number; text: string }[]): string {
  // Compared with some room: a scale may give back a value that differs in its last digit.
  const near = ({ value }: { value: number }) =>
    `abs(datum.value - ${value}) <= ${Math.abs(value) * 1e-6 + 1e-12}`;
  return ticks.reduceRight((rest, tick) => `${near(tick)} ? '${tick.text}' : ${rest}`, "''");
}
