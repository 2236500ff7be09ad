// How predictions are judged: errors, bars, intervals of repeats, the order of patterns, and what is claimed.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { betweenOf, figuresOf, type Figures } from '../../bench/validate/simulation/figures.ts';
import { grid, leastEvents } from '../../bench/validate/simulation/grid.ts';
import {
  coverageOf,
  errorOf,
  isWithin,
  orderOf,
  summaryOf,
  type Row,
} from '../../bench/validate/simulation/judge.ts';
import { claimsOf, markdownOf } from '../../bench/validate/simulation/report.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { calibrated, full, planPoints, quick } from '../../harness/calibrate/points.ts';
import { completed, processUse, stored } from '../core/result/trial.ts';

const figures: Figures = {
  requests: 0,
  deliveries: 1000,
  missed: 0,
  bytes: 300_000,
  descriptors: 100,
  serverCpu: 0.2,
  besideCpu: 0,
  p50: 1000,
  p99: 4000,
};

function row(more: Partial<Figures> = {}, rest: Partial<Row> = {}): Row {
  const off = { ...figures, p50: 2000, p99: 8000, serverCpu: 0.4 };
  return {
    pattern: 'sse',
    subscribers: 100,
    perS: 10,
    events: 500,
    measured: figures,
    between: { p50: { lowUs: 950, highUs: 1050 }, p99: { lowUs: 3000, highUs: 6000 } },
    predicted: { simulated: { ...figures, ...more }, nearest: off, plane: off },
    stated: { serverCpu: null, p50: 0.1, p99: 0.2 },
    ...rest,
  };
}

test('an error is a share of what was measured, with its sign', () => {
  assert.equal(errorOf(row({ p50: 1100 }), 'p50', 'simulated'), 0.1);
  assert.equal(errorOf(row({ p50: 900 }), 'p50', 'simulated'), -0.1);
  assert.equal(errorOf(row(), 'requests', 'simulated'), 0);
  assert.equal(errorOf(row({ requests: 1 }), 'requests', 'simulated'), Infinity);
  assert.equal(errorOf(row({ p50: Number.NaN }), 'p50', 'simulated'), Infinity);
});

test.each([
  // Within 15 % of 1000 us.
  [{ p50: 1149 }, 'p50', true],
  [{ p50: 1151 }, 'p50', false],
  // Not within 30 % of 4000 us, but inside the repeats' interval.
  [{ p99: 5900 }, 'p99', true],
  [{ p99: 6100 }, 'p99', false],
  [{ serverCpu: 0.219 }, 'serverCpu', true],
  [{ serverCpu: 0.221 }, 'serverCpu', false],
  // Counts have no interval.
  [{ bytes: 302_900 }, 'bytes', true],
  [{ bytes: 303_100 }, 'bytes', false],
] as const)('%j of %s is within its bar: %s', (more, figure, within) => {
  assert.equal(isWithin(row(more), figure), within);
});

test('long polling has wider bars, and polling a narrow one for its latency', () => {
  assert.ok(isWithin(row({ serverCpu: 0.229 }, { pattern: 'long-polling' }), 'serverCpu'));
  const between = { p50: undefined, p99: undefined };
  assert.ok(!isWithin(row({ p50: 1011 }, { pattern: 'polling', between }), 'p50'));
  assert.ok(isWithin(row({ p50: 1009 }, { pattern: 'polling', between }), 'p50'));
});

test('a server near its end is held to nothing', () => {
  const nearlyFull = row({ p50: 9000 }, { measured: { ...figures, serverCpu: 0.85 } });
  assert.equal(summaryOf([nearlyFull], 'p50', 'simulated'), undefined);
  assert.deepEqual(summaryOf([nearlyFull, row({ p50: 1100 }), row({ p50: 1300 })], 'p50', 'simulated'), {
    median: 0.2,
    worst: 0.3,
    within: 1,
    of: 2,
  });
});

test('it is counted how often a measured figure lies within what was stated beside the simulated one', () => {
  // 1000 us were measured; 10 % of what was predicted is more than what it is off by, or less.
  const rows = [row({ p50: 1100 }), row({ p50: 900 }), row({ p50: 950 })];
  assert.deepEqual(coverageOf(rows, 'p50'), { stated: 0.1, within: 2, of: 3 });
  assert.equal(coverageOf(rows, 'serverCpu'), undefined, 'nothing was stated');
  assert.equal(coverageOf([row({ p50: Number.NaN })], 'p50'), undefined, 'saturated');
  const full_ = row({}, { measured: { ...figures, serverCpu: 0.85 } });
  assert.equal(coverageOf([full_], 'p50'), undefined, 'near its end');
  assert.match(markdownOf(rows), /^\| p50 \| ±10 % \| 2 of 3 \|$/m);
  assert.doesNotMatch(markdownOf(rows), /^\| server CPU \| ±/m);
});

test('patterns come in order where their medians differ for sure', () => {
  const slow = (p50: number, lowUs: number): Row =>
    row(
      { p50 },
      {
        pattern: 'long-polling',
        measured: { ...figures, p50: lowUs + 50 },
        between: { p50: { lowUs, highUs: lowUs + 100 }, p99: undefined },
      },
    );
  assert.deepEqual(orderOf([row(), slow(2000, 1500)], 'simulated'), { right: 1, of: 1 });
  assert.deepEqual(orderOf([row(), slow(900, 1500)], 'simulated'), { right: 0, of: 1 });
  // They overlap.
  assert.deepEqual(orderOf([row(), slow(900, 1040)], 'simulated'), { right: 0, of: 0 });
  // Elsewhere.
  assert.deepEqual(orderOf([row(), { ...slow(900, 1500), perS: 20 }], 'simulated'), { right: 0, of: 0 });
});

test('what is claimed holds or fails by its bar, and the rivals have to be beaten', () => {
  const good = claimsOf([row({ p50: 1050 }), row({ p50: 1080 }, { pattern: 'polling' })]);
  const find = (claims: typeof good, text: RegExp) => claims.find((claim) => text.test(claim.text));
  assert.equal(find(good, /^p50: the simulation's median error of 5 % is below .*100 %/)?.held, true);
  assert.equal(find(good, /^polling's p50: 0 of 1 points within 1 %/)?.held, false);
  assert.equal(find(good, /^p50 of streams and long polling: 1 of 1 points within 15 %/)?.held, true);
  assert.equal(find(good, /^median error of p50 .*: 5 % \(at most 10 %\)/)?.held, true);
  const bad = claimsOf([row({ p50: 3000, serverCpu: 0.4 })]);
  assert.equal(find(bad, /^p50: the simulation's/)?.held, false);
  // As good as a rival is not better.
  assert.equal(find(bad, /^server CPU: the simulation's/)?.held, false);
  assert.equal(find(bad, /^median error of p50/)?.held, false);
});

test('the tables have every point, and mark what is outside of its bar', () => {
  const text = markdownOf([row({ p50: 3000 }), row({ p50: Number.NaN }, { subscribers: 200 })]);
  assert.match(text, /^\| sse \| p50 \| no figure \/ no figure \| 100 % \/ 100 % \| 100 % \/ 100 % \|$/m);
  assert.match(text, /^\| sse \| 100 \| 10 \| 500 \| 1 ms \(950 µs to 1.05 ms\) \| 3 ms \(\+200 %\) ✗ \|/m);
  assert.match(text, /^\| sse \| 200 \|.*\| saturated \|/m);
});

test('figures are read alike of what was measured and of what was simulated', () => {
  const trial = completed({
    measuredUs: 10e6,
    latency: { ...completed().latency, endToEnd: stored(100, 200, 300, 400) },
    processes: [
      processUse('server', { cpuUs: 1.5e6 }),
      processUse('server', { cpuUs: 1.5e6 }),
      processUse('broker', { cpuUs: 4e6 }),
      processUse('in-front', { cpuUs: 1e6 }),
      processUse('load', { cpuUs: 9e6 }),
    ],
    precision: {
      mostReceivers: 4,
      endToEnd: {
        shownUpTo: 0.5,
        at: [
          { quantile: 0.5, lowUs: 150, highUs: 250, beyond: 12 },
          { quantile: 0.99, lowUs: 350, highUs: null, beyond: 3 },
        ],
      },
      acceptToReceipt: { shownUpTo: 0, at: [] },
    },
  });
  assert.deepEqual(figuresOf([trial]), {
    requests: 5,
    deliveries: 1.4,
    missed: 15 / 13,
    bytes: 500,
    descriptors: 4,
    serverCpu: 0.3,
    besideCpu: 0.5,
    p50: 200,
    p99: 400,
  });
  assert.deepEqual(betweenOf([trial], 0.5), { lowUs: 150, highUs: 250 });
  assert.deepEqual(betweenOf([trial], 0.99), { lowUs: 350, highUs: Infinity });
  assert.equal(betweenOf([trial], 0.9), undefined);
});

test('the grid has no point of a calibration, 500 events a point and two trials', () => {
  const all = grid(patterns, false);
  const place = ({ pattern, subscribers, perS }: (typeof all)[number]) => `${pattern} ${subscribers} ${perS}`;
  const seen = new Set(
    [quick, full].flatMap((extent) => planPoints(calibrated(patterns), patterns, extent)).map(place),
  );
  assert.deepEqual(
    all.filter((point) => seen.has(place(point))),
    [],
  );
  for (const same of Map.groupBy(all, place).values()) {
    assert.equal(same.length, 2);
    const events = same.reduce((sum, { perS, measureMs }) => sum + (perS * measureMs) / 1000, 0);
    assert.ok(events >= leastEvents, place(same[0]!));
  }
});
