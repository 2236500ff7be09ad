// Finds where a series changed its level for good, for trends over saved runs. It needs values from after the
// change, so it says nothing of the newest run alone and gates nothing.

import { random, type Random } from '../../base/random.ts';
import { median } from '../../base/median.ts';
import { doubledMidranks } from './ranks.ts';

export type ChangePoint = {
  /** Index of the first value of the new level. */
  at: number;
  /** New level over old, of the medians of the two stretches. */
  ratio: number;
  /** Chance of a split as sharp anywhere in the stretch if its order were random. */
  p: number;
};

export type ChangeOptions = {
  /** Level for each stretch that is looked at; low, for every series of every metric is tested. */
  alpha?: number;
  /** A lesser change of level is left out: a share. */
  minimumEffect: number;
  seed?: number;
};

/** Fewest values on either side of a change. */
const leastStretch = 4;
const permutations = 1999;
/** Level for a split to be looked at more closely. */
const candidateAlpha = 0.2;

/**
 * Changes of level, in order. Stretches are split where the standardised rank sum is sharpest (Pettitt 1979,
 * in the standardised form of Hawkins and Deng 2010), readily at first, the parts in turn (binary
 * segmentation, Vostrikova 1981), so that there-and-back is found. Then a change stays only if, within the
 * stretch between its neighbours, a random order of the values is as sharp anywhere with a chance of at most
 * `alpha`: the test takes into account that the split was chosen. Like every such test it takes the runs to
 * be independent, and a machine that drifts for days raises false alarms.
 * @param values above 0, oldest first
 */
export function changePoints(
  values: readonly number[],
  { alpha = 0.001, minimumEffect, seed = 1 }: ChangeOptions,
): ChangePoint[] {
  const next = random(seed, 'change-points');
  const found = splits(values, 0, next).sort((a, b) => a - b);
  for (;;) {
    const measured = found.map((at, i): ChangePoint => {
      const [from, to] = [found[i - 1] ?? 0, found[i + 1] ?? values.length];
      const ranks = doubledMidranks(values.slice(from, to));
      return {
        at,
        ratio: median(values.slice(at, to)) / median(values.slice(from, at)),
        p: chanceOf(ranks, sharpest(ranks).sharpness, alpha, next),
      };
    });
    const worst = weakest(measured, alpha, Math.log(1 + minimumEffect));
    if (worst < 0) return measured;
    found.splice(worst, 1); // the stretches on both sides become one
  }
}

/**
 * The change to leave out next: the least certain one, or else the smallest of the changes that are too
 * small; -1 when all stay.
 */
function weakest(changes: readonly ChangePoint[], alpha: number, leastLog: number): number {
  const chances = changes.map(({ p }) => p);
  const likeliest = Math.max(0, ...chances);
  if (likeliest > alpha) return chances.indexOf(likeliest);
  const sizes = changes.map(({ ratio }) => Math.abs(Math.log(ratio)));
  const least = Math.min(Infinity, ...sizes);
  return least < leastLog ? sizes.indexOf(least) : -1;
}

/** Where to look: splits that are sharp enough to be worth the test proper. */
function splits(values: readonly number[], offset: number, next: Random): number[] {
  if (values.length < 2 * leastStretch) return [];
  const ranks = doubledMidranks(values);
  const { at, sharpness } = sharpest(ranks);
  if (chanceOf(ranks, sharpness, candidateAlpha, next) > candidateAlpha) return [];
  return [
    offset + at,
    ...splits(values.slice(0, at), offset, next),
    ...splits(values.slice(at), offset + at, next),
  ];
}

/**
 * The split with the largest distance of the rank sum from its mean, in standard
 * deviations (up to a constant).
 */
function sharpest(doubledRanks: readonly number[]): { at: number; sharpness: number } {
  const n = doubledRanks.length;
  let [sum, at, sharpness] = [0, 0, 0];
  for (let t = 1; t <= n - leastStretch; t++) {
    sum += doubledRanks[t - 1]!;
    if (t < leastStretch) continue;
    const distance = Math.abs(sum - t * (n + 1)) / Math.sqrt(t * (n - t));
    if (distance > sharpness) [at, sharpness] = [t, distance];
  }
  return { at, sharpness };
}

/**
 * The chance that another order is as sharp. Once it is sure to be above `alpha`, only a lower bound of it.
 */
function chanceOf(ranks: readonly number[], sharpness: number, alpha: number, next: Random): number {
  const most = alpha * (permutations + 1);
  const order = [...ranks];
  let asSharp = 1;
  if (sharpness === 0) return 1;
  for (let i = 0; i < permutations; i++) {
    shuffle(order, next);
    // A sum in another order may differ in its last digit, and an equal one counts.
    if (sharpest(order).sharpness >= sharpness * (1 - 1e-12) && ++asSharp > most) return asSharp / (i + 2);
  }
  return asSharp / (permutations + 1);
}

function shuffle(values: number[], next: Random): void {
  for (let i = values.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}
