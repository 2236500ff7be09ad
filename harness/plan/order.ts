// Decides in which order the trials of a run take turns, so that whatever changes on a machine in the
// meantime affects all alike. Pure: the same seed gives the same order.

import { random } from '../../core/base/random.ts';

/**
 * One order of `arms` for each block. Two arms alternate (AB, BA, AB, ...) from a random start; more follow a
 * Williams design (E. J. Williams 1949): over its rows each arm stands in each place as often, and behind
 * each other arm as often. It has as many rows as arms, twice as many for an odd number.
 * @returns indices of arms, a list for each block
 */
export function balancedBlocks(arms: number, blocks: number, seed: number): number[][] {
  const next = random(seed, 'order');
  const names = shuffled(
    Array.from({ length: arms }, (_, i) => i),
    next,
  );
  // Every arm once in each place after so many rows; the start is drawn, so that no arm is
  // always the first of all.
  const rows = williams(arms);
  const start = Math.floor(next() * rows.length);
  return Array.from({ length: blocks }, (_, i) => rows[(start + i) % rows.length]!.map((arm) => names[arm]!));
}

/**
 * Row 0 zigzags: 0, 1, n-1, 2, n-2, ...; each further row adds one; an odd number of arms takes
 * their mirror images too.
 */
function williams(arms: number): number[][] {
  const first = Array.from({ length: arms }, (_, i) => (i % 2 === 1 ? (i + 1) / 2 : (arms - i / 2) % arms));
  const rows = first.map((_, row) => first.map((arm) => (arm + row) % arms));
  return arms % 2 === 1 && arms > 1 ? rows.flatMap((row) => [row, row.toReversed()]) : rows;
}

function shuffled(items: number[], next: () => number): number[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [items[i], items[j]] = [items[j]!, items[i]!];
  }
  return items;
}
