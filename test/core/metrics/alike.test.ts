// Tests which figures are too close for a single run to tell them apart.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { alike, stepBetween, toldApart } from '../../../core/metrics/alike.ts';
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

test('figures with intervals are told apart where these have nothing in common', () => {
  const p99 = metrics['latency.p99']!;
  const of = (value: number, low: number, high: number) => ({ value, within: [low, high] as const });
  assert.equal(toldApart(p99, of(13_500, 12_000, 15_000), of(79_700, 60_000, 99_000)), true);
  assert.equal(toldApart(p99, of(13_500, 12_000, 70_000), of(79_700, 60_000, 99_000)), false);
  assert.equal(toldApart(p99, of(13_500, 12_000, 60_000), of(79_700, 60_000, 99_000)), false, 'one value');
  const [short, long] = [of(13_500, 12_000, 60_000), of(79_700, 60_000, 99_000)];
  assert.equal(toldApart(p99, long, short), false, 'whichever comes first');
  assert.equal(toldApart(p99, long, of(13_500, 12_000, 15_000)), true);
  // Too near for one run, whatever its intervals say; and without intervals the values alone decide.
  assert.equal(toldApart(p99, of(13_500, 13_400, 13_600), of(14_000, 13_900, 14_100)), false);
  assert.equal(toldApart(p99, { value: 13_500 }, of(79_700, 60_000, 99_000)), true);
});

test('a step lies between figures that differ by less than it, though a ratio tells them apart', () => {
  const metric = { alikeWithin: 1000 };
  assert.equal(stepBetween(metric, [431, 554, 936]), 1000);
  assert.equal(stepBetween(metric, [800, 999]), undefined, 'a ratio of 1.249');
  assert.equal(stepBetween(metric, [800, 1000]), 1000, 'a ratio of 1.25');
  assert.equal(stepBetween(metric, [1000, 2000]), undefined, 'a whole step');
  assert.equal(stepBetween({}, [1, 2]), undefined);
});
