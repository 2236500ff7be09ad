// Judges runs whose difference is known: what is dropped, what is slower, and what is shown not to be.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Pair } from '../../../core/comparison/counted-runs.ts';
import { defaultGates, type Gate } from '../../../core/comparison/gate.ts';
import { gravest, judge, ruleOf } from '../../../core/comparison/judge.ts';
import { about, p50, pairsOf, ratioOf } from './ratio-pairs.ts';
import { paired, reading } from './readings.ts';

test('the four verdicts, each where it belongs', () => {
  const rows: [name: string, ratios: number[], verdict: string][] = [
    ['12 % worse, beyond chance', about(1.12, 0.03), 'slower'],
    ['certain, but too small to matter', about(1.02, 0.01), 'not-slower'],
    ['no difference', about(1, 0.02), 'not-slower'],
    ['better', about(0.8, 0.05), 'not-slower'],
    ['worse by more than matters, and perhaps by chance', about(1.08, 0.5), 'inconclusive'],
    ['too few to tell', about(2, 0.02, 4), 'not-judged'],
    ['no difference, too noisy to say so', about(1, 0.3), 'inconclusive'],
  ];
  for (const [name, ratios, verdict] of rows)
    assert.equal(judge([paired(pairsOf(ratios))], [p50]).verdict, verdict, name);
});

test('estimate, interval and p are those of the logarithms of the ratios, pair by pair', () => {
  const {
    variants: [variant],
  } = judge([paired(pairsOf([1.05, 1.1, 1.1, 1.15, 1.2, 1.1]))], [p50]);
  const metric = ratioOf(variant!.metrics[0]);
  assert.equal(metric.p, 1 / 2 ** 6); // one-sided: all six say worse
  assert.ok(Math.abs(metric.ratio - 1.1) < 0.02);
  assert.deepEqual(
    [metric.low, metric.high].map((end) => Number(end!.toFixed(9))),
    // The third of the 21 averages from either end: of 1.05 and 1.1, and 1.15 itself.
    [Math.sqrt(1.05 * 1.1), 1.15].map((end) => Number(end.toFixed(9))),
  );
  assert.deepEqual(
    metric.ratios.map((ratio) => Number(ratio.toFixed(9))),
    [1.05, 1.1, 1.1, 1.15, 1.2, 1.1],
  );
});

test('strict asks that the whole interval lie above the minimum effect', () => {
  const ratios = about(1.065, 0.06);
  assert.equal(judge([paired(pairsOf(ratios))], [p50], ruleOf()).verdict, 'slower');
  assert.equal(judge([paired(pairsOf(ratios))], [p50], ruleOf({ strict: true })).verdict, 'inconclusive');
  assert.equal(judge([paired(pairsOf(about(1.2, 0.06)))], [p50], ruleOf({ strict: true })).verdict, 'slower');
});

test(
  'a run that does not count drops its pair, and of more than a fifth of them ' + 'nothing is judged',
  () => {
    const pairs = pairsOf(about(1.5, 0.03, 10));
    const broken = (count: number) =>
      pairs.map((pair, i) =>
        i < count ? { ...pair, candidate: { ...pair.candidate, valid: false, why: ['load-limited'] } } : pair,
      );
    const two = judge([paired(broken(2))], [p50]).variants[0]!;
    assert.equal(two.verdict, 'slower');
    assert.deepEqual(two.dropped, [
      { run: 1, why: 'candidate: load-limited' },
      { run: 2, why: 'candidate: load-limited' },
    ]);
    assert.equal(two.counted, 8);
    const three = judge([paired(broken(3))], [p50]);
    assert.equal(three.verdict, 'not-judged');
    assert.match(three.variants[0]!.why, /^3 of 10 pairs do not count .*: candidate: load-limited$/);
    assert.equal(judge([paired([])], [p50]).verdict, 'not-judged');
    assert.equal(judge([], [p50]).verdict, 'not-judged');
  },
);

test('exact figures: any change is told, and more than the tolerance is worse, whatever the noise', () => {
  const gate: Gate = { kind: 'exact', metric: 'requests-per-delivery', tolerance: 0.05 };
  const at = (baseline: number, candidate: number) =>
    judge(
      [
        paired([
          {
            baseline: reading({ [gate.metric]: baseline }),
            candidate: reading({ [gate.metric]: candidate }),
          },
        ]),
      ],
      [gate],
    ).variants[0]!;
  const told = (baseline: number, candidate: number) => {
    const [metric] = at(baseline, candidate).metrics;
    return metric?.kind === 'exact' ? [metric.changed, metric.verdict] : [];
  };
  assert.deepEqual(told(1, 1), [false, 'not-slower']);
  assert.deepEqual(told(1, 1.05), [true, 'not-slower']);
  assert.deepEqual(told(1, 1.06), [true, 'slower']);
  assert.deepEqual(told(1, 0.5), [true, 'not-slower']);
});

test(
  'losses fail outright where the baseline has none; where it ' + 'has some, more of them beyond chance fail',
  () => {
    const gate: Gate = { kind: 'loss', metric: 'reordered' };
    const of = (counts: [number, number][]) =>
      judge(
        [
          paired(
            counts.map(([baseline, candidate]) => ({
              baseline: reading({ reordered: baseline }),
              candidate: reading({ reordered: candidate }),
            })),
          ),
        ],
        [gate],
      ).verdict;
    assert.equal(
      of([
        [0, 0],
        [0, 0],
      ]),
      'not-slower',
    );
    assert.equal(
      of([
        [0, 0],
        [0, 1],
      ]),
      'slower',
    );
    assert.equal(
      of([
        [3, 0],
        [0, 1],
      ]),
      'not-slower',
    );
    assert.equal(
      of([
        [3, 5],
        [4, 2],
        [1, 3],
      ]),
      'not-judged',
      'three pairs show nothing either way',
    );
    assert.equal(of(Array.from({ length: 6 }, (_, i) => [3, i < 2 ? 2 : 4])), 'inconclusive');
    assert.equal(of(Array.from({ length: 10 }, (_, i) => [3 + i, 9 + 3 * i])), 'slower');
  },
);

test('without any latency, and where one side lacks it, the metric is not judged; counts are', () => {
  const without = reading({}, { absent: { 'latency.p50': '900 samples; 10,000 are needed' } });
  const both = judge(
    [paired(Array.from({ length: 10 }, () => ({ baseline: without, candidate: without })))],
    [p50, { kind: 'loss', metric: 'missed' }],
  ).variants[0]!;
  assert.deepEqual(both.metrics[0], {
    kind: 'absent',
    metric: 'latency.p50',
    gating: true,
    why: '900 samples; 10,000 are needed',
    gate: 'ratio',
    verdict: 'not-judged',
  });
  assert.equal(both.verdict, 'not-judged', 'without any gating figure nothing is shown');
  const one = judge(
    [
      paired(
        Array.from({ length: 10 }, () => ({
          baseline: reading({ 'latency.p50': 5, missed: 0 }),
          candidate: { ...without, values: { missed: 0 } },
        })),
      ),
    ],
    [p50, { kind: 'loss', metric: 'missed' }],
  ).variants[0]!;
  assert.deepEqual(
    one.metrics.map(({ verdict }) => verdict),
    ['not-judged', 'not-slower'],
  );
  assert.equal(one.verdict, 'not-judged');
});

test('what is only shown has no verdict and no share in the correction', () => {
  const shown: Gate = { ...p50, metric: 'bytes-per-delivery', gating: false };
  const pairs = about(1.12, 0.03).map((ratio, i): Pair => ({
    baseline: reading({ 'latency.p50': 900 + i, 'bytes-per-delivery': 100 }),
    candidate: reading({ 'latency.p50': 900 + i, 'bytes-per-delivery': 100 * ratio }),
  }));
  const {
    variants: [variant],
    verdict,
  } = judge([paired(pairs)], [p50, shown]);
  assert.equal(verdict, 'not-slower');
  const [, bytes] = variant!.metrics;
  assert.deepEqual([ratioOf(bytes).verdict, ratioOf(bytes).pAdjusted], [null, null]);
  assert.equal(ratioOf(variant!.metrics[0]).pAdjusted, ratioOf(variant!.metrics[0]).p);
});

test('stored runs: compared as two heaps, with the interval of the Mann-Whitney test', () => {
  const runs = (centre: number) => about(centre, 20, 10).map((value) => reading({ 'latency.p50': value }));
  const of = (centre: number) =>
    judge(
      [
        {
          baseline: 'sse',
          candidate: 'sse',
          paired: false,
          baselineRuns: runs(1000),
          candidateRuns: runs(centre),
        },
      ],
      [p50],
    );
  assert.equal(of(1000).verdict, 'not-slower');
  assert.equal(of(1150).verdict, 'slower');
  const metric = ratioOf(of(1150).variants[0]!.metrics[0]);
  assert.ok(metric.low! < 1.15 && 1.15 < metric.high!);
  assert.deepEqual(metric.ratios, []);
  assert.equal(of(1150).variants[0]!.given, 20);
});

test('the gravest verdict is the whole one', () => {
  assert.equal(gravest(['not-slower', 'inconclusive']), 'inconclusive');
  assert.equal(gravest(['slower', 'inconclusive', 'not-slower']), 'slower');
  assert.equal(gravest(['slower', 'not-judged']), 'slower');
  assert.equal(gravest(['inconclusive', 'not-judged', 'not-slower']), 'not-judged');
  assert.equal(gravest([]), 'not-judged');
  assert.equal(new Set(defaultGates.map(({ metric }) => metric)).size, defaultGates.length);
});
