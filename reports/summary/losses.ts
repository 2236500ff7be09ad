// Adds up lost and repeated deliveries over all trials in which the count stands, and tells which figures
// leave lost deliveries out.

import { figureOf } from '../../core/metrics/registry.ts';
import { isOfWhatCame as leavesOutLost, rankable } from '../../core/metrics/what-came.ts';
import { counted } from '../../core/base/counted.ts';
import { listed } from '../../core/base/suggest.ts';
import type { VariantTrials } from './variants.ts';

type Trials = Pick<VariantTrials, 'completed'>;

/** More names than this are counted. */
const mostNames = 4;

/** A metric of each trial of the variants that has a figure of it. */
export function readings(name: string, variants: readonly Trials[]): number[] {
  return variants.flatMap(({ completed }) => completed.flatMap((trial) => figureOf(name, trial).value ?? []));
}

/** A count over all trials of the variants in which it stands: no loss may hide behind a median. */
export function totalOf(name: string, variants: readonly Trials[]): number {
  return readings(name, variants).reduce((sum, value) => sum + value, 0);
}

/** Whether a figure leaves out what the variant lost. What never came has no latency. */
export function isOfWhatCame(name: string, variant: Trials): boolean {
  return leavesOutLost(name, totalOf('missed', [variant]));
}

/** Goes before a figure of a variant that lost something. */
export function whatCame(name: string, variant: Trials): string {
  return isOfWhatCame(name, variant) ? 'of deliveries that arrived, ' : '';
}

/**
 * The variants that a metric may order. By latency, variants that lost deliveries would look sooner than they
 * were, so they are left out as long as there are others.
 */
export function ranked<V extends Trials>(name: string, variants: readonly V[]): readonly V[] {
  return rankable(variants, (variant) => isOfWhatCame(name, variant));
}

/**
 * Names the variants whose latencies are only of deliveries that arrived; nothing if none with a latency lost
 * any.
 */
export function whatCameText(
  variants: readonly Pick<VariantTrials, 'completed' | 'label'>[],
): string | undefined {
  const timed = variants.filter((variant) => readings('latency.max', [variant]).length > 0);
  const lossy = timed.filter((variant) => isOfWhatCame('latency.max', variant));
  if (lossy.length === 0) return undefined;
  if (lossy.length === timed.length)
    return 'Latencies are of the deliveries that arrived: lost ones have none.';
  const labels = lossy.map(({ label }) => label);
  const who = labels.length > mostNames ? counted(labels.length, 'variant') : listed(labels);
  return (
    `Latencies of ${who} are of the deliveries that arrived, as lost ones have none; ` +
    'they are not ranked.'
  );
}
