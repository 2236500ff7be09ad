// Tests which trials expectations are for, and when a trial holds them.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { checkExpectations, variantsCalled, verdictOf } from '../../../core/scenario/expectations.ts';
import { completed, stored, trialOf } from '../result/trial.ts';

test('an interval leaves an expectation undecided, and too few events leave it not judged', () => {
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
  assert.deepEqual(judged('latency.p99 < 2ms', 7), ['not-judged', null, '7 events beyond it; 10 are needed']);
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
      notJudged('0 samples; 10,000 are needed'),
    );
    assert.deepEqual(one(fine, 'latency.p90 < 1s')[2], 'held');
    assert.deepEqual(one(fine, 'latency.p99 < 1s'), notJudged('1,000 samples; 10,000 are needed'));
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
        ['every variant', 'not-judged', 'it applies to no trial of this run', false],
        ['sse', 'not-judged', 'it applies to no trial of this run', false],
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
