// Finds the nearest of the names that exist, for "did you mean", and lists names. A name is near only when a
// typing slip, a swapped pair or a forgotten part explains what was written.

/** Nobody mistypes a longer name, and the distance takes time in proportion to the length squared. */
const longestName = 64;

/**
 * The name that was probably meant.
 * @returns `undefined` when none is near: more than a third of the letters would have to change, and it is
 *   not the first or last part of a name either
 */
export function nearest(given: string, names: readonly string[]): string | undefined {
  if (given.length > longestName) return undefined;
  const most = Math.floor(given.length / 3);
  let best: string | undefined;
  let bestDistance = most + 1;
  for (const name of names) {
    if (Math.abs(name.length - given.length) >= bestDistance) continue;
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  return best ?? names.find((name) => partsOf(name).some((part) => part === given.toLowerCase()));
}

/** The words as a list in quotes, or the names that start a very long one. */
export function listNames(names: readonly string[], most = 12): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

/** `a, b and c` */
export function listed(names: readonly string[]): string {
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
}

/** `latency.p99` -> `latency`, `p99`: what people leave out or keep alone. */
function partsOf(name: string): string[] {
  const dot = name.indexOf('.');
  return dot < 0 ? [] : [name.slice(0, dot), name.slice(dot + 1)];
}

/** Insertions, deletions, substitutions and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, beforeLast[j - 2]! + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length]!;
}
