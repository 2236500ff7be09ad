// Expectations: how they are read, whom they concern, and when a trial holds them.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { checkExpectations, variantsCalled, verdictOf } from '../../../core/scenario/expectations.ts';
import { parseExpectation } from '../../../core/metrics/check.ts';
import { completed, stored, trialOf } from '../result/trial.ts';

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

describe('an expectation that cannot be read says why', () => {
  const howTo = 'write "METRIC < BOUND" (or <=, >, >=, ==) or "METRIC within 10% of VALUE"';
  const rows: [text: string, problem: string | RegExp][] = [
    ['', `this is no expectation: ${howTo}`],
    ['latency.p99', `this is no expectation: ${howTo}`],
    ['latency.p99 below 250ms', `this is no expectation: ${howTo}`],
    ['latency.p99 within 500ms', `this is no expectation: ${howTo}`],
    ['latency.p98 < 250ms', 'there is no metric "latency.p98"; did you mean "latency.p90"?'],
    ['mised == 0', 'there is no metric "mised"; did you mean "missed"?'],
    ['p99 < 250ms', 'there is no metric "p99"; did you mean "latency.p99"?'],
    ['bananas < 3', /^there is no metric "bananas"; there are latency\.mean, .*missed, .*$/],
    ['constructor == 0', /^there is no metric "constructor"; there are/],
    ['missed = 0', `"=" is no comparison: ${howTo}`],
    ['missed != 0', `"!=" is no comparison: ${howTo}`],
    ['missed =< 0', `"=<" is no comparison: ${howTo}`],
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

test('a name means the variant with that label, or else all of the pattern, on every target too', () => {
  const variants = [
    { label: 'sse', pattern: 'sse' },
    { label: 'sse h2', pattern: 'sse' },
    { label: 'polling every=2s', pattern: 'polling' },
    { label: 'polling every=5s', pattern: 'polling' },
  ];
  const called = (name: string) => variantsCalled(name, variants).map(({ label }) => label);
  assert.deepEqual(called('sse h2'), ['sse h2']);
  assert.deepEqual(called('sse'), ['sse']);
  assert.deepEqual(called('polling'), ['polling every=2s', 'polling every=5s']);
  assert.deepEqual(called('webhook'), []);
  const beside = [
    ...variants,
    { label: 'sse @hono', pattern: 'sse' },
    { label: 'sse h2 @hono', pattern: 'sse' },
  ];
  const ofAll = (name: string) => variantsCalled(name, beside).map(({ label }) => label);
  assert.deepEqual(ofAll('sse'), ['sse', 'sse @hono']);
  assert.deepEqual(ofAll('sse @hono'), ['sse @hono']);
  assert.deepEqual(ofAll('sse @other'), []);
  assert.deepEqual(ofAll('polling'), ['polling every=2s', 'polling every=5s']);
});

describe('held against trials', () => {
  const variants = ['sse', 'sse h2', 'polling every=2s'].map((label) => ({
    pattern: label.split(' ')[0]!,
    label,
    options: {},
  }));
  const check = (text: string, names?: string[]) => ({ check: text, for: names });
  const fine = completed({ ledger: { ...completed().ledger, missed: 0 } });

  test('the measured value stands beside the bound, for each trial, in the order of the scenario', () => {
    const trials = [
      trialOf('sse', fine, 1),
      trialOf('sse h2', completed(), 1),
      trialOf('sse', completed(), 2),
    ];
    assert.deepEqual(
      checkExpectations({ variants, expect: [check('missed == 0'), check('latency.max < 1ms')] }, trials),
      [
        {
          variant: 'sse',
          repetition: 1,
          check: 'missed == 0',
          metric: 'missed',
          bound: 0,
          measured: 0,
          held: true,
          verdict: 'held',
        },
        {
          variant: 'sse h2',
          repetition: 1,
          check: 'missed == 0',
          metric: 'missed',
          bound: 0,
          measured: 15,
          held: false,
          verdict: 'failed',
        },
        {
          variant: 'sse',
          repetition: 2,
          check: 'missed == 0',
          metric: 'missed',
          bound: 0,
          measured: 15,
          held: false,
          verdict: 'failed',
        },
        {
          variant: 'sse',
          repetition: 1,
          check: 'latency.max < 1ms',
          metric: 'latency.max',
          bound: 1000,
          measured: 1000,
          held: false,
          verdict: 'failed',
        },
        {
          variant: 'sse h2',
          repetition: 1,
          check: 'latency.max < 1ms',
          metric: 'latency.max',
          bound: 1000,
          measured: 1000,
          held: false,
          verdict: 'failed',
        },
        {
          variant: 'sse',
          repetition: 2,
          check: 'latency.max < 1ms',
          metric: 'latency.max',
          bound: 1000,
          measured: 1000,
          held: false,
          verdict: 'failed',
        },
      ],
    );
  });

  test('only trials of the variants named are looked at', () => {
    const trials = variants.map(({ label }) => trialOf(label));
    const checked = (names: string[]) =>
      checkExpectations({ variants, expect: [check('missed == 0', names)] }, trials).map(
        ({ variant }) => variant,
      );
    assert.deepEqual(checked(['sse h2']), ['sse h2']);
    assert.deepEqual(checked(['polling', 'sse']), ['sse', 'polling every=2s']);
    assert.deepEqual(checked(['websocket']), ['websocket']); // one that is not judged
  });

  test('a trial that failed and a figure that is void or missing put nothing to the test', () => {
    const one = (outcome: Parameters<typeof trialOf>[1], text: string) => {
      const [only] = checkExpectations({ variants, expect: [check(text)] }, [trialOf('sse', outcome)]);
      return [only?.measured, only?.held, only?.verdict, only?.why];
    };
    const notJudged = (why: string) => [null, false, 'not-judged', why];
    assert.deepEqual(one(fine, 'missed == 0'), [0, true, 'held', undefined]);
    assert.deepEqual(one(fine, 'missed > 0'), [0, false, 'failed', undefined]);
    assert.deepEqual(
      one({ ...fine, valid: false }, 'missed == 0'),
      notJudged('void: the trial does not count'),
    );
    const late = { ...fine, valid: false, voids: { 'publisher-late': ['latency' as const] } };
    assert.deepEqual(one(late, 'missed == 0'), [0, true, 'held', undefined]);
    assert.deepEqual(one(late, 'latency.p50 < 1s'), notJudged('void: publisher-late'));
    assert.deepEqual(
      one({ status: 'failed', valid: false, code: 'died', message: 'it died' }, 'missed == 0'),
      notJudged('the trial failed'),
    );
    assert.deepEqual(one({ ...fine, descriptors: null }, 'descriptors.peak >= 0'), notJudged('not measured'));
    assert.deepEqual(
      one({ ...fine, latency: { ...fine.latency, endToEnd: stored() } }, 'latency.p99 >= 0s'),
      notJudged('0 samples; it takes 10,000'),
    );
    assert.deepEqual(one(fine, 'latency.p90 < 1s')[2], 'held');
    assert.deepEqual(one(fine, 'latency.p99 < 1s'), notJudged('1,000 samples; it takes 10,000'));
    assert.deepEqual(
      one({ ...fine, processes: [] }, 'server-loop-delay.p99 < 1s'),
      notJudged('not measured'),
    );
  });

  test('nothing expected is nothing broken; what no trial is there for is not judged', () => {
    assert.deepEqual(checkExpectations({ variants, expect: [] }, [trialOf('sse')]), []);
    const none = checkExpectations(
      { variants, expect: [check('missed == 0'), check('missed == 0', ['sse'])] },
      [],
    );
    assert.deepEqual(
      none.map(({ variant, verdict, why, held }) => [variant, verdict, why, held]),
      [
        ['every variant', 'not-judged', 'no trial of this run is meant', false],
        ['sse', 'not-judged', 'no trial of this run is meant', false],
      ],
    );
  });

  test('a target that is not in the run is not judged, beside what is', () => {
    const beside = [...variants, { pattern: 'sse', label: 'sse @hono', options: {} }];
    const checked = (names: string[]) =>
      checkExpectations(
        { variants: beside, expect: [check('missed == 0', names)] },
        ['sse', 'sse @hono'].map((label) => trialOf(label, fine)),
      ).map(({ variant, verdict }) => [variant, verdict]);
    assert.deepEqual(checked(['sse']), [
      ['sse', 'held'],
      ['sse @hono', 'held'],
    ]);
    assert.deepEqual(checked(['sse @hono', 'sse @other']), [
      ['sse @hono', 'held'],
      ['sse @other', 'not-judged'],
    ]);
  });

  test('a verdict of a result that is older than the word', () => {
    const [held] = checkExpectations({ variants, expect: [check('missed == 0')] }, [trialOf('sse', fine)]);
    const older = (more: object) => ({ ...held!, verdict: undefined, ...more });
    assert.equal(verdictOf(held!, undefined), 'held');
    assert.equal(verdictOf(older({}), trialOf('sse', fine)), 'held');
    assert.equal(verdictOf(older({ held: false }), trialOf('sse', fine)), 'failed');
    assert.equal(verdictOf(older({ held: false, measured: null }), trialOf('sse', fine)), 'not-judged');
    assert.equal(verdictOf(older({}), trialOf('sse', { ...fine, valid: false })), 'not-judged');
    assert.equal(verdictOf(older({}), undefined), 'not-judged');
  });
});
