// A matrix in the report: a curve a metric, a line a variant, and where lines cross.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { curveHeadline, curveSentence, curvesOf } from '../../../reports/summary/curve-data.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { completed } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

/** Polling costs 100 us a delivery divided by the rate, SSE 10 always: they cross at 10 a second. */
function matrixResult({ invalid = false } = {}): Result {
  const whole = fixtureResult();
  const trials = ['1/s', '100/s'].flatMap((rate) =>
    ['polling', 'sse'].map((pattern) => {
      const trial = whole.trials.find(({ variant }) => variant.pattern === pattern)!;
      const measuredDeliveries = 1000;
      const each = pattern === 'sse' ? 10 : 100 / Number.parseInt(rate, 10);
      const processes = completed().processes.map((one) => ({
        ...one,
        cpuUs: one.role === 'server' ? each * measuredDeliveries : one.cpuUs,
      }));
      const counts = !(invalid && pattern === 'sse' && rate === '1/s');
      return {
        ...trial,
        variant: { ...trial.variant, label: `${pattern}, publish=${rate}` },
        cell: {
          variant: pattern,
          parameters: { 'topics.news.publish': rate },
          subscribers: 100,
          events: 10,
          deliveries: 1000,
        },
        outcome: { ...completed({ measuredDeliveries, processes }), valid: counts },
      };
    }),
  );
  return {
    ...whole,
    trials,
    expectations: [],
    scenario: { ...whole.scenario, curves: ['server-cpu-per-delivery', 'latency.p99'] },
  };
}

test(
  'a curve has a line for each variant and a point for each cell; ' +
    'a percentile without its samples is none',
  () => {
    const curves = curvesOf(variantsOf([matrixResult()]));
    assert.deepEqual(
      curves.map(({ name, parameter, lines, points }) => ({
        name,
        parameter,
        lines: lines.map(({ label }) => label),
        points,
      })),
      [
        {
          name: 'server-cpu-per-delivery',
          parameter: 'publish',
          lines: ['polling', 'sse'],
          points: [
            ['polling', 1, 100],
            ['sse', 1, 10],
            ['polling', 100, 1],
            ['sse', 100, 10],
          ].map(([variant, x, value]) => ({ variant, x, value, low: value, high: value })),
        },
      ],
    );
  },
);

test('a trial that does not count is no point, and is said to be left out', () => {
  const [curve] = curvesOf(variantsOf([matrixResult({ invalid: true })]));
  assert.equal(curve!.points.length, 3);
  assert.equal(curve!.leftOut, 1);
});

test('the headline names the crossing and its place', () => {
  assert.equal(
    curveHeadline(variantsOf([matrixResult()])),
    'Below about 10/s (publish), sse costs less server CPU per delivery than polling; above, more ' +
      '(interpolated between 1/s and 100/s).',
  );
  assert.equal(curveHeadline(variantsOf([fixtureResult()])), undefined);
});

test('a crossing above a third line, which stays the lowest, is no answer', () => {
  const [curve] = curvesOf(variantsOf([matrixResult()]));
  const third = [
    { x: 1, value: 0.1 },
    { x: 100, value: 0.1 },
  ].map((point) => ({ variant: 'websocket', low: point.value, high: point.value, ...point }));
  assert.match(
    curveSentence({ ...curve!, points: [...curve!.points, ...third] }),
    /\(websocket\) to .* \(polling\) at publish = 1\/s; .*\(websocket\) to .* \(sse\) at publish = 100\/s$/,
  );
});

test('an axis that the scenario names is scaled, and read as it says', async () => {
  const result = matrixResult();
  const axis = { says: 'updates a minute', times: 60, perSubscriber: false };
  const named = { ...result, scenario: { ...result.scenario, axis } };
  assert.equal(
    curveHeadline(variantsOf([named])),
    'Below about 600 updates a minute, sse costs less server CPU per delivery than polling; above, more ' +
      '(interpolated between 60 and 6,000).',
  );
  assert.match(
    await renderHtml([named], { interactive: false }),
    /<th scope="col">60 updates a minute<\/th>/,
  );
  const each = { ...result, scenario: { ...result.scenario, axis: { ...axis, perSubscriber: true } } };
  assert.match(
    curveHeadline(variantsOf([each]))!,
    /^Below about 6 updates a minute, sse costs less .* \(interpolated between 0\.6 and 60\)\.$/,
    'of 100 subscribers',
  );
});

test('lines that end alike are one figure, and all that share an end are named', () => {
  const result = matrixResult();
  const at = (each: Record<string, number>) => ({
    ...result,
    scenario: { ...result.scenario, curves: ['descriptors.added'] },
    trials: result.trials.map((trial) => {
      const base = completed();
      const added = each[`${trial.cell!.variant} ${trial.cell!.parameters['topics.news.publish']}`]!;
      return {
        ...trial,
        outcome: { ...base, descriptors: { ...base.descriptors!, baseline: 0, connected: added } },
      };
    }),
  });
  const sentence = (each: Record<string, number>) => curveHeadline(variantsOf([at(each)]))!;
  assert.match(
    sentence({ 'polling 1/s': 7, 'sse 1/s': 7, 'polling 100/s': 3, 'sse 100/s': 9 }),
    /: 7 at publish = 1\/s; 3 \(polling\) to 9 \(sse\) at publish = 100\/s\.$/,
  );
});

test('several trials of a cell are their median, and the lowest and the highest beside it', async () => {
  const once = matrixResult();
  const costing = (factor: number, repetition: number) =>
    once.trials.map((trial) => {
      const { outcome } = trial;
      if (outcome.status !== 'completed') return trial;
      return {
        ...trial,
        repetition,
        outcome: {
          ...outcome,
          processes: outcome.processes.map((one) => ({ ...one, cpuUs: one.cpuUs * factor })),
        },
      };
    });
  const result = { ...once, trials: [...costing(1, 1), ...costing(3, 2), ...costing(2, 3)] };
  const [curve] = curvesOf(variantsOf([result]));
  assert.deepEqual(curve!.points[0], { variant: 'polling', x: 1, value: 200, low: 100, high: 300 });
  const page = await renderHtml([result], { interactive: false });
  assert.match(page, /<th scope="row">sse<\/th><td>20 µs \(10 to 30 µs\)<\/td>/);
  assert.match(page, /Each point is the median of its trials/);
});

test('a crossing is stated where the chart draws it, on linear axes too, and has a ring there', async () => {
  // From 2/s to 8/s, both axes linear: polling falls from 50 to 25 us, SSE rises from 20 to 40. Half-way the
  // lines are at 37.5 and 30, and they meet 2/3 of the way: at 6/s.
  const costs: Record<string, number> = {
    'polling 2/s': 50,
    'sse 2/s': 20,
    'polling 8/s': 25,
    'sse 8/s': 40,
  };
  const whole = matrixResult();
  const result = {
    ...whole,
    trials: whole.trials.map((trial) => {
      const { cell, outcome } = trial;
      const rate = cell!.parameters['topics.news.publish'] === '1/s' ? '2/s' : '8/s';
      assert.ok(cell && outcome.status === 'completed');
      const cpuUs = costs[`${cell.variant} ${rate}`]! * outcome.measuredDeliveries;
      return {
        ...trial,
        variant: { ...trial.variant, label: `${cell.variant}, publish=${rate}` },
        cell: { ...cell, parameters: { 'topics.news.publish': rate } },
        outcome: { ...outcome, processes: outcome.processes.map((one) => ({ ...one, cpuUs })) },
      };
    }),
  };
  const [curve] = curvesOf(variantsOf([result]));
  assert.deepEqual(curve!.scales, { x: 'linear', y: 'linear' });
  assert.match(curveSentence(curve!), /^Below about 6\/s \(publish\), .* between 2\/s and 8\/s\)$/);
  const page = await renderHtml([result], { interactive: false });
  const svg = page.slice(page.indexOf('<figure id="curve-0">')).split('</svg>', 1)[0]!;
  // Lines as `M x y l dx dy`, without a place of their own; the ring's place is its translation.
  const lines = [...svg.matchAll(/<path d="M(\S+) (\S+)l(\S+?) ?(-?[\d.]+)"/g)].map((found) =>
    found.slice(1).map(Number),
  );
  assert.equal(lines.length, 2, svg);
  const meeting = lines.map(
    ([x = 0, y = 0, dx = 0, dy = 0]) => [x + (dx * 2) / 3, y + (dy * 2) / 3] as const,
  );
  const ring = /translate\(([\d.]+),([\d.]+)\)" r="[\d.]+" stroke="currentColor"/.exec(svg);
  assert.ok(ring, svg);
  for (const [x, y] of meeting) {
    assert.ok(Math.abs(x - Number(ring[1])) < 1, `${x} ${ring[1]}`);
    assert.ok(Math.abs(y - Number(ring[2])) < 1, `${y} ${ring[2]}`);
  }
});

test('the page has the curve with its figures and crossing, and no chart of each cell', async () => {
  const page = await renderHtml([matrixResult()], { interactive: false });
  assert.match(page, /<figure id="curve-0">/);
  assert.match(page, /Where lines cross/);
  assert.match(page, /<th scope="row">sse<\/th><td>10 µs<\/td><td>10 µs<\/td>/);
  assert.doesNotMatch(page, /id="tail"/);
});
