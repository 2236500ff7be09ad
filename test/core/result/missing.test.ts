// Lists what is missing of a run that was cut short: trials, searches, and what comes after them.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { cutShortText, missingFrom, requireFinished } from '../../../core/result/missing.ts';
import type { Planned, Result } from '../../../core/result/result.ts';
import { trialOf } from './trial.ts';

type Cut = Parameters<typeof missingFrom>[0];

function cut({ planned, ...more }: { planned?: Partial<Planned> } & Omit<Partial<Cut>, 'planned'>): Cut {
  return {
    planned: { trials: [], searches: [], afterwards: [], ...planned },
    state: { kind: 'unfinished' },
    trials: [],
    ...more,
  };
}
const trial = (variant: string, repetition = 1) => ({ variant, repetition });
const search = (variant: string, what: string, over: boolean): NonNullable<Result['searches']>[number] => ({
  variant,
  what,
  over,
  keep: 'missed == 0',
  like: '10',
  resolution: 0.1,
  steps: [],
  limit: { kind: 'none' },
});

describe('trials', () => {
  test('are told apart by variant and repetition, and named with it where there are several', () => {
    const planned = { trials: [trial('sse'), trial('polling'), trial('sse', 2), trial('polling', 2)] };
    const { trials } = missingFrom(
      cut({ planned, trials: [trialOf('sse'), trialOf('polling', undefined, 2)] }),
    );
    assert.deepEqual(trials, [
      { variant: 'polling', repetition: 1, name: 'polling (trial 1)' },
      { variant: 'sse', repetition: 2, name: 'sse (trial 2)' },
    ]);
  });
  test('of one repetition are called by their variant alone', () => {
    const { trials } = missingFrom(cut({ planned: { trials: [trial('sse'), trial('polling')] } }));
    assert.deepEqual(
      trials.map(({ name }) => name),
      ['sse', 'polling'],
    );
  });
  test('that failed are there', () => {
    const failed = trialOf('sse', { status: 'failed', valid: false, code: 'died', message: 'it died' });
    assert.deepEqual(missingFrom(cut({ planned: { trials: [trial('sse')] }, trials: [failed] })).trials, []);
  });
});

test('searches are over, cut off or not begun, each by variant and by what it varies', () => {
  const planned = {
    searches: ['sse', 'polling'].flatMap((variant) =>
      ['subscribers', 'payload'].map((what) => ({ variant, what })),
    ),
  };
  const searches = [search('sse', 'subscribers', true), search('sse', 'payload', false)];
  assert.deepEqual(missingFrom(cut({ planned, searches })).searches, [
    { variant: 'sse', what: 'payload', begun: true },
    { variant: 'polling', what: 'subscribers', begun: false },
    { variant: 'polling', what: 'payload', begun: false },
  ]);
  assert.equal(missingFrom(cut({ planned })).searches.length, 4);
});

test('what comes after the trials is missing unless it was measured or skipped', () => {
  const planned: Partial<Planned> = { afterwards: ['closedLoop', 'chromium'] };
  assert.deepEqual(missingFrom(cut({ planned })).afterwards, ['closedLoop', 'chromium']);
  assert.deepEqual(
    missingFrom(cut({ planned, chromium: { status: 'skipped', reason: 'none' } })).afterwards,
    ['closedLoop'],
  );
  assert.deepEqual(missingFrom(cut({ planned, closedLoop: [] })).afterwards, ['chromium']);
});

test('of a run that went to its end nothing is missing, nor of one that did not say what it planned', () => {
  const nothing = { trials: [], searches: [], afterwards: [] };
  const planned = { trials: [trial('sse')] };
  assert.deepEqual(missingFrom(cut({ planned, state: { kind: 'finished' } })), nothing);
  assert.deepEqual(missingFrom({ ...cut({}), planned: undefined }), nothing);
});

describe('in a sentence', () => {
  const unended = 'The run did not end: it was killed, or it is still going on';
  const text = (more: Parameters<typeof cut>[0]) => cutShortText(cut(more));
  test('trials are counted, and up to three are named', () => {
    const trials = (count: number) => Array.from({ length: count }, (_, i) => trial(`v${i}`));
    assert.equal(text({ planned: { trials: trials(1) } }), `${unended}; 1 of 1 trial missing: v0.`);
    assert.match(text({ planned: { trials: trials(3) } })!, /; 3 of 3 trials missing: v0, v1, v2\.$/);
    const nine = text({ planned: { trials: trials(9) } })!;
    assert.match(nine, /; 9 of 9 trials missing: v0, v1, v2 and 6 more\.$/);
  });
  test('searches and what comes afterwards have words of their own, and nothing missing has none', () => {
    assert.equal(
      text({
        planned: {
          searches: [
            { variant: 'sse', what: 'subscribers' },
            { variant: 'polling', what: 'payload' },
          ],
          afterwards: ['closedLoop', 'chromium'],
        },
        searches: [search('sse', 'subscribers', false)],
      }),
      `${unended}; searches cut off: sse (subscribers); searches not begun: polling (payload); ` +
        'not measured: the closed loop, the pages in Chromium.',
    );
    assert.equal(text({}), `${unended}.`);
    assert.equal(text({ state: { kind: 'finished' } }), undefined);
    assert.equal(
      text({ state: { kind: 'interrupted', by: 'SIGTERM' } }),
      'The run was interrupted (SIGTERM) before its end.',
    );
    assert.equal(
      text({ state: { kind: 'failed', why: 'the disk is full' } }),
      'The run failed before its end (the disk is full).',
    );
  });
});

test('a gate refuses a run that is not whole, with its time and exit code 4, and takes one that is', () => {
  const createdAt = '2026-01-02T10:03:04.567Z';
  assert.throws(
    () => requireFinished('main', { ...cut({ planned: { trials: [trial('sse')] } }), createdAt }),
    {
      code: 'unfinished',
      exitCode: 4,
      message:
        /^main \(of 2026-01-02 10:03:04\) is not a whole run, so nothing is decided on it\. .*1 of 1 trial missing: sse\. Run the scenario again/,
    },
  );
  requireFinished('main', { ...cut({ state: { kind: 'finished' } }), createdAt });
});
