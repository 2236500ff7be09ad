// Draws seeded random numbers, one independent stream for each purpose, so that using one differently
// (arrivals, sizes, jitter) leaves the others' numbers as they were. Not for secrets.

/** Returns a number in [0, 1) at each call. */
export type Random = () => number;

/** FNV-1a, 32 bits: turns a stream's name into part of its seed. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/**
 * The stream called `stream` of the run seeded with `seed`.
 * Generator: Mulberry32 (Tommy Ettinger, public domain): 32 bits of state, period 2^32, enough for
 * schedules; a simulation that draws more has long-random.ts.
 */
export function random(seed: number, stream: string): Random {
  let state = (Math.imul(seed, 0x9e3779b1) ^ hash32(stream)) >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** An exponentially distributed waiting time with the given mean (inverse transform). */
export function exponential(next: Random, mean: number): number {
  return -Math.log(1 - next()) * mean;
}

/**
 * This share of the members, drawn, in their order: exactly so many, rounded, and one at least where
 * there is one. These are the ones that a fault of a share concerns.
 */
export function drawShare<T>(members: Iterable<T>, share: number, next: Random): T[] {
  const all = [...members];
  let wanted = Math.max(1, Math.round(all.length * share));
  // Knuth, The Art of Computer Programming, 3.4.2, algorithm S: each member with probability wanted / left.
  return all.filter((_, i) => {
    const take = next() * (all.length - i) < wanted;
    if (take) wanted--;
    return take;
  });
}
