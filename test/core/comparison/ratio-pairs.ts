// Makes pairs of runs with known ratios, and reads the ratio that was judged of them.

import assert from 'node:assert/strict';
import type { JudgedMetric } from '../../../core/comparison/comparison-result.ts';
import type { Pair } from '../../../core/comparison/counted-runs.ts';
import type { Gate } from '../../../core/comparison/gate.ts';
import { reading } from './readings.ts';

export const p50 = { kind: 'ratio', metric: 'latency.p50', minimumEffect: 0.05, gating: true } satisfies Gate;

/** One pair for each ratio; the baseline drifts, which pairs take out. */
export function pairsOf(ratios: readonly number[], metric = 'latency.p50'): Pair[] {
  return ratios.map((ratio, i) => ({
    baseline: reading({ [metric]: 1000 + 100 * i }),
    candidate: reading({ [metric]: (1000 + 100 * i) * ratio }),
  }));
}

/** Ratios about `centre`, spread evenly by `half` each way. */
export const about = (centre: number, half: number, count = 12) =>
  Array.from({ length: count }, (_, i) => centre + half * ((2 * i) / (count - 1) - 1));

export function ratioOf(metric: JudgedMetric | undefined) {
  assert.equal(metric?.kind, 'ratio');
  return metric as Extract<JudgedMetric, { kind: 'ratio' }>;
}
