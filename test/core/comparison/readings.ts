// Readings made by formula, for tests of what is decided on them.

import { random, type Random } from '../../../core/base/random.ts';
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
    metrics = ['latency.p50'],
  }: Experiment,
): Pair[] {
  let level = 0;
  const run = (factor: number) => {
    level += drift * normal(next);
    return reading(
      Object.fromEntries(
        metrics.map((metric) => [metric, 1000 * factor * Math.exp(level + noise * studentT3(next))]),
      ),
    );
  };
  if (order === 'blocked') {
    const first = Array.from({ length: pairs }, () => run(1));
    return first.map((baseline) => ({ baseline, candidate: run(effect) }));
  }
  const flip = next() < 0.5 ? 0 : 1;
  return Array.from({ length: pairs }, (_, i) => {
    if ((i + flip) % 2 === 0) return { baseline: run(1), candidate: run(effect) };
    const candidate = run(effect);
    return { candidate, baseline: run(1) };
  });
}

export function experiments(count: number, seed: number, options: Experiment): Pair[][] {
  const next = random(seed, 'experiments');
  return Array.from({ length: count }, () => experiment(next, options));
}

function normal(next: Random): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

function studentT3(next: Random): number {
  return normal(next) / Math.sqrt((normal(next) ** 2 + normal(next) ** 2 + normal(next) ** 2) / 3);
}
