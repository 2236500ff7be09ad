// Expectations on percentiles, whose intervals may have the bound within them.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { checkExpectations } from '../../../core/scenario/expectations.ts';
import { parseExpectation } from '../../../core/metrics/check.ts';
import { completed, trialOf } from '../result/trial.ts';

function judgeOf(text: string) {
  const parsed = parseExpectation(text);
  assert.ok(!('problem' in parsed));
  return parsed.judge;
}

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
      assert.equal(judgeOf(text)({ value: (low + high) / 2, low, high }), verdict));
  test('that has the bound within it is undecided, and one with few events is not judged', () => {
    const variants = [{ pattern: 'sse', label: 'sse', options: {} }];
    const of = (beyond: number) =>
      completed({
        precision: {
          mostReceivers: 9,
          endToEnd: { shownUpTo: 0.99, at: [{ quantile: 0.99, lowUs: 900, highUs: 1100, beyond }] },
          acceptToReceipt: { shownUpTo: 0, at: [] },
        },
      });
    const judged = (text: string, beyond: number) => {
      const expect = [{ check: text, for: undefined }];
      const [one] = checkExpectations({ variants, expect }, [trialOf('sse', of(beyond))]);
      return [one!.verdict, one!.measured, one!.why];
    };
    const why = 'within this run it lies between 900 µs and 1.1 ms, on both sides of the bound';
    assert.deepEqual(judged('latency.p99 < 1ms', 10), ['undecided', 990, why]);
    assert.deepEqual(judged('latency.p99 < 2ms', 10), ['held', 990, undefined]);
    assert.deepEqual(judged('latency.p99 < 0.5ms', 10), ['failed', 990, undefined]);
    assert.deepEqual(judged('latency.p99 < 2ms', 7), ['not-judged', null, '7 events beyond it; it takes 10']);
  });
});
