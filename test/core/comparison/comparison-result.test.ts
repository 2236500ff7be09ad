// Reads stored comparisons, and what of one was not judged: of one that was cut short, and where timings are
// advice.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { exitCodes } from '../../../core/base/errors.ts';
import {
  comparisonExitCode,
  comparisonSchema,
  notJudgedIn,
  worseIn,
  type Advisory,
  type Comparison,
} from '../../../core/comparison/comparison-result.ts';
import type { Subject } from '../../../core/comparison/counted-runs.ts';
import type { Gate } from '../../../core/comparison/gate.ts';
import { judge } from '../../../core/comparison/judge.ts';
import type { Reading } from '../../../core/comparison/reading.ts';
import { about, p50, pairsOf } from './ratio-pairs.ts';
import { paired, reading } from './readings.ts';

const missed: Gate = { kind: 'loss', metric: 'missed' };
const requests: Gate = { kind: 'exact', metric: 'requests-per-delivery', tolerance: 0.05 };
const single: Advisory = { code: 'single', message: '' };
const side = { name: 'a', createdAt: '', pushbench: '0.1.0', commit: null };

function comparisonOf(
  subjects: readonly Subject[],
  gates: readonly Gate[],
  more: Partial<Comparison> = {},
): Comparison {
  const { advisory = [] } = more;
  return {
    format: 'pushbench-comparison',
    version: 3,
    createdAt: '2026-01-02T10:00:00.000Z',
    scenario: 'compare',
    baseline: side,
    candidate: side,
    differences: [],
    unmatched: { baseline: [], candidate: [] },
    rule: { alpha: 0.05, strict: false, look: 1, looks: 1 },
    ...judge(subjects, gates, undefined, { advice: advisory.length > 0 }),
    advisory,
    ...more,
  };
}
const tenPairs = (baseline: Reading, candidate: Reading) =>
  paired(Array.from({ length: 10 }, () => ({ baseline, candidate })));

test('a comparison of the version before is read, whose word for "not judged" was another', () => {
  const earlier = { ...comparisonOf([], [p50]), version: 2, verdict: 'invalid' };
  assert.deepEqual(comparisonSchema.parse(earlier).verdict, 'not-judged');
  assert.equal(comparisonSchema.safeParse({ ...earlier, version: 1 }).success, false);
});

test('of a comparison that was cut short nothing is worse, and all of it is not judged', () => {
  const slow = [paired(pairsOf(about(1.2, 0.03)))];
  assert.equal(worseIn(comparisonOf(slow, [p50])).length, 1);
  const cut = comparisonOf(slow, [p50], { cut: '3 of 24 trials missing' });
  assert.deepEqual(worseIn(cut), []);
  assert.deepEqual(notJudgedIn(cut), [
    { judged: undefined, metric: undefined, why: '3 of 24 trials missing' },
  ]);
  assert.equal(comparisonExitCode(cut, []), exitCodes.inconclusive);
});

test('where timings are advice, counts are asked for as before', () => {
  const values = { 'requests-per-delivery': 1, missed: 0 };
  const same = comparisonOf([tenPairs(reading(values), reading(values))], [requests], { advisory: [single] });
  assert.deepEqual([notJudgedIn(same), comparisonExitCode(same, [])], [[], exitCodes.ok]);
  const absent = { absent: { 'requests-per-delivery': 'not measured' } };
  const lacking = comparisonOf(
    [tenPairs(reading(values), reading({ missed: 0 }, absent))],
    [requests, missed],
    {
      advisory: [single],
    },
  );
  assert.deepEqual(
    notJudgedIn(lacking).map(({ metric }) => metric?.metric),
    ['requests-per-delivery'],
  );
});

test('a metric that was not judged says its own reason beside one that is worse', () => {
  const baseline = reading({ 'requests-per-delivery': 1, missed: 0 });
  const candidate = reading({ missed: 5 }, { absent: { 'requests-per-delivery': 'not measured' } });
  const [first, ...others] = notJudgedIn(comparisonOf([tenPairs(baseline, candidate)], [requests, missed]));
  assert.match(first!.why, /^10 of 10 pairs lack it .*: candidate: not measured$/);
  assert.deepEqual([first!.metric?.metric, others], ['requests-per-delivery', []]);
});

test('one open variant of two is enough for those who ask', () => {
  const two = [paired(pairsOf(about(1, 0.3)), 'a'), paired(pairsOf(about(1, 0.02)), 'b')];
  const comparison = comparisonOf(two, [p50]);
  assert.deepEqual(
    comparison.variants.map(({ verdict }) => verdict),
    ['inconclusive', 'not-slower'],
  );
  assert.equal(comparisonExitCode(comparison, ['inconclusive']), exitCodes.inconclusive);
  assert.equal(comparisonExitCode(comparison, []), exitCodes.ok);
});
