// Says what a trial's variant is called for readers: by the scenario's name for it, and in a matrix of one
// variant by its cell alone.

import type { Trial } from './trial.ts';

/** `Svix`, `Svix @mine, publish=10/s`; undefined where the variant has no name but its label. */
export function calledFor({ variant, cell }: Pick<Trial, 'variant' | 'cell'>): string | undefined {
  const { as, label, target } = variant;
  if (as === undefined) return undefined;
  return `${as}${target === undefined ? '' : ` @${target}`}${cell ? label.slice(cell.variant.length) : ''}`;
}

/** What stands behind the name of a trial that asked for compression and got none; empty of all others. */
export function plainMark({ outcome }: Pick<Trial, 'outcome'>): string {
  return outcome.status === 'completed' && outcome.compression?.came === 0 ? ' (came in plain text)' : '';
}

const separator = ', ';

/**
 * What stands before the cell in each of these names, where that is the same in all of them: `websocket` of
 * `websocket, window=0s` and `websocket, window=5s`. It says nothing there, so readers are told once.
 */
export function sharedVariant(names: readonly string[]): string | undefined {
  const all = [...new Set(names)];
  const heads = new Set(all.map((name) => name.split(separator, 1)[0]!)); // a split has a part
  const [head] = heads;
  const inCells = all.every((name) => name.includes(separator));
  return all.length > 1 && heads.size === 1 && inCells ? head : undefined;
}

/** The name without the variant that all of them share. */
export function withoutVariant(name: string, shared: string | undefined): string {
  const start = `${shared ?? ''}${separator}`;
  return shared !== undefined && name.startsWith(start) ? name.slice(start.length) : name;
}
