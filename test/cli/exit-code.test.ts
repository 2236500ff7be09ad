// Holds what a result means for a script: a row for each thing that can be in it, and which of two is graver.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { exitCodeOf } from '../../cli/run.ts';
import type { Completed, Expectation, Result } from '../../core/result/result.ts';
import type { Evidence } from '../../core/result/evidence.ts';
import { completed, trialOf } from '../core/result/trial.ts';
import { fixtureResult } from '../reports/fixture.ts';

const { scenario, ...rest } = fixtureResult({ measureS: 1 });

/** A finished run of one trial in which nothing is void and nothing was expected. */
function result(
  more: Partial<Omit<Result, 'scenario'>> = {},
  asks: Partial<Result['scenario']> = {},
): Result {
  return {
    ...rest,
    scenario: { ...scenario, ...asks },
    trials: [trialOf('sse')],
    expectations: [],
    state: { kind: 'finished' },
    ...more,
  };
}

type Verdict = NonNullable<Expectation['verdict']>;
const expectation = (verdict: Verdict | undefined, more: Partial<Expectation> = {}): Expectation => ({
  variant: 'sse',
  repetition: 1,
  check: 'missed == 0',
  metric: 'missed',
  bound: 0,
  measured: 0,
  held: verdict === 'held',
  ...(verdict && { verdict }),
  ...more,
});
const verdicts = (...all: Verdict[]) => ({ expectations: all.map((one) => expectation(one)) });
const voided = (...lost: Evidence[]): Completed => completed({ valid: false, voids: { some: lost } });
const trials = (...outcomes: Result['trials'][number]['outcome'][]) => ({
  trials: outcomes.map((outcome, i) => trialOf('sse', outcome, i + 1)),
});
const failedTrial = { status: 'failed', valid: false, code: 'died', message: 'it died' } as const;
const search = (...kinds: ('found' | 'at-least' | 'below' | 'none')[]) => ({
  searches: kinds.map((kind) => ({
    variant: 'sse',
    what: 'subscribers',
    keep: 'missed == 0',
    like: '10',
    resolution: 0.1,
    over: true,
    steps: [],
    limit: { kind, value: 10, brokenAt: 20 } as NonNullable<Result['searches']>[number]['limit'],
  })),
});

const rows: [what: string, code: number, Result][] = [
  ['nothing was expected and nothing is void', 0, result()],
  ['all expectations held', 0, result(verdicts('held', 'held'))],
  ['one is undecided', 0, result(verdicts('held', 'undecided'))],
  ['one failed', 1, result(verdicts('held', 'failed'))],
  ['one was not judged', 4, result(verdicts('held', 'not-judged'))],
  ['one was not judged and one is undecided', 4, result(verdicts('undecided', 'not-judged'))],
  ['one failed beside one that was not judged', 1, result(verdicts('not-judged', 'failed', 'held'))],
  [
    'one failed, and what is asked for is void',
    1,
    result({ ...verdicts('failed'), ...trials(voided('latency')) }),
  ],
  [
    'all held, and what is asked for is void',
    4,
    result({ ...verdicts('held'), ...trials(voided('latency')) }),
  ],

  ['latencies are void where nothing else is asked for', 4, result(trials(voided('latency')))],
  ['requests are void where nothing else is asked for', 4, result(trials(voided('requests')))],
  [
    'bytes are void where nothing is asked of them',
    0,
    result(trials(voided('bytes', 'wire', 'descriptors'))),
  ],
  ['latencies are void in the second trial alone', 4, result(trials(completed(), voided('latency')))],
  [
    'latencies are void, and the answer is about bytes',
    0,
    result(trials(voided('latency')), { answer: ['bytes-per-delivery'] }),
  ],
  [
    'the answer is void',
    4,
    result(trials(voided('bytes')), { answer: ['latency.p50', 'bytes-per-delivery'] }),
  ],
  ['a curve is void', 4, result(trials(voided('bytes')), { curves: ['bytes-per-delivery'] })],
  [
    'a curve is void beside an answer that stands',
    4,
    result(trials(voided('bytes')), { answer: ['latency.p50'], curves: ['bytes-per-delivery'] }),
  ],
  [
    'the answer was not measured, and nothing is void',
    0,
    result(trials(completed({ descriptors: null })), { answer: ['descriptors.peak'] }),
  ],
  ['all of a trial is void', 4, result(trials(completed({ valid: false })))],
  [
    'all of a trial is void but the answer, which rests on nothing',
    4,
    result(trials(completed({ valid: false })), { answer: ['headroom'] }),
  ],
  [
    'a part of a trial is void, and the answer rests on nothing',
    0,
    result(trials(voided('latency')), { answer: ['headroom'] }),
  ],

  [
    'a search found its limit, whatever ended it',
    0,
    result({ ...search('found'), ...trials(voided('latency')) }),
  ],
  ['searches ended above or below their range', 0, result(search('at-least', 'below'))],
  ['one of two searches found nothing', 4, result(search('found', 'none'))],
  [
    'a search found nothing, and an expectation failed',
    1,
    result({ ...search('none'), ...verdicts('failed') }),
  ],

  ['a trial failed', 3, result(trials(failedTrial))],
  ['the second trial failed', 3, result(trials(completed(), failedTrial))],
  ['a trial failed, and an expectation too', 3, result({ ...trials(failedTrial), ...verdicts('failed') })],
  ['the run failed', 3, result({ ...verdicts('failed'), state: { kind: 'failed', why: 'no space' } })],
  ['the run is not over', 4, result({ ...verdicts('failed'), state: { kind: 'unfinished' } })],
  [
    'the run was interrupted, whatever else',
    130,
    result({ ...trials(failedTrial), ...verdicts('failed'), state: { kind: 'interrupted', by: 'SIGINT' } }),
  ],
];

describe('the exit code where', () => {
  for (const [what, code, one] of rows) test(`${what}: ${code}`, () => assert.equal(exitCodeOf(one), code));
});

describe('a result that is older than verdicts', () => {
  const stood = completed();
  const doubted = completed({ valid: false, voids: { some: ['bytes'] } });
  const older = (repetition: number, held: boolean) => expectation(undefined, { repetition, held });
  test('is judged by the very trial that an expectation is about', () => {
    const both = trials(stood, doubted);
    assert.equal(exitCodeOf(result({ ...both, expectations: [older(1, true)] })), 0);
    assert.equal(exitCodeOf(result({ ...both, expectations: [older(1, false)] })), 1);
    assert.equal(exitCodeOf(result({ ...both, expectations: [older(2, false)] })), 4);
    assert.equal(exitCodeOf(result({ ...both, expectations: [older(3, true)] })), 4);
  });
  test('and by the variant of that name', () => {
    const both = { trials: [trialOf('polling', doubted), trialOf('sse', stood)] };
    assert.equal(exitCodeOf(result({ ...both, expectations: [older(1, false)] })), 1);
  });
});
