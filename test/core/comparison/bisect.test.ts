// Tests what a bisection goes by, and on which side of the middle a commit lies.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { judgeStep, leadOf, type Lead } from '../../../core/comparison/bisect.ts';
import type { Comparison, JudgedMetric } from '../../../core/comparison/comparison-result.ts';

const side = { name: 'x', createdAt: '2026-01-02T10:00:00.000Z', pushbench: '0.1.0', commit: null };

function comparison(metrics: JudgedMetric[], more: Partial<Comparison> = {}): Comparison {
  return {
    format: 'pushbench-comparison',
    version: 3,
    createdAt: '2026-01-02T10:00:00.000Z',
    scenario: 'app',
    baseline: side,
    candidate: side,
    advisory: [],
    differences: [],
    unmatched: { baseline: [], candidate: [] },
    rule: { alpha: 0.05, strict: false, look: 1, looks: 1 },
    variants: [
      {
        baseline: 'sse',
        candidate: 'sse',
        paired: true,
        given: 10,
        counted: 10,
        dropped: [],
        metrics,
        verdict: 'slower',
        why: '',
      },
    ],
    verdict: 'slower',
    ...more,
  };
}

const ranges = { baseline: [0, 0] as [number, number], candidate: [0, 0] as [number, number] };

const ratio = (metric: string, [low, estimate, high]: [number, number, number]): JudgedMetric => ({
  kind: 'ratio',
  metric,
  unit: 'us',
  gating: true,
  minimumEffect: 0.05,
  baseline: 100,
  candidate: 100 * estimate,
  ranges,
  ratio: estimate,
  low,
  high,
  p: 0.001,
  pAdjusted: 0.001,
  ratios: [],
  runs: 10,
  runsNeeded: null,
  verdict: low > 1.05 ? 'slower' : 'inconclusive',
});

const loss = (baseline: number, candidate: number): JudgedMetric => ({
  kind: 'loss',
  metric: 'missed',
  unit: 'count',
  baseline,
  candidate,
  ranges,
  p: null,
  pAdjusted: null,
  verdict: candidate > baseline ? 'slower' : 'not-slower',
});

test('lost deliveries lead, else the timing whose change is largest beside its interval', () => {
  const noisy = ratio('latency.p90', [1.1, 1.5, 2]);
  const clear = ratio('latency.p50', [1.18, 1.2, 1.22]);
  const lead = (...metrics: JudgedMetric[]) => leadOf(comparison(metrics));
  assert.deepEqual(lead(noisy, clear), { variant: 'sse', metric: 'latency.p50', kind: 'ratio', ratio: 1.2 });
  assert.deepEqual(lead(noisy, clear, loss(0, 4)), {
    variant: 'sse',
    metric: 'missed',
    kind: 'loss',
    good: 0,
    bad: 4,
  });
  assert.equal(lead(ratio('latency.p50', [0.99, 1.02, 1.06]), loss(0, 0)), undefined);
  // Timings that prove nothing are no lead.
  const advisory: Comparison['advisory'] = [{ code: 'single', message: 'one run' }];
  assert.equal(leadOf(comparison([clear], { advisory })), undefined);
});

test('a commit is on the side on which its whole interval lies', () => {
  // The middle between 1 and 1.21 is 1.1.
  const lead: Lead = { variant: 'sse', metric: 'latency.p50', kind: 'ratio', ratio: 1.21 };
  const verdict = (...interval: [number, number, number]) =>
    judgeStep(comparison([ratio('latency.p50', interval)]), lead).verdict;
  assert.deepEqual(
    [
      verdict(1.11, 1.2, 1.3),
      verdict(0.9, 1, 1.09),
      verdict(1.06, 1.08, 1.09),
      verdict(1.05, 1.15, 1.2),
      verdict(1, 1.05, 1.12),
    ],
    ['bad', 'good', 'good', 'undecided', 'undecided'],
  );
  assert.deepEqual(judgeStep(comparison([ratio('latency.p50', [1.11, 1.2, 1.3])]), lead), {
    verdict: 'bad',
    why: '+20 % (+11 % to +30 %)',
  });
  const cut = comparison([ratio('latency.p50', [1.11, 1.2, 1.3])], { cut: 'It was cut short.' });
  assert.deepEqual(judgeStep(cut, lead), { verdict: 'undecided', why: 'It was cut short.' });
});

test('of losses, those nearer to the bad commit are bad, none are good, and some between are neither', () => {
  const lead: Lead = { variant: 'sse', metric: 'missed', kind: 'loss', good: 0, bad: 10 };
  const verdict = (candidate: number) => judgeStep(comparison([loss(0, candidate)]), lead).verdict;
  assert.deepEqual([verdict(9), verdict(5), verdict(1), verdict(0)], ['bad', 'bad', 'undecided', 'good']);
});
