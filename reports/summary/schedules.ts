// Says what sets the variants of a scenario apart, and how much faster their clock of retries ran than the
// trial's: what the words of an answer depend on.

import { isDeepStrictEqual } from 'node:util';
import { formatNumber, formatUs } from '../../core/base/units.ts';
import { timeScaleOf } from './time-scale.ts';
import type { VariantTrials } from './variants.ts';

type Run = Pick<VariantTrials, 'trials'>;

/** What people call variants that differ in nothing but this option. */
const nouns: Readonly<Record<string, string>> = { retries: 'schedule', every: 'interval', store: 'store' };

/** `schedule` of variants that differ in their retries alone, `variant` of all others. */
export function nounOf(variants: readonly Run[]): string {
  const all = variants.flatMap(({ trials: [first] }) => (first ? [first.variant] : []));
  const [one, ...others] = all;
  if (!one || others.some(({ pattern, target }) => pattern !== one.pattern || target !== one.target))
    return 'variant';
  const keys = [...new Set(all.flatMap(({ options }) => Object.keys(options)))];
  const differing = keys.filter((key) =>
    others.some(({ options }) => !isDeepStrictEqual(options[key], one.options[key])),
  );
  return (differing.length === 1 && nouns[differing[0]!]) || 'variant';
}

/** What has to be known of times beside the figures; nothing where no clock ran faster. */
export function clockNotes(variants: readonly Run[]): string[] {
  const scale = timeScaleOf(variants);
  return scale === 1
    ? []
    : [
        `The clock of retries ran ${formatNumber(scale)} times as fast as the trial, and latencies are in ` +
          `the trial's time: a second is ${lengthText(scale)} of the schedule.`,
      ];
}

/** `1 h` of 3,600 s, where durations are otherwise in minutes up to two hours. */
function lengthText(seconds: number): string {
  return seconds >= 3600 ? `${formatNumber(seconds / 3600)} h` : formatUs(seconds * 1e6);
}
