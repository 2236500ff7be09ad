// Plans how many pairs a comparison takes: below which number nothing can be shown, and how many to run. Both
// grow with the number of tests, because Holm's correction asks more of each where there are many.

import type { Gate } from './gate.ts';
import { normalAbove } from './statistics/normal.ts';
import { signSumAtMost } from './statistics/ranks.ts';

/** The largest share of the pairs that may lack a figure; with more the metric is not judged. */
export const mostDropped = 0.2;
/** Fewer pairs than this are not run, however few tests there are. */
const leastRun = 10;
/** What `ab` runs at least where nobody says otherwise. */
const firstPlanned = 12;
/** More than this are run only where somebody asks for it. */
const mostPlanned = 48;
/** The plan is made for runs that differ by this much (standard deviation of the logarithm). */
const noise = 0.05;
/** The share of comparisons that should come out "not slower". With few pairs it is less, at least half. */
const aimed = 2 / 3;
/** How efficient the signed-rank test is next to a test of the mean, with normal noise. */
const efficiency = 3 / Math.PI;

/** Where chance is tested: how many tests, and at which level all of them together. */
export type Tests = { tests: number; alpha: number };

/**
 * The fewest pairs that a metric is judged on: with these, one can still come out slower among `tests` where
 * one pair says the opposite (and differs the least). The smallest p is then 2 / 2^n, times the number of
 * tests by Holm.
 */
export function fewestPairs({ tests, alpha }: Tests): number {
  return Math.floor(Math.log2((2 * tests) / alpha)) + 1;
}

/** Whether this number of unpaired runs of each side is enough for the same. */
export function enoughRuns(baseline: number, candidate: number, { tests, alpha }: Tests): boolean {
  let arrangements = 1;
  for (let i = 0; i < candidate; i++) arrangements *= (baseline + candidate - i) / (i + 1);
  return (2 * tests) / arrangements < alpha;
}

/** The fewest pairs to run: as many as are judged on, when a fifth of them is dropped. */
export function leastPairs(of: Tests): number {
  return Math.max(leastRun, givenFor(fewestPairs(of)));
}

/** How many pairs to run, so that `counted` are left when the largest share that may be dropped is. */
function givenFor(counted: number): number {
  let given = counted;
  while (given - Math.floor(mostDropped * given) < counted) given++;
  return given;
}

export type PairPlan = {
  pairs: number;
  /** The fewest that `--pairs` takes. */
  least: number;
  tests: number;
  /** What the plan would be if it were not bounded; equal to `pairs` where the bound is not met. */
  unbounded: number;
};

/**
 * How many pairs to run for the gates of so many variants, so that
 * - everything can be shown when a fifth of the pairs is dropped and one of the others says the opposite and
 *   differs the most (a run that stalled);
 * - a thing compared with itself comes out not slower, in all metrics of all variants, at least half of the
 *   time where runs differ by about 5 %.
 * @param alpha of each look
 */
export function planPairs(gates: readonly Gate[], variants: number, alpha: number): PairPlan {
  const effects = gates.flatMap((gate) => (gate.kind === 'ratio' && gate.gating ? [gate.minimumEffect] : []));
  const of = { tests: Math.max(1, effects.length * variants), alpha };
  const least = leastPairs(of);
  const shown = Math.max(firstPlanned, least, givenFor(withOneContrary(of)));
  const unbounded = Math.max(shown, forNotSlower(effects, variants, alpha));
  return { pairs: Math.min(unbounded, Math.max(shown, mostPlanned)), least, tests: of.tests, unbounded };
}

/** The fewest counted pairs with which p is small enough even if the largest difference is contrary. */
function withOneContrary({ tests, alpha }: Tests): number {
  let pairs = fewestPairs({ tests, alpha });
  const chance = () =>
    signSumAtMost(
      Array.from({ length: pairs }, (_, i) => 2 * (i + 1)),
      2 * pairs,
    );
  while (tests * chance() >= alpha) pairs++;
  return pairs;
}

/** The fewest pairs with which all upper bounds lie below their minimum effects often enough (`aimed`). */
function forNotSlower(effects: readonly number[], variants: number, alpha: number): number {
  const deviations = normalDeviate(alpha);
  const chance = (pairs: number) =>
    effects.reduce(
      (product, effect) =>
        product *
        (1 -
          normalAbove(
            (Math.log1p(effect) * Math.sqrt(efficiency * pairs)) / (noise * Math.SQRT2) - deviations,
          )),
      1,
    ) ** variants;
  // Past the bound the exact number says nothing that anybody would run.
  let pairs = 1;
  while (chance(pairs) < aimed && pairs < 1000) pairs++;
  return pairs;
}

/** The value that a normal one exceeds with the chance `tail`. */
function normalDeviate(tail: number): number {
  let [low, high] = [0, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (normalAbove(middle) > tail) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
