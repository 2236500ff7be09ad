// Tests how an expectation is read, and what it says of a figure and of a figure's interval.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { parseExpectation } from '../../../core/metrics/check.ts';

function bound(text: string) {
  const parsed = parseExpectation(text);
  assert.ok(!('problem' in parsed), 'problem' in parsed ? parsed.problem : '');
  return parsed;
}

describe('an expectation reads', () => {
  /** A bound, a value that just fulfils it, and one that just does not. */
  const rows: [text: string, metric: string, bound: number, held: number[], broken: number[]][] = [
    ['latency.p99 < 250ms', 'latency.p99', 250_000, [0, 249_999], [250_000, 250_001]],
    ['latency.p99 <= 250ms', 'latency.p99', 250_000, [250_000], [250_001]],
    ['latency.p50 > 1us', 'latency.p50', 1, [2], [1, 0]],
    ['latency.p50 >= 1.5s', 'latency.p50', 1_500_000, [1_500_000], [1_499_999]],
    ['missed == 0', 'missed', 0, [0], [1]],
    ['requests-per-delivery == 1.5', 'requests-per-delivery', 1.5, [1.5], [1, 1.500001]],
    ['bytes-per-delivery < 1KiB', 'bytes-per-delivery', 1024, [1023.9], [1024]],
    ['server-cpu < 50%', 'server-cpu', 0.5, [0.49], [0.5, 50]],
    ['requests-per-s < 60/m', 'requests-per-s', 1, [0.9], [1]],
    [
      'latency.mean within 10% of 500ms',
      'latency.mean',
      500_000,
      [450_000, 500_000, 550_000],
      [449_999, 550_001],
    ],
    ['requests within 0% of 7', 'requests', 7, [7], [6, 8]],
    ['requests within 250% of 10', 'requests', 10, [0, 35], [36]],
    ['missed==0', 'missed', 0, [0], [1]],
    ['  latency.p99.9   <   2s ', 'latency.p99.9', 2_000_000, [1], [2_000_000]],
  ];
  for (const [text, metric, value, held, broken] of rows) {
    test(text, () => {
      const check = bound(text);
      assert.deepEqual([check.metric, check.bound], [metric, value]);
      for (const measured of held) assert.equal(check.holds(measured), true, `${measured}`);
      for (const measured of broken) assert.equal(check.holds(measured), false, `${measured}`);
    });
  }
});

describe('a figure with an interval', () => {
  const rows: [text: string, low: number, high: number, verdict: string][] = [
    ['latency.p99 < 1ms', 800, 999, 'held'],
    ['latency.p99 < 1ms', 800, 1000, 'undecided'],
    ['latency.p99 < 1ms', 1000, 1200, 'failed'],
    ['latency.p99 > 1ms', 1001, 1200, 'held'],
    ['latency.p99 > 1ms', 900, 1100, 'undecided'],
    ['latency.p99 > 1ms', 900, 1000, 'failed'],
    ['latency.p99 within 10% of 1ms', 900, 1100, 'held'],
    ['latency.p99 within 10% of 1ms', 1000, 1101, 'undecided'],
    ['latency.p99 within 10% of 1ms', 800, 1200, 'undecided'],
    ['latency.p99 within 10% of 1ms', 1101, 1200, 'failed'],
    ['latency.p99 within 10% of 1ms', 700, 899, 'failed'],
  ];
  for (const [text, low, high, verdict] of rows)
    test(`from ${low} us to ${high} us: ${text} is ${verdict}`, () =>
      assert.equal(bound(text).judge({ value: (low + high) / 2, low, high }), verdict));
});

describe('an expectation that cannot be read says why', () => {
  const howTo = 'write "METRIC < BOUND" (or <=, >, >=, ==) or "METRIC within 10% of VALUE"';
  const rows: [text: string, problem: string | RegExp][] = [
    ['', `this is not an expectation: ${howTo}`],
    ['latency.p99', `this is not an expectation: ${howTo}`],
    ['latency.p99 below 250ms', `this is not an expectation: ${howTo}`],
    ['latency.p99 within 500ms', `this is not an expectation: ${howTo}`],
    ['latency.p98 < 250ms', 'there is no metric "latency.p98"; did you mean "latency.p90"?'],
    ['mised == 0', 'there is no metric "mised"; did you mean "missed"?'],
    ['p99 < 250ms', 'there is no metric "p99"; did you mean "latency.p99"?'],
    ['bananas < 3', /^there is no metric "bananas"; there are latency\.mean, .*missed, .*$/],
    ['constructor == 0', /^there is no metric "constructor"; there are/],
    ['missed = 0', `"=" is not a comparison: ${howTo}`],
    ['missed != 0', `"!=" is not a comparison: ${howTo}`],
    ['missed =< 0', `"=<" is not a comparison: ${howTo}`],
    [
      'latency.p99 < 250',
      'the bound of latency.p99 is a duration with its unit, such as 250ms, and not "250"',
    ],
    [
      'latency.p99 < 250 ms',
      'the bound of latency.p99 is a duration with its unit, such as 250ms, and not "250 ms"',
    ],
    ['latency.p99 <', 'the bound of latency.p99 is a duration with its unit, such as 250ms, and not ""'],
    ['missed == 0s', 'the bound of missed is a plain number, such as 0, and not "0s"'],
    ['missed == -1', 'the bound of missed is a plain number, such as 0, and not "-1"'],
    [
      'bytes-per-delivery < 1000',
      'the bound of bytes-per-delivery is a size with its unit, such as 4kB, and not "1000"',
    ],
    ['server-cpu < 0.5', 'the bound of server-cpu is a share with its unit, such as 10%, and not "0.5"'],
    ['requests-per-s < 5', 'the bound of requests-per-s is a rate with its unit, such as 200/s, and not "5"'],
    [`missed < ${'9'.repeat(400)}`, /^the bound of missed is a plain number/],
    ['latency.mean within 10 of 500ms', 'a tolerance is a share with its unit, such as 10%, and not "10"'],
    [
      'latency.mean within 10% of 500',
      'the bound of latency.mean is a duration with its unit, such as 250ms, and not "500"',
    ],
  ];
  for (const [text, problem] of rows) {
    test(text.slice(0, 40) || 'nothing', () => {
      const parsed = parseExpectation(text);
      assert.ok('problem' in parsed);
      if (typeof problem === 'string') assert.equal(parsed.problem, problem);
      else assert.match(parsed.problem, problem);
    });
  }
});
