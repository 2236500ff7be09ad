// Tests pairs of trials on the fake pattern: order, discarding, extension, budget. No sockets, no processes.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { comparisonExitCode } from '../../../core/comparison/comparison-result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import type { Trial } from '../../../core/result/result.ts';
import {
  pairPlan,
  pairPlanText,
  pairsWithin,
  requirePairs,
  runAb,
  type AbOptions,
} from '../../../harness/ab/ab.ts';
import type { Fleet } from '../../../harness/trial/fleet.ts';
import { prepare } from '../../../harness/run/run.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { withFake } from '../../fake/pattern.ts';

const yaml = (b: string) => `
question: Which is slower?
subscribers: 4
topics: { news: { publish: 100/s } }
phases: { connect: 0ms, warmup: 0ms, measure: 1s, drain: 1s }
variants: [{ fake: { latencies: [10ms] } }, { fake: ${b} }]
`;

async function ab(
  b: string,
  { pairs = 6, ...more }: Omit<Partial<AbOptions>, 'pairs'> & { pairs?: number | 'planned' } = {},
  candidateFleet: Fleet = fakeFleet(),
) {
  const { scenario, source } = parseScenario(yaml(b), { file: 'ab', registry: withFake, overrides: [] });
  const started: string[] = [];
  const observer = {
    trialStarted: ({ label }: { label: string }) => void started.push(label.slice(0, 1)),
    progress() {},
    trialEnded() {},
  };
  const notes: string[] = [];
  const options: AbOptions = {
    registry: withFake,
    folder: '.',
    source,
    command: 'test',
    observer,
    signal: new AbortController().signal,
    ...(pairs !== 'planned' && { pairs }),
    extend: false,
    strict: false,
    note: (text) => void notes.push(text),
    ...more,
  };
  const [first, second] = scenario.variants;
  const outcome = await runAb(
    prepare(scenario, options),
    [
      { name: 'old', variants: [first!], fleet: fakeFleet() },
      { name: 'new', variants: [second!], fleet: candidateFleet },
    ],
    options,
  );
  return { ...outcome, started, notes };
}

test('both arms take turns, the first pair is discarded, and lost deliveries are worse', async () => {
  const { baseline, candidate, comparison, started } = await ab('{ latencies: [20ms], loseEvery: 10 }');
  assert.equal(started.length, 14);
  const pairs = Array.from({ length: 7 }, (_, i) => started.slice(2 * i, 2 * i + 2).join(''));
  assert.deepEqual(new Set(pairs), new Set(['AB', 'BA']));
  assert.ok(
    pairs.every((pair, i) => i === 0 || pair !== pairs[i - 1]),
    pairs.join(' '),
  );
  const repetitions = (trials: readonly Trial[]) => trials.map(({ repetition }) => repetition);
  assert.deepEqual(
    [repetitions(baseline.trials), repetitions(candidate.trials)],
    [
      [1, 2, 3, 4, 5, 6],
      [1, 2, 3, 4, 5, 6],
    ],
  );
  assert.deepEqual([baseline.arm, candidate.arm, baseline.order?.design], ['old', 'new', 'balanced-blocks']);
  assert.equal(comparison?.verdict, 'slower');
  assert.deepEqual(
    [comparison?.baseline.name, comparison?.candidate.name, comparison?.advisory],
    ['old', 'new', []],
  );
});

test('a loaded load side voids latencies: they are not judged, and counts are', async () => {
  const loaded = async (b: string) => {
    const { comparison } = await ab(b, { pairs: 10 });
    const metric = (name: string) =>
      comparison!.variants[0]!.metrics.find((one) => one.metric === name)!.verdict;
    return {
      comparison: comparison!,
      verdicts: [metric('latency.p50'), metric('missed')],
      code: comparisonExitCode(comparison!, []),
    };
  };
  const same = await loaded('{ latencies: [10ms], loadCpu: 0.95 }');
  assert.deepEqual([same.verdicts, same.code], [['not-judged', 'not-slower'], 6]);
  assert.match(
    same.comparison.variants[0]!.why,
    /latency\.p50.*: 10 of 10 pairs lack it \(.*\): candidate: load-limited/,
  );
  assert.match(same.comparison.variants[0]!.dropped[0]!.metrics!.join(), /latency\.p50/);
  assert.equal(same.comparison.variants[0]!.counted, 10);
  const lossy = await loaded('{ latencies: [10ms], loadCpu: 0.95, loseEvery: 10 }');
  assert.deepEqual([lossy.verdicts, lossy.code], [['not-judged', 'slower'], 5]);
});

test(
  'where nothing is decided, the declared extension runs as many ' +
    'pairs again, each look at half of the level',
  async () => {
    // The candidate's trials take 8 ms and 14 ms in turns, where the baseline's take 10.
    const fleet = fakeFleet();
    let trials = 0;
    const wavering: Fleet = {
      ...fleet,
      server: () => {
        trials++;
        return fleet.server();
      },
      get injection() {
        return { delayMs: trials % 2 === 0 ? 0 : 6 };
      },
    };
    const { comparison, started, notes } = await ab(
      '{ latencies: [8ms] }',
      { pairs: 10, extend: true },
      wavering,
    );
    assert.equal(started.length, 2 * (1 + 20));
    assert.deepEqual(
      [comparison?.rule.look, comparison?.rule.alpha, comparison?.variants[0]?.given],
      [2, 0.025, 20],
    );
    assert.ok(
      notes.some((note) => /declared extension runs 10 more/.test(note)),
      notes.join('\n'),
    );
  },
);

test('as many pairs are planned as the number of tests takes, and said before the start', async () => {
  const source = yaml('{}');
  const [one, six] = [1, 6].map((variants) => pairPlan(source, variants, { extend: false }));
  assert.deepEqual([one!.pairs, one!.tests, six!.pairs, six!.tests], [16, 4, 27, 24]);
  assert.equal(
    pairPlanText(27, six!, 6),
    '27 pairs of 6 variants in 24 tests: enough to show a change even if a fifth of them is dropped and ' +
      'one more holds a stalled run.',
  );
  assert.throws(() => requirePairs(11, six!), {
    code: 'pairs',
    message: /--pairs 11 is too few: with 24 tests .* at least 12 are needed.* then 27 are run/,
  });
  requirePairs(12, six!);
  const { notes, started } = await ab('{ latencies: [11ms] }', { pairs: 'planned' });
  assert.match(notes[0]!, /^16 pairs of 1 variant in 4 tests/);
  assert.equal(started.length, 2 * (1 + 16));
  assert.match(
    (await ab('{ latencies: [11ms] }', { pairs: 10 })).notes[0]!,
    /^10 pairs .*: at least 10 are needed, and 16 would/,
  );
});

test('a budget plans fewer pairs, and refuses when they prove nothing', () => {
  const limits = { wanted: 12, least: 10 };
  assert.equal(pairsWithin(undefined, 10_000, limits), 12);
  assert.equal(pairsWithin(600_000, 10_000, limits), 12);
  assert.equal(pairsWithin(120_000, 10_000, limits), 11);
  assert.throws(() => pairsWithin(100_000, 10_000, limits), {
    code: 'budget',
    message:
      /A pair takes about 10s, so 100s is enough for 9 pairs \(the first is a warm-up\); at least 10 are needed\. Give --budget 110s/,
  });
});
