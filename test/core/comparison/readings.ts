// Readings made by formula, for tests of what is decided on them.

import { random, type Random } from '../../../core/base/random.ts';
import { defaultGates } from '../../../core/comparison/gate.ts';
import type { Reading } from '../../../core/comparison/reading.ts';
import type { Pair, Subject } from '../../../core/comparison/counted-runs.ts';

export function reading(values: Record<string, number>, more: Partial<Reading> = {}): Reading {
  return {
    repetition: 1,
    startedAt: '2026-01-02T10:00:00.000Z',
    valid: true,
    why: [],
    values,
    absent: {},
    ...more,
  };
}

export function paired(pairs: readonly Pair[], label = 'sse'): Subject {
  return { baseline: label, candidate: label, paired: true, pairs };
}

export type Experiment = {
  pairs: number;
  /** Candidate over baseline, in truth. */
  effect?: number;
  /**
   * Scale of the noise of one run on the logarithm; its distribution is Student's t
   * with 3 degrees of freedom.
   */
  noise?: number;
  /** Standard deviation of one step of the machine's drift, a random walk from run to run. */
  drift?: number;
  order?: 'interleaved' | 'blocked';
  /** `heavy` tails, or `normal` noise with the scale as its standard deviation. */
  tails?: 'heavy' | 'normal';
  /** Share of the runs that take two to five times as long, whatever is measured. */
  spikes?: number;
  /** The first so many baseline runs stall: they take ten times as long. */
  stalled?: number;
  metrics?: readonly string[];
};

/**
 * Runs of one experiment: noise with heavy tails over a machine that drifts, in balanced blocks
 * or all of one arm first.
 */
export function experiment(
  next: Random,
  {
    pairs,
    effect = 1,
    noise = 0.03,
    drift = 0.02,
    order = 'interleaved',
    tails = 'heavy',
    spikes = 0,
    stalled = 0,
    metrics = ['latency.p50'],
  }: Experiment,
): Pair[] {
  let level = 0;
  let stalls = stalled;
  const draw = tails === 'heavy' ? studentT3 : normal;
  const run = (effectOfRun: number, arm: 'baseline' | 'candidate' = 'candidate') => {
    level += drift * normal(next);
    const spike = spikes > 0 && next() < spikes ? 2 + 3 * next() : 1;
    const factor = effectOfRun * spike * (arm === 'baseline' && stalls-- > 0 ? 10 : 1);
    return reading(
      Object.fromEntries(
        metrics.map((metric) => [metric, 1000 * factor * Math.exp(level + noise * draw(next))]),
      ),
    );
  };
  if (order === 'blocked') {
    const first = Array.from({ length: pairs }, () => run(1, 'baseline'));
    return first.map((baseline) => ({ baseline, candidate: run(effect) }));
  }
  const flip = next() < 0.5 ? 0 : 1;
  return Array.from({ length: pairs }, (_, i) => {
    if ((i + flip) % 2 === 0) return { baseline: run(1, 'baseline'), candidate: run(effect) };
    const candidate = run(effect);
    return { candidate, baseline: run(1, 'baseline') };
  });
}

export function experiments(count: number, seed: number, options: Experiment): Pair[][] {
  const next = random(seed, 'experiments');
  return Array.from({ length: count }, () => experiment(next, options));
}

/** What gates by default and is tested. */
export const ratioGates = defaultGates.filter((gate) => gate.kind === 'ratio' && gate.gating);

/**
 * Comparisons of several variants, each with all metrics that gate by default.
 * @param options of each variant, by its number from 0
 */
export function comparisons(
  count: number,
  seed: number,
  variants: number,
  options: (variant: number) => Experiment,
): Subject[][] {
  const next = random(seed, 'comparisons');
  const metrics = ratioGates.map(({ metric }) => metric);
  return Array.from({ length: count }, () =>
    Array.from({ length: variants }, (_, variant) =>
      paired(experiment(next, { metrics, ...options(variant) }), `variant ${variant + 1}`),
    ),
  );
}

function normal(next: Random): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

function studentT3(next: Random): number {
  return normal(next) / Math.sqrt((normal(next) ** 2 + normal(next) ** 2 + normal(next) ** 2) / 3);
}
