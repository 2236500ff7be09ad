// Says what a trial's variant is called for readers, where the scenario gives it a name.

import type { Trial } from './trial.ts';

/** `Svix`, `Svix @mine, publish=10/s`; undefined where the variant has no name but its label. */
export function calledFor({ variant, cell }: Pick<Trial, 'variant' | 'cell'>): string | undefined {
  const { as, label, target } = variant;
  if (as === undefined) return undefined;
  return `${as}${target === undefined ? '' : ` @${target}`}${cell ? label.slice(cell.variant.length) : ''}`;
}
