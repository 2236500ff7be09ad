// Which runs count, and how those that do not are told: by number, side, reason and metric.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { droppedOf, figuresFor, sift, type Subject } from '../../../core/comparison/counted-runs.ts';
import type { Gate } from '../../../core/comparison/gate.ts';
import { judge } from '../../../core/comparison/judge.ts';
import type { Reading } from '../../../core/comparison/reading.ts';
import { paired, reading } from './readings.ts';

const missed: Gate = { kind: 'loss', metric: 'missed' };
const requests: Gate = { kind: 'exact', metric: 'requests-per-delivery', tolerance: 0.05 };
const good = reading({ missed: 0, delivered: 100, 'requests-per-delivery': 1 });
const bad = (...why: string[]) => reading({}, { valid: false, why });
const without = (why: string) => reading({ delivered: 100 }, { absent: { missed: why } });

/** Pairs whose candidates are these, and as many good ones as make ten. */
const tenOf = (...candidates: Reading[]) =>
  paired(Array.from({ length: 10 }, (_, i) => ({ baseline: good, candidate: candidates[i] ?? good })));
const heaps = (baselineRuns: Reading[], candidateRuns: Reading[]): Subject => ({
  baseline: 'sse',
  candidate: 'sse',
  paired: false,
  baselineRuns,
  candidateRuns,
});

describe('what was dropped', () => {
  test('is told with the reasons of both sides, or that there is none', () => {
    assert.deepEqual(sift(tenOf(bad())).dropped, [{ run: 1, why: 'candidate: does not count' }]);
    const both = { baseline: bad('a', 'b'), candidate: bad('c') };
    assert.equal(sift(paired([both])).dropped[0]!.why, 'baseline: a, b; candidate: c');
  });

  test('lists three reasons, and counts the others', () => {
    const why = (...reasons: string[]) => sift(tenOf(...reasons.map((one) => bad(one)))).why;
    const start = 'of 10 pairs do not count (at most 20 % may be dropped): candidate: a';
    assert.equal(why('a', 'a', 'a'), `3 ${start}`);
    assert.equal(why('a', 'b', 'c'), `3 ${start}; candidate: b; candidate: c`);
    assert.equal(why('a', 'b', 'c', 'd'), `4 ${start}; candidate: b; candidate: c; and 1 other reason`);
    assert.match(why('a', 'b', 'c', 'd', 'e')!, /; candidate: c; and 2 other reasons$/);
  });

  test('of two heaps are runs, the baseline first', () => {
    assert.equal(sift(heaps([], [])).why, 'there are no runs');
    const some = sift(heaps([good, good, good, good, good], [bad('late'), good]));
    assert.deepEqual([some.dropped, some.why], [[{ run: 6, why: 'candidate: late' }], undefined]);
    assert.match(sift(heaps([good], [bad('late')])).why!, /^1 of 2 runs do not count/);
  });

  test('of single metrics is in the order of the runs, those of one reason together', () => {
    const dropped = droppedOf(sift(tenOf()), [
      { metric: 'a', lost: [5, 7].map((run) => ({ run, why: 'x' })) },
      {
        metric: 'b',
        lost: [
          { run: 2, why: 'x' },
          { run: 5, why: 'x' },
          { run: 7, why: 'y' },
        ],
      },
    ]);
    assert.deepEqual(dropped, [
      { run: 2, why: 'x', metrics: ['b'] },
      { run: 5, why: 'x', metrics: ['a', 'b'] },
      { run: 7, why: 'x', metrics: ['a'] },
      { run: 7, why: 'y', metrics: ['b'] },
    ]);
  });
});

describe('nothing was delivered', () => {
  const silent = reading({ missed: 100, delivered: 0 });
  test('only where no run of either side delivered anything', () => {
    assert.equal(
      sift(paired([{ baseline: silent, candidate: silent }])).why,
      'nothing was delivered on either side',
    );
    assert.equal(sift(paired([{ baseline: good, candidate: silent }])).why, undefined);
    const one = { baseline: silent, candidate: silent };
    assert.equal(sift(paired([one, { baseline: good, candidate: good }])).why, undefined);
  });
});

describe('the figures of a metric', () => {
  const lackingOf = (subject: Subject) => {
    const figures = figuresFor('missed', sift(subject), false);
    return figures.kind === 'lacking' ? figures.why : figures.kind;
  };
  test('lack where whole pairs and single figures together are more than a fifth', () => {
    assert.equal(lackingOf(tenOf(bad('late'), without('x'))), 'figures');
    assert.equal(
      lackingOf(tenOf(bad('late'), without('x'), without('x'))),
      '3 of 10 pairs lack it (at most 20 % may be dropped): candidate: late; candidate: x',
    );
  });
  test('lack where one heap has none, however few runs that is', () => {
    const ten = Array.from({ length: 10 }, () => good);
    assert.equal(
      lackingOf(heaps(ten, [without('first'), without('second')])),
      'no run of the candidate has a figure: candidate: first',
    );
  });
  test('that are void on both sides are asked for and not judged', () => {
    const late = reading(
      { missed: 0, delivered: 100 },
      { voided: { 'requests-per-delivery': ['load-limited'] } },
    );
    const pairs = Array.from({ length: 10 }, () => ({ baseline: late, candidate: late }));
    const { verdict, variants } = judge([paired(pairs)], [requests, missed]);
    assert.deepEqual(
      [verdict, ...variants[0]!.metrics.map((one) => one.verdict)],
      ['not-judged', 'not-judged', 'not-slower'],
    );
  });
});
