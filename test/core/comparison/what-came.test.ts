// What never came has no latency: a side that lost deliveries is not called faster, nor the other one slower;
// where both lost some, the latencies of the deliveries that arrived are compared, and that is said.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import fc from 'fast-check';
import { exitCodes } from '../../../core/base/errors.ts';
import { comparisonExitCode, type Comparison } from '../../../core/comparison/comparison-result.ts';
import type { Gate } from '../../../core/comparison/gate.ts';
import { judge } from '../../../core/comparison/judge.ts';
import { toldOf } from '../../../reports/comparison/words.ts';
import { p50 } from './ratio-pairs.ts';
import { paired, reading } from './readings.ts';

const missed: Gate = { kind: 'loss', metric: 'missed' };
const cpu: Gate = { ...p50, metric: 'server-cpu-per-delivery' };
const worst: Gate = { kind: 'exact', metric: 'latency.max', tolerance: 500 };
type Run = { lost?: number; us?: number };
const runOf = ({ lost = 0, us = 1000 }: Run) =>
  reading({
    'latency.p50': us,
    'latency.max': 2 * us,
    'server-cpu-per-delivery': 50,
    missed: lost,
    delivered: 1000 - lost,
  });

/** Ten runs a side. @param gates of the comparison, with `missed` */
function compared(
  baseline: (i: number) => Run,
  candidate: (i: number) => Run,
  gates: readonly Gate[] = [p50, cpu, missed],
  heaps = false,
) {
  const ten = (run: (i: number) => Run) => Array.from({ length: 10 }, (_, i) => runOf(run(i)));
  const [from, to] = [ten(baseline), ten(candidate)];
  const pairs = from.map((one, i) => ({ baseline: one, candidate: to[i]! }));
  const subject = heaps
    ? { baseline: 'a', candidate: 'a', paired: false as const, baselineRuns: from, candidateRuns: to }
    : paired(pairs);
  const { variants, verdict } = judge([subject], gates);
  const variant = variants[0]!;
  return {
    variant,
    verdicts: variant.metrics.map((one) => one.verdict),
    code: comparisonExitCode({ variants, verdict, advisory: [] } as unknown as Comparison, []),
  };
}

test.for([false, true])('a candidate that lost deliveries is not faster (in heaps: %s)', (heaps) => {
  const { variant, verdicts, code } = compared(
    () => ({}),
    () => ({ lost: 300, us: 500 }),
    undefined,
    heaps,
  );
  assert.deepEqual(verdicts, ['not-judged', 'not-slower', 'slower']);
  assert.equal(code, exitCodes.slower);
  assert.match(toldOf(variant).rest.join('\n'), /so its latency covers only those that arrived/);
});

test('nor is a candidate slower than a baseline that lost, and nothing passes by it', () => {
  const { verdicts, code } = compared(
    () => ({ lost: 300, us: 500 }),
    () => ({}),
    [p50, worst, missed],
  );
  assert.deepEqual(verdicts, ['not-judged', 'not-judged', 'not-slower']);
  assert.equal(code, exitCodes.inconclusive);
});

test('one run that lost takes its pair with it, for latencies alone', () => {
  const { variant, verdicts } = compared(
    () => ({}),
    (i) => (i === 3 ? { lost: 1, us: 1 } : {}),
  );
  assert.deepEqual(verdicts, ['not-slower', 'not-slower', 'slower']);
  assert.deepEqual(
    variant.dropped.map(({ run, metrics }) => [run, metrics]),
    [[4, ['latency.p50']]],
  );
});

test('where both sides lost some they are compared, as latencies of what arrived', () => {
  const { variant, verdicts } = compared(
    () => ({ lost: 2 }),
    (i) => ({ lost: 2, us: 1300 + i }),
    [p50, worst, cpu, missed],
  );
  assert.deepEqual(verdicts, ['slower', 'slower', 'not-slower', 'not-slower']);
  assert.deepEqual(
    variant.metrics.map((one) => 'ofWhatCame' in one && one.ofWhatCame),
    [true, true, false, false],
  );
  assert.ok(
    toldOf(variant).rest.includes(
      'Both sides lost deliveries: their latencies are of the deliveries that arrived.',
    ),
  );
});

test('losses on one side never decide a latency, however few or many runs have them', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 10, maxLength: 10 }),
      fc.boolean(),
      fc.constantFrom(1, 1_000_000),
      (lossy, inCandidate, us) => {
        // Runs that lost say something wild; without them both sides are alike.
        const side = (i: number): Run => (lossy[i] ? { lost: 7, us } : {});
        const none = (): Run => ({});
        const { verdicts } = inCandidate ? compared(none, side) : compared(side, none);
        const [latency] = verdicts;
        const many = lossy.filter(Boolean).length > 2;
        assert.equal(latency, many ? 'not-judged' : 'not-slower');
      },
    ),
    { numRuns: 60 },
  );
});
