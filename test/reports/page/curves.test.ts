// A matrix in the report: a curve a metric, a line a variant, and where lines cross.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { crossingsOf, curveHeadline, curveSentence, curvesOf } from '../../../reports/summary/curve-data.ts';
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
    'Server CPU per delivery: sse is lower than polling up to publish = 10/s or so, and higher beyond.',
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
    'Server CPU per delivery: sse is lower than polling up to 600 updates a minute or so, and higher beyond.',
  );
  assert.match(
    await renderHtml([named], { interactive: false }),
    /<th scope="col">60 updates a minute<\/th>/,
  );
  const each = { ...result, scenario: { ...result.scenario, axis: { ...axis, perSubscriber: true } } };
  assert.match(
    curveHeadline(variantsOf([each]))!,
    /sse is lower than polling up to 6 updates a minute or so/,
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

describe('crossings', () => {
  const cross = (a: number[], b: number[]) =>
    crossingsOf(
      [
        ...a.map((value, i) => ({ variant: 'a', x: 10 ** i, value })),
        ...b.map((value, i) => ({ variant: 'b', x: 10 ** i, value })),
      ],
      ['a', 'b'],
      {}, // nothing is alike but by its ratio
    );
  test('lie on the logarithmic line between two points', () => {
    const [one, ...others] = cross([1, 100], [100, 1]);
    assert.ok(Math.abs(one!.x - Math.sqrt(10)) < 1e-9);
    assert.deepEqual([one!.below, one!.above, others.length], ['a', 'b', 0]);
  });
  test('are none where lines do not cross, are alike, or hold no positive value', () => {
    assert.deepEqual(cross([1, 2, 3], [10, 20, 30]), []);
    assert.deepEqual(cross([100, 100], [110, 90]), []);
    assert.deepEqual(cross([0, 0], [1, 2]), []);
  });
  test('need a difference on both sides, wherever on that side it is', () => {
    assert.equal(cross([1, 1, 10], [5, 1.1, 1]).length, 1);
  });
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
  assert.match(page, /<th scope="row">sse<\/th><td>20 µs \(10 µs to 30 µs\)<\/td>/);
  assert.match(page, /Each point is the median of its trials/);
});

test('the page has the curve with its figures and crossing, and no chart of each cell', async () => {
  const page = await renderHtml([matrixResult()], { interactive: false });
  assert.match(page, /<figure id="curve-0">/);
  assert.match(page, /Where lines cross/);
  assert.match(page, /<th scope="row">sse<\/th><td>10 µs<\/td><td>10 µs<\/td>/);
  assert.doesNotMatch(page, /id="tail"/);
});
