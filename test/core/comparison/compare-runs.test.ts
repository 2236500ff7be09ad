// Two sides become a comparison: what is held against what, what was different, and
// whether timings prove anything.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { compare, pairsInTime } from '../../../core/comparison/compare-runs.ts';
import { comparisonSchema } from '../../../core/comparison/comparison-result.ts';
import { UserError } from '../../../core/base/errors.ts';
import type { Reading } from '../../../core/comparison/reading.ts';
import { readingOf } from '../../../core/comparison/reading.ts';
import { runSetOf, type RunSet } from '../../../core/comparison/run-set.ts';
import { renderComparisonMarkdown } from '../../../reports/comparison/markdown.ts';
import { renderComparison } from '../../../reports/comparison/terminal.ts';
import { fixtureResult } from '../../reports/fixture.ts';
import { reading } from './readings.ts';
import { completed, stored, trialOf } from '../result/trial.ts';

const createdAt = new Date(0);
const source = 'question: What?\nsubscribers: 5\ntopics: { news: { publish: 20/s } }\nseed: 1\n';
const at = (second: number, value = 1000): Reading =>
  reading({ 'latency.p50': value }, { startedAt: new Date(second * 1000).toISOString() });

function side(
  runs: Reading[],
  more: Partial<Pick<RunSet, 'scenario'>> & { environment?: Partial<RunSet['environment']> } = {},
): RunSet {
  return {
    name: 'main',
    createdAt: '2026-01-02T10:00:00.000Z',
    pushbench: '0.1.0',
    scenario: more.scenario ?? { name: 'x', seed: 1, source },
    environment: {
      os: 'Linux',
      kernel: '6.1',
      cpu: 'A',
      cores: 4,
      memoryBytes: 1e9,
      node: 'v26',
      descriptorLimit: 1024,
      commit: 'abc',
      ...more.environment,
    },
    variants: [{ label: 'sse', runs }],
  };
}

const codes = (a: RunSet, b: RunSet) => compare(a, b, { createdAt }).advisory.map(({ code }) => code);

test('runs that took turns are paired in time; others are advice', () => {
  const turns = [side([at(0), at(3), at(4)]), side([at(1), at(2), at(5)])] as const; // AB BA AB
  const comparison = compare(...turns, { createdAt });
  assert.deepEqual(comparison.advisory, []);
  assert.equal(comparison.variants[0]!.paired, true);
  assert.deepEqual(comparisonSchema.parse(JSON.parse(JSON.stringify(comparison))), comparison);
  assert.deepEqual(codes(side([at(0), at(1), at(2)]), side([at(3), at(4), at(5)])), ['not-interleaved']);
  assert.deepEqual(codes(side([at(0), at(2), at(4)]), side([at(1), at(3), at(5)])), ['unbalanced']);
  assert.deepEqual(codes(side([at(0), at(3)]), side([at(1)])), ['single']);
  assert.equal(compare(side([at(0), at(1)]), side([at(2), at(3)]), { createdAt }).variants[0]!.paired, false);
});

test('cells of one variant are called by what sets them apart, and the variant is told once', () => {
  const cells = (variant: string): RunSet => ({
    ...side([]),
    variants: ['0s', '5s'].map((window) => ({ label: `${variant}, window=${window}`, runs: [at(0)] })),
  });
  const same = compare(cells('websocket'), cells('websocket'), { createdAt });
  assert.equal(same.variant, 'websocket');
  assert.deepEqual(
    same.variants.map(({ baseline, called }) => [baseline, called?.baseline, called?.candidate]),
    ['0s', '5s'].map((one) => [`websocket, window=${one}`, `window=${one}`, `window=${one}`]),
  );
  assert.match(renderComparison(same, { columns: 200, color: false }), /^window=0s: /m);
  assert.match(renderComparisonMarkdown(same), /- All rows are of one variant, websocket\./);
  assert.deepEqual(comparisonSchema.parse(JSON.parse(JSON.stringify(same))), same);
  // Where one is held against another, both are named.
  const labels = ['0s', '5s'].map((one): [string, string] => [
    `sse, window=${one}`,
    `websocket, window=${one}`,
  ]);
  const apart = compare(cells('sse'), cells('websocket'), { createdAt, labels });
  assert.equal(apart.variant, undefined);
  assert.deepEqual(
    apart.variants.map(({ called }) => called),
    [undefined, undefined],
  );
});

test('to sides of one run it says how many pairs ab would run, by what is tested', () => {
  const advised = (gate: string) => {
    const scenario = { name: 'x', seed: 1, source: `${source}${gate}` };
    return compare(side([at(0)], { scenario }), side([at(1)], { scenario }), { createdAt }).advisory[0]!;
  };
  assert.equal(advised('').code, 'single');
  assert.match(advised('').message, /pushbench ab runs both sides alternately, here in 16 pairs$/);
  const one = 'gate: { latency.p90: off, latency.p99: off, server-cpu-per-delivery: off }\n';
  assert.match(advised(one).message, / here in 1[2-5] pairs$/, 'one test takes fewer than four');
});

test('balanced blocks, whatever their order, are found again as the pairs that they were', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 2, maxLength: 30 }), fc.integer(), (flips, seed) => {
      const pairs = flips.map((flip, i) => ({
        baseline: at(10 * i + (flip ? 1 : 0), i),
        candidate: at(10 * i + (flip ? 0 : 1), i),
      }));
      const shuffled = (runs: Reading[]) =>
        runs
          .map((run, i) => ({ run, key: Math.imul(i + 1, seed | 1) }))
          .sort((a, b) => a.key - b.key)
          .map(({ run }) => run);
      const found = pairsInTime(
        shuffled(pairs.map(({ baseline }) => baseline)),
        shuffled(pairs.map(({ candidate }) => candidate)),
      );
      assert.deepEqual(found?.pairs, pairs);
    }),
  );
});

test(
  'what differs is named; another machine or scenario spoils the ' +
    'comparison, another commit is its subject',
  () => {
    const [a, b] = [side([at(0), at(3)]), side([at(1), at(2)])];
    const commit = compare(a, { ...b, environment: { ...b.environment, commit: 'def' } }, { createdAt });
    assert.deepEqual(
      [commit.differences, commit.advisory],
      [[{ what: 'commit', baseline: 'abc', candidate: 'def' }], []],
    );
    const other = compare(
      a,
      { ...b, environment: { ...b.environment, cpu: 'B', kernel: '6.2' } },
      { createdAt },
    );
    assert.deepEqual(
      other.differences.map(({ what }) => what),
      ['cpu', 'kernel'],
    );
    assert.match(other.advisory[0]!.message, /different machines \(cpu, kernel\)/);
    const held = { ...b.environment, quotaCores: 0.3, memoryLimitBytes: 5e8 };
    const contained = compare(a, { ...b, environment: held }, { createdAt });
    assert.deepEqual(contained.differences, [
      { what: 'cores', baseline: '4 cores', candidate: '0.3 of 4 cores by quota' },
      { what: 'memory', baseline: '954 MiB', candidate: '477 MiB of 954 MiB by limit' },
    ]);
    assert.match(contained.advisory[0]!.message, /different machines \(cores, memory\), so timings prove/);
    const more = side([at(1), at(2)], {
      scenario: { name: 'x', seed: 1, source: source.replace('subscribers: 5', 'subscribers: 6') },
    });
    assert.deepEqual(compare(a, more, { createdAt }).differences, [
      { what: 'scenario subscribers', baseline: '5', candidate: '6' },
    ]);
    assert.deepEqual(codes(a, more), ['scenario']);
    assert.deepEqual(
      compare(a, more, { createdAt }).variants.map(({ verdict, why }) => [verdict, why]),
      [
        [
          'not-judged',
          'the sides ran different scenarios (scenario subscribers), so they cannot be compared',
        ],
      ],
    );
    // What is only shown of a trial makes it no other one.
    for (const shown of ['answer: [missed]', 'curves: [missed]', 'axis: x', 'notice: [a]', 'closedLoop: {}'])
      assert.deepEqual(
        codes(a, side([at(1), at(2)], { scenario: { name: 'x', seed: 1, source: `${source}${shown}\n` } })),
        [],
        shown,
      );
    const sameTrial = side([at(1), at(2)], {
      scenario: { name: 'x', seed: 1, source: `${source}expect: [missed == 0]\nrepeat: 12\n# a comment\n` },
    });
    assert.deepEqual(codes(a, sameTrial), []);
  },
);

test('variants that only one side has are named; different labels can be held against each other', () => {
  const [a, b] = [side([at(0), at(3)]), side([at(1), at(2)])];
  const renamed = { ...b, name: 'new', variants: [{ label: 'sse @new', runs: b.variants[0]!.runs }] };
  const apart = compare(a, renamed, { createdAt });
  assert.deepEqual(apart.unmatched, { baseline: ['sse'], candidate: ['sse @new'] });
  assert.deepEqual(
    [apart.verdict, ...apart.variants.map(({ verdict, why }) => [verdict, why])],
    ['not-judged', ['not-judged', 'new has no runs of it']],
  );
  const together = compare(a, renamed, { createdAt, labels: [['sse', 'sse @new']] });
  assert.deepEqual(together.unmatched, { baseline: [], candidate: [] });
  assert.deepEqual(
    together.variants.map(({ baseline, candidate }) => [baseline, candidate]),
    [['sse', 'sse @new']],
  );
});

test('a side is one scenario on one machine', () => {
  const first = fixtureResult();
  const set = runSetOf('main', [first, fixtureResult()]);
  assert.deepEqual(set.variants.map(({ label, runs }) => [label, runs.length]).slice(0, 2), [
    ['polling', 2],
    ['long-polling', 2],
  ]);
  const rows: [ReturnType<typeof fixtureResult>, RegExp][] = [
    [fixtureResult({ measureS: 10 }), /main holds results of several scenarios/],
    [
      { ...first, environment: { ...first.environment, cpu: 'Other' } },
      /main holds results of several machines/,
    ],
    [
      { ...first, environment: { ...first.environment, quotaCores: 0.3 } },
      /main holds results of several machines/,
    ],
  ];
  for (const [second, message] of rows)
    assert.throws(
      () => runSetOf('main', [first, second]),
      (error) => error instanceof UserError && message.test(error.message),
    );
});

test('a comparison takes 25 events beyond a tail', () => {
  const of = (beyond: number) => {
    const at = [0.5, 0.99].map((quantile) => ({ quantile, lowUs: 1, highUs: 2000, beyond }));
    const sure = { shownUpTo: 0.99, at };
    return trialOf(
      'sse',
      completed({ precision: { mostReceivers: 9, endToEnd: sure, acceptToReceipt: sure } }),
    );
  };
  const names = ['latency.p50', 'latency.p99'];
  assert.deepEqual(readingOf(of(25), names).values, { 'latency.p50': 500, 'latency.p99': 990 });
  assert.deepEqual(readingOf(of(24), names).values, { 'latency.p50': 500 });
  const why = '24 events beyond it; a comparison needs 25';
  assert.deepEqual(readingOf(of(24), names).absent, { 'latency.p99': why });
});

test('of an older result a percentile is read only where 100 samples lie above it', () => {
  const trial = (count: number) =>
    trialOf(
      'sse',
      completed({
        latency: { ...completed().latency, endToEnd: stored(...Array.from({ length: count }, () => 5)) },
      }),
    );
  const read = (count: number) =>
    Object.keys(readingOf(trial(count), ['latency.p50', 'latency.p90', 'latency.p99', 'missed']).values);
  assert.deepEqual(read(199), ['missed']);
  assert.deepEqual(read(200), ['latency.p50', 'missed']);
  assert.deepEqual(read(1000), ['latency.p50', 'latency.p90', 'missed']);
  assert.deepEqual(read(10_000), ['latency.p50', 'latency.p90', 'latency.p99', 'missed']);
  const { absent } = readingOf(trial(199), ['latency.p99']);
  assert.equal(absent['latency.p99'], '199 samples; 10,000 are needed');
  const failed = readingOf(
    trialOf('sse', { status: 'failed', valid: false, code: 'server-died', message: '' }),
    ['missed'],
  );
  assert.deepEqual([failed.valid, failed.why], [false, ['server-died']]);
});

test('subscribers of one side held more connections: it is said, as their descriptors are not alike', () => {
  const holding = (connections: number | undefined) =>
    side([
      reading(
        {
          'descriptors-per-subscriber': connections ?? 1,
          ...(connections !== undefined && { 'connections-per-subscriber': connections }),
        },
        { startedAt: createdAt.toISOString() },
      ),
    ]);
  const said = (from: number | undefined, to: number | undefined) =>
    compare(holding(from), holding(to), { createdAt }).differences;
  assert.deepEqual(said(1, 2), [
    { what: 'connections of a subscriber over sse, each with its descriptor', baseline: '1', candidate: '2' },
  ]);
  assert.deepEqual(said(1, 1.04), []);
  assert.equal(said(1, 1.06).length, 1);
  assert.equal(said(2, 1).length, 1);
  assert.deepEqual([said(undefined, 2), said(1, undefined)], [[], []], 'an earlier version does not say');
});
