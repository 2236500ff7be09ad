// How predictions of storms and deploys are judged: each rule broken once; what is claimed and
// shown; and that every case is one that can be simulated.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { parsed, simulatedTrials, whyUnpredicted } from '../../bench/validate/simulation/predict.ts';
import { stormCases } from '../../bench/validate/simulation/storm-cases.ts';
import {
  rangesOf,
  stormErrorOf,
  stormFigures,
  stormFiguresOf,
  stormOrderOf,
  stormProblem,
  stormSummaryOf,
  verdictsOf,
  type StormFigures,
  type StormRow,
} from '../../bench/validate/simulation/storm-judge.ts';
import { stormClaims, stormMarkdown } from '../../bench/validate/simulation/storm-report.ts';
import type { Completed } from '../../core/result/result.ts';
import { completed, stored } from '../core/result/trial.ts';
import { profileOf, steadyMachine } from '../simulation/fixture.ts';
import { withCluster } from '../simulation/cluster-profile.ts';

const figures: StormFigures = {
  lastBack: 2e6,
  timeAway: 1e6,
  peakConnects: 500,
  refused: 3000,
  absences: 1000,
  connects: 1000,
  missed: 0,
  duplicated: 0,
};
/** Seeds that all say the same. */
const sure = rangesOf([figures]);

function row(measured: Partial<StormFigures>[], predicted: Partial<StormRow['predicted']> = {}): StormRow {
  return {
    story: 'the server is killed',
    clients: 'websocket, phoenix',
    subscribers: 1000,
    measured: measured.map((one) => ({ ...figures, ...one })),
    predicted: { ...sure, ...predicted },
  };
}

test('an error is a share of what was measured, with its sign; nothing has no share', () => {
  assert.equal(stormErrorOf(10, 12), 0.2);
  assert.equal(stormErrorOf(10, 8), -0.2);
  assert.equal(stormErrorOf(0, 0), 0);
  assert.equal(stormErrorOf(0, 1), Infinity);
  assert.equal(stormErrorOf(3, 0), -1);
  assert.equal(stormErrorOf(Number.NaN, 1), Infinity);
  assert.equal(stormErrorOf(1, Number.NaN), Infinity);
});

test.each([
  // 2 s were predicted: within 20 % of what was measured, and just not.
  ['lastBack', 1.67e6, true],
  ['lastBack', 1.66e6, false],
  ['lastBack', 2.5e6, true],
  ['lastBack', 2.51e6, false],
  ['timeAway', 1.26e6, false],
  ['peakConnects', 630, false],
  ['refused', 3740, true],
  ['refused', 3760, false],
  ['absences', 1010, true],
  ['absences', 1011, false],
  ['connects', 989, false],
  ['missed', 1, false],
  ['duplicated', 1, false],
] as const)('%s of %d is within its bar: %s', (figure, is, near) => {
  assert.equal(verdictsOf(row([{ [figure]: is }]), figure)[0]!.near, near);
});

test('what differs from seed to seed may lie anywhere where 95 % of the seeds do', () => {
  const wide = row([{ lastBack: 3e6 }, { lastBack: 3.1e6 }], {
    lastBack: { median: 2e6, low: 1e6, high: 3e6 },
  });
  assert.deepEqual(
    verdictsOf(wide, 'lastBack').map(({ near, inside }) => [near, inside]),
    [
      [false, true],
      [false, false],
    ],
  );
  assert.deepEqual(stormSummaryOf([wide, row([{}])], 'lastBack'), {
    median: 1 / 3,
    worst: 1 - 2 / 3.1,
    near: 1,
    inside: 2,
    either: 2,
    of: 3,
  });
});

test('the range of a hundred seeds leaves out two at each end', () => {
  const seeds = Array.from({ length: 101 }, (_, i) => ({ ...figures, lastBack: 1000 * (100 - i) }));
  assert.deepEqual(rangesOf(seeds).lastBack, { median: 50_000, low: 2000, high: 98_000 });
});

test('kinds of clients come in order where they differ in all trials', () => {
  const other = (lastBack: number[], said: number): StormRow => ({
    ...row(
      lastBack.map((us) => ({ lastBack: us })),
      { lastBack: { median: said, low: said, high: said } },
    ),
    clients: 'websocket, centrifuge',
  });
  const own = row([{}, { lastBack: 2.2e6 }]);
  assert.deepEqual(stormOrderOf([own, other([3e6, 3.5e6], 4e6)], 'lastBack'), { right: 1, of: 1 });
  assert.deepEqual(stormOrderOf([own, other([3e6, 3.5e6], 1e6)], 'lastBack'), { right: 0, of: 1 });
  // The same was predicted.
  assert.deepEqual(stormOrderOf([own, other([3e6, 3.5e6], 2e6)], 'lastBack'), { right: 0, of: 1 });
  // They overlap.
  assert.deepEqual(stormOrderOf([own, other([2.1e6, 3.5e6], 4e6)], 'lastBack'), { right: 0, of: 0 });
  // They met with something else.
  const elsewhere = { ...other([3e6, 3.5e6], 1e6), story: 'a deploy' };
  assert.deepEqual(stormOrderOf([own, elsewhere], 'lastBack'), { right: 0, of: 0 });
});

test('what is claimed says both, and fails where a trial is neither', () => {
  const find = (rows: StormRow[], text: RegExp) =>
    stormClaims(rows, 100).find((claim) => text.test(claim.text));
  const good = [row([{}, { lastBack: 2.1e6 }])];
  const both = /^time until all are back: 2 of 2 .* 20 % \(2\) or inside .* of 100 simulated seeds \(1\)/;
  assert.equal(find(good, both)?.held, true);
  const bad = [row([{}, { lastBack: 9e6, missed: 3 }])];
  assert.equal(find(bad, /^time until all are back: 1 of 2 trials/)?.held, false);
  assert.equal(find(bad, /^missed deliveries: 1 of 2 trials/)?.held, false);
  assert.equal(find(bad, /^absences: 2 of 2 trials/)?.held, true);
  // With one kind of clients there is no order.
  assert.equal(find(good, /right order/), undefined);
});

test('the tables have every trial, and mark a case with one that is off', () => {
  const text = stormMarkdown([
    row([{ lastBack: 2.1e6 }, { lastBack: 9e6 }], { lastBack: { median: 2e6, low: 1.9e6, high: 2.2e6 } }),
  ]);
  assert.match(text, /^\*\*The server is killed\*\*$/m);
  assert.match(
    text,
    /^\| websocket, phoenix, 1,000 \| 2.1 s, 9 s \/ 2 s \(1.9 s to 2.2 s\) ✗ \| 1 s \/ 1 s \| 500 \/ 500 \|/m,
  );
  assert.match(text, /^\| time until all are back \| 41 % \| 78 % \| 1 of 2 \| 1 of 2 \|$/m);
});

const away: Completed['recovery'] = {
  subscribers: 4,
  cut: {
    absences: 4,
    recovered: 4,
    tooLate: 0,
    fresh: 0,
    neverBack: 0,
    gaveUp: 0,
    downtimeUs: 1000,
    longestUs: 400,
    lastBackUs: 1_500_000,
    connected: stored(...Array.from({ length: 41 }, (_, i) => 180 + i)),
    caughtUp: stored(200),
  },
  missedAway: 15,
  connects: { tried: 12, opened: 7, refused: 5, peakPerS: 6 },
  policy: 'phoenix',
};
const killed = { kind: 'kill', did: 'killed server 1', atMs: 1000, atUs: 1_000_100 } as const;

test('figures are read alike of what was measured and of what was simulated', () => {
  assert.deepEqual(stormFiguresOf(completed({ recovery: away, faults: [killed] })), {
    lastBack: 499_900,
    timeAway: 200,
    peakConnects: 6,
    refused: 5,
    absences: 4,
    connects: 7,
    missed: 15,
    duplicated: 16,
  });
});

test('a trial with void connections, a fault that was not done, or nobody cut off says nothing', () => {
  const problem = (more: Partial<Completed>) =>
    stormProblem({
      outcome: completed({ recovery: away, faults: [killed], ...more }),
      warnings: [{ code: 'load-limited', level: 'invalid', message: 'the load was late' }],
    });
  assert.equal(problem({}), undefined);
  assert.equal(problem({ valid: false, voids: { 'load-limited': ['connections'] } }), 'the load was late');
  assert.equal(problem({ valid: false, voids: { 'publisher-late': ['latency'] } }), undefined);
  assert.match(problem({ faults: [{ ...killed, atUs: null }] })!, /not done .*: killed server 1/);
  assert.match(problem({ faults: [{ ...killed, unfinished: true }] })!, /not done/);
  const { cut: _cut, ...nobody } = away;
  assert.equal(problem({ recovery: nobody }), 'Nobody was cut off.');
  const failed = { status: 'failed', message: 'it died' } as const;
  assert.equal(stormProblem({ outcome: failed as never, warnings: [] }), 'it died'); // nothing else is read
});

const profile = {
  ...withCluster(profileOf(steadyMachine)),
  serverLife: { startUs: 300_000, stopUs: 20_000 },
};

test('every case has a name and seeds of its own, and can be simulated', () => {
  const cases = stormCases(false);
  assert.equal(new Set(cases.map(({ name }) => name)).size, cases.length);
  assert.ok(stormCases(true).length < cases.length);
  for (const one of [...cases, ...stormCases(true)]) {
    assert.equal(whyUnpredicted(profile, one.text(7)), undefined, one.name);
    assert.equal(parsed(one.text(7)).scenario.seed, 7);
  }
});

test('a case is predicted by many seeds: here all are cut off, and back, and nothing is lost', () => {
  const rangeOf = (clients: string) => {
    const one = stormCases(true).find((other) => other.clients === clients)!;
    const trials = simulatedTrials(profile, one.text(1), [1, 2, 3]);
    return rangesOf(
      trials.map(({ outcome }) => stormFiguresOf(outcome as Completed)), // simulations do not fail
    );
  };
  const { absences, lastBack, missed } = rangeOf('websocket, phoenix');
  assert.deepEqual([absences.low, absences.high, missed.high], [200, 200, 0]);
  assert.ok(lastBack.median > 10_000, 'its wait of 10 ms is over first');
  assert.equal(stormFigures.length, 8);
});
