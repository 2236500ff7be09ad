// Holds which trials of a matrix an expectation is for, and what becomes of it where one is missing.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { checkExpectations, type TrialOrPlan } from '../../../core/scenario/expectations.ts';
import { completed, trialOf } from '../result/trial.ts';

const variants = ['sse', 'polling'].map((label) => ({ pattern: label, label, options: {} }));

/** A trial of a cell, which is called by its variant and its parameters. */
const inCell = (variant: string, parameters: Record<string, string>): TrialOrPlan => ({
  ...trialOf(`${variant}, ${Object.values(parameters).join(', ')}`),
  cell: { variant, parameters, subscribers: 10, events: 10, deliveries: 100 },
});
const trials = ['sse', 'polling'].flatMap((variant) =>
  ['10', '100'].flatMap((subscribers) =>
    ['1KiB', '2KiB'].map((payload) => inCell(variant, { subscribers, payload })),
  ),
);

describe('in a matrix an expectation is for', () => {
  const meant = (names: string[] | undefined, where: Record<string, string[]> | undefined) =>
    checkExpectations({ variants, expect: [{ check: 'duplicated == 16', for: names, where }] }, trials).map(
      ({ variant, verdict }) => (verdict === 'held' ? variant : `${variant}: ${verdict}`),
    );
  test('every cell of the variants that it names', () => {
    assert.deepEqual(meant(['polling'], undefined), [
      'polling, 10, 1KiB',
      'polling, 10, 2KiB',
      'polling, 100, 1KiB',
      'polling, 100, 2KiB',
    ]);
    assert.equal(meant(undefined, undefined).length, 8);
  });
  test('the cells in which all of its parameters have one of the values', () => {
    assert.deepEqual(meant(['sse'], { subscribers: ['100'] }), ['sse, 100, 1KiB', 'sse, 100, 2KiB']);
    assert.deepEqual(meant(['sse'], { subscribers: ['100'], payload: ['2KiB', '4KiB'] }), ['sse, 100, 2KiB']);
    assert.deepEqual(meant(undefined, { payload: ['1KiB'], subscribers: ['10'] }), [
      'sse, 10, 1KiB',
      'polling, 10, 1KiB',
    ]);
  });
  test('none where no cell has them, and then it is not judged', () => {
    assert.deepEqual(meant(['sse'], { subscribers: ['1000'] }), ['sse: not-judged']);
    assert.deepEqual(meant(['sse'], { topics: ['1'] }), ['sse: not-judged']);
  });
});

test('a trial that is planned and not there is not judged, and those that are there are', () => {
  const missing = { variant: variants[1]!, repetition: 1 };
  const held = trialOf('sse', completed({ ledger: { ...completed().ledger, missed: 0 } }));
  assert.deepEqual(
    checkExpectations({ variants, expect: [{ check: 'missed == 0', for: undefined, where: undefined }] }, [
      held,
      missing,
    ]).map(({ variant, verdict, measured, why }) => [variant, verdict, measured, why]),
    [
      ['sse', 'held', 0, undefined],
      ['polling', 'not-judged', null, 'the trial is missing'],
    ],
  );
});
