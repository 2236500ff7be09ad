// The table of attempts stands where retries happened, and nowhere else.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { attemptSection } from '../../../reports/page/attempts-section.ts';
import { variantsOf } from '../../../reports/summary/variants.ts';
import { completed, stored, trialOf } from '../../core/result/trial.ts';
import { fixtureResult } from '../fixture.ts';

const text = (outcome: ReturnType<typeof completed>) =>
  attemptSection(variantsOf([{ ...fixtureResult(), trials: [trialOf('webhook', outcome)] }])).markup;

test('latency by attempt, lost answers and the duplicates they explain are shown', () => {
  const shown = text(completed());
  assert.match(shown, /<h2>Attempts<\/h2>/);
  for (const cell of ['1.25', '3', '16', '13', '7', '5']) assert.ok(shown.includes(`<td>${cell}</td>`), cell);
  assert.match(shown, /<th scope="row">webhook<\/th><td>2<\/td><td>1,000<\/td>/);
});

test('a variant without retries has no such table', () => {
  const { counters } = completed();
  const none = { ...counters, client: { ...counters.client, answersLost: 0 } };
  assert.doesNotMatch(
    text(completed({ counters: none, latencyByAttempt: [{ attempt: 1, histogram: stored(1, 2) }] })),
    /Attempts/,
  );
});
