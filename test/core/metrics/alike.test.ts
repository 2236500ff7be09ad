// Tests which figures are too close for a single run to tell them apart.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { alike } from '../../../core/metrics/alike.ts';
import { metrics } from '../../../core/metrics/registry.ts';

test('figures are alike within a quarter of the lower one, latencies within a millisecond too', () => {
  const rows: [metric: string, a: number, b: number, alike: boolean][] = [
    ['requests-per-s', 100, 124, true],
    ['requests-per-s', 124, 100, true],
    ['requests-per-s', 100, 125, false],
    // Nothing is no share of something.
    ['requests-per-s', 0, 0, true],
    ['requests-per-s', 0, 0.001, false],
    // A timer's step, whatever the ratio.
    ['latency.p50', 10, 1009, true],
    ['latency.p50', 10, 1010, false],
    ['latency.mean', 0, 999, true],
    ['latency.p50', 100_000, 124_000, true],
    ['latency.p50', 100_000, 125_000, false],
    // CPU per delivery is no latency: 10 us and 100 us differ.
    ['server-cpu-per-delivery', 10, 100, false],
  ];
  for (const [metric, a, b, expected] of rows)
    assert.equal(alike(metrics[metric]!, a, b), expected, `${metric}: ${a} and ${b}`);
});
