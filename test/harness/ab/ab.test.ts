// Tests pairs of trials on the fake pattern: order, discarding, extension, budget. No sockets, no processes.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import type { Trial } from '../../../core/result/result.ts';
import { pairsWithin, runAb, type AbOptions } from '../../../harness/ab/ab.ts';
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

async function ab(b: string, more: Partial<AbOptions> = {}) {
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
    pairs: 6,
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
      { name: 'new', variants: [second!], fleet: fakeFleet() },
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

test('a candidate whose trials do not count makes the comparison invalid', async () => {
  const { comparison } = await ab('{ latencies: [10ms], loadCpu: 0.95 }', { pairs: 2 });
  assert.equal(comparison?.verdict, 'invalid');
  assert.deepEqual(
    comparison?.variants[0]?.dropped.map(({ why }) => why),
    ['candidate: load-limited', 'candidate: load-limited'],
  );
});

test(
  'where nothing is decided, the declared extension runs as many ' +
    'pairs again, each look at half of the level',
  async () => {
    const { comparison, started, notes } = await ab('{ latencies: [10ms, 10ms] }', {
      pairs: 2,
      extend: true,
    });
    assert.equal(started.length, 2 * (1 + 4));
    assert.deepEqual(
      [comparison?.rule.look, comparison?.rule.alpha, comparison?.variants[0]?.given],
      [2, 0.025, 4],
    );
    assert.ok(
      notes.some((note) => /declared extension runs 2 more/.test(note)),
      notes.join('\n'),
    );
  },
);

test('a budget plans fewer pairs, and refuses when they prove nothing', () => {
  assert.equal(pairsWithin(undefined, 10_000, 12), 12);
  assert.equal(pairsWithin(600_000, 10_000, 12), 12);
  assert.equal(pairsWithin(120_000, 10_000, 12), 11);
  assert.throws(() => pairsWithin(100_000, 10_000, 12), {
    code: 'budget',
    message:
      /A pair takes about 10s, so 100s hold 9 pairs besides the first.* it takes 10\. Give --budget 110s/,
  });
});
