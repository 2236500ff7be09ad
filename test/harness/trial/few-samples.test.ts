// Tests what is said where a 99th percentile has too few events, and where those that it has differ too much.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { outcomeOf } from '../../../harness/trial/outcome.ts';
import { fewSamplesText } from '../../../harness/trial/few-samples.ts';
import { planOf, readingsOf, streams } from './readings.ts';

const plan = planOf();
const { outcome } = outcomeOf(plan, streams, readingsOf());

function textOf(beyond: number): string {
  assert.ok(outcome.status === 'completed');
  return fewSamplesText(plan, outcome, beyond);
}

test('too few: how many times as many it takes', () => {
  assert.match(textOf(1), /1 distinct event lies beyond it, and 10 are needed/);
  assert.match(textOf(4), /About 3 times as many events are needed: publish that much more often/);
});

test('enough that differ too much: no number that nobody knows', () => {
  assert.match(textOf(799), /the 799 distinct events beyond it differ too much to say how high it may be/);
  assert.match(textOf(799), /More events are needed: publish more often/);
  assert.doesNotMatch(textOf(799), /times as many/);
});
