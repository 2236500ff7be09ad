// Adds up what was lost or came twice over all trials in which the count stands.

import { figureOf } from '../../core/metrics/registry.ts';
import type { VariantTrials } from './variants.ts';

/** A metric of each trial of the variants that has a figure of it. */
export function readings(name: string, variants: readonly VariantTrials[]): number[] {
  return variants.flatMap(({ completed }) => completed.flatMap((trial) => figureOf(name, trial).value ?? []));
}

/** A count over all trials of the variants in which it stands: no loss may hide behind a median. */
export function totalOf(name: string, variants: readonly VariantTrials[]): number {
  return readings(name, variants).reduce((sum, value) => sum + value, 0);
}
