// What was asked for and cannot be judged is said, and never passes: each kind of gate, voided and over an
// empty set.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { exitCodes } from '../../../core/base/errors.ts';
import {
  comparisonExitCode,
  notJudgedIn,
  type Comparison,
} from '../../../core/comparison/comparison-result.ts';
import type { Gate } from '../../../core/comparison/gate.ts';
import { judge } from '../../../core/comparison/judge.ts';
import type { Reading } from '../../../core/comparison/reading.ts';
import { countsAtAll, readingOf } from '../../../core/comparison/reading.ts';
import { completed, trialOf } from '../result/trial.ts';
import { p50 } from './ratio-pairs.ts';
import { paired, reading } from './readings.ts';

const ratio: Gate = p50;
const exact: Gate = { kind: 'exact', metric: 'requests-per-delivery', tolerance: 0.05 };
const loss: Gate = { kind: 'loss', metric: 'missed' };
const values = { 'latency.p50': 1000, 'requests-per-delivery': 1, missed: 0, delivered: 100 };

/** Ten pairs that are alike, but for what is changed in the candidate's first runs. */
function verdictsOf(gates: readonly Gate[], bad: number, change: (run: Reading) => Reading) {
  const pairs = Array.from({ length: 10 }, (_, i) => ({
    baseline: reading(values),
    candidate: i < bad ? change(reading(values)) : reading(values),
  }));
  const judged = judge([paired(pairs)], gates);
  const code = comparisonExitCode({ ...judged, advisory: [] } as unknown as Comparison, []);
  return { variant: judged.variants[0]!, verdict: judged.verdict, code };
}

const without =
  (metric: string, how: 'voided' | 'absent') =>
  (run: Reading): Reading => {
    const left = Object.fromEntries(Object.entries(run.values).filter(([name]) => name !== metric));
    return how === 'voided'
      ? { ...run, valid: false, values: left, voided: { [metric]: ['publisher-late'] } }
      : { ...run, values: left, absent: { [metric]: 'not measured' } };
  };

for (const gate of [ratio, exact, loss])
  for (const how of ['voided', 'absent'] as const)
    test(`${gate.kind}: ${how} in more than a fifth of the pairs is not judged, in a fifth it is`, () => {
      const two = verdictsOf([gate], 2, without(gate.metric, how));
      assert.deepEqual([two.verdict, two.code], ['not-slower', exitCodes.ok]);
      assert.deepEqual(
        two.variant.dropped.map(({ run, metrics }) => [run, metrics]),
        [
          [1, [gate.metric]],
          [2, [gate.metric]],
        ],
      );
      assert.equal(two.variant.counted, 10);
      const three = verdictsOf([gate], 3, without(gate.metric, how));
      assert.deepEqual([three.verdict, three.code], ['not-judged', exitCodes.inconclusive]);
      const reason = how === 'voided' ? 'publisher-late' : 'not measured';
      assert.equal(
        three.variant.why,
        `${gate.metric}: 3 of 10 pairs lack it (at most 20 % may be dropped): candidate: ${reason}`,
      );
    });

test('what one figure is spoilt by leaves the others: lost deliveries fail where latencies are void', () => {
  const lost = verdictsOf([ratio, exact, loss], 10, (run) => ({
    ...without('latency.p50', 'voided')(run),
    values: { 'requests-per-delivery': 1, missed: 5, delivered: 95 },
  }));
  assert.deepEqual(
    lost.variant.metrics.map(({ verdict }) => verdict),
    ['not-judged', 'not-slower', 'slower'],
  );
  assert.deepEqual([lost.verdict, lost.code], ['slower', exitCodes.slower]);
});

test('a run of an older baseline that does not count drops its pair for all metrics', () => {
  const old = verdictsOf([ratio, loss], 2, (run) => ({ ...run, valid: false, why: ['load-limited'] }));
  assert.deepEqual(old.variant.dropped, [
    { run: 1, why: 'candidate: load-limited' },
    { run: 2, why: 'candidate: load-limited' },
  ]);
  assert.equal(old.variant.counted, 8);
  assert.equal(verdictsOf([loss], 3, (run) => ({ ...run, valid: false })).code, exitCodes.inconclusive);
});

test('empty sets: no pairs, no gates, no figures, no deliveries', () => {
  const rows: [string, () => ReturnType<typeof judge>, RegExp][] = [
    ['no variant', () => judge([], [ratio]), /^$/],
    ['no pairs', () => judge([paired([])], [ratio, exact, loss]), /there are no pairs/],
    ...[ratio, exact, loss].map((gate): (typeof rows)[number] => [
      `${gate.kind} alone, on neither side`,
      () => judge([paired([{ baseline: reading({}), candidate: reading({}) }])], [gate]),
      /figure/,
    ]),
    [
      'no gates',
      () => judge([paired([{ baseline: reading(values), candidate: reading(values) }])], []),
      /nothing gates/,
    ],
    [
      'only what is shown',
      () =>
        judge(
          [paired([{ baseline: reading(values), candidate: reading(values) }])],
          [{ ...p50, gating: false }],
        ),
      /nothing gates/,
    ],
    [
      'no deliveries',
      () => {
        const none = reading({ missed: 0, delivered: 0 });
        return judge(
          [paired(Array.from({ length: 10 }, () => ({ baseline: none, candidate: none })))],
          [loss],
        );
      },
      /nothing was delivered on either side/,
    ],
    [
      'two stored heaps, one of them empty',
      () =>
        judge(
          [
            {
              baseline: 'a',
              candidate: 'a',
              paired: false,
              baselineRuns: [reading(values)],
              candidateRuns: [],
            },
          ],
          [loss],
        ),
      /no run of the candidate counts/,
    ],
  ];
  for (const [name, judged, why] of rows) {
    const { variants, verdict } = judged();
    assert.equal(verdict, 'not-judged', name);
    assert.match(variants[0]?.why ?? '', why, name);
    assert.equal(
      comparisonExitCode({ variants, verdict, advisory: [] } as unknown as Comparison, []),
      exitCodes.inconclusive,
      name,
    );
  }
});

test('a default that does not apply is left out; one that the scenario names is not judged', () => {
  const p99: Gate = { ...p50, metric: 'latency.p99' };
  const few = (run: Reading): Reading => ({
    ...run,
    absent: { 'latency.p99': '900 samples; 10,000 are needed' },
  });
  const pair = () => ({ baseline: few(reading(values)), candidate: few(reading(values)) });
  const of = (gate: Gate) => judge([paired(Array.from({ length: 10 }, pair))], [ratio, gate]);
  assert.equal(of(p99).verdict, 'not-slower');
  const asked = of({ ...p99, asked: true });
  assert.equal(asked.verdict, 'not-judged');
  assert.equal(asked.variants[0]!.why, 'latency.p99: 900 samples; 10,000 are needed');
});

test('a trial says of each figure whether it counts; of a trial that says nothing, none does', () => {
  const names = ['latency.p50', 'missed'];
  const late = trialOf('sse', { ...completed(), valid: false, voids: { 'publisher-late': ['latency'] } });
  const read = readingOf(late, names);
  assert.deepEqual(read.voided, { 'latency.p50': ['publisher-late'] });
  assert.deepEqual(Object.keys(read.values), ['missed']);
  assert.equal(countsAtAll(read), true);
  const older = readingOf(trialOf('sse', { ...completed(), valid: false }), names);
  assert.deepEqual([older.voided, countsAtAll(older)], [undefined, false]);
});

test('under advice what was not judged is said; where only timings gate, nothing was judged', () => {
  const single = { baseline: 'a', candidate: 'a', paired: false as const, baselineRuns: [reading(values)] };
  const judged = (gates: Gate[]) =>
    judge([{ ...single, candidateRuns: [reading(values)] }], gates, undefined, { advice: true });
  const comparison = (gates: Gate[]) =>
    ({ ...judged(gates), advisory: [{ code: 'single', message: '' }] }) as unknown as Comparison;
  assert.equal(judged([ratio, loss]).verdict, 'inconclusive');
  assert.equal(comparisonExitCode(comparison([ratio, loss]), []), exitCodes.ok);
  assert.equal(comparisonExitCode(comparison([ratio, loss]), ['advisory']), exitCodes.inconclusive);
  assert.equal(comparisonExitCode(comparison([ratio]), []), exitCodes.inconclusive);
  assert.match(notJudgedIn(comparison([ratio]))[0]!.why, /only timings gate/);
});

test('a scenario that changed is not judged, counts as little as timings', () => {
  const lost = { ...values, missed: 9 };
  const pairs = Array.from({ length: 10 }, () => ({ baseline: reading(values), candidate: reading(lost) }));
  const judged = judge([paired(pairs)], [ratio, loss], undefined, { advice: true, spoilt: 'other scenario' });
  assert.deepEqual(
    [judged.verdict, judged.variants[0]!.why, ...judged.variants[0]!.metrics.map(({ verdict }) => verdict)],
    ['not-judged', 'other scenario', 'not-judged', 'not-judged'],
  );
});
