// Pollers that fall short of their rate, and the note that says so.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newCounters } from '../../core/counters.ts';
import { patterns, variantOf } from '../../core/patterns.ts';
import { pollRate } from '../../harness/poll-rate.ts';
import { completed } from '../core/trial.ts';

const polling = variantOf(patterns, 'polling');

/** 100 subscribers that poll each second for 10 s should make 1,000 polls. */
function after(polls: number) {
  const trial = completed();
  return completed({ counters: { ...trial.counters, clientMeasured: { ...newCounters(), emptyPolls: polls } } });
}

test('a rate that was kept needs no word', () => assert.deepEqual(pollRate({ subscribers: 100 }, polling, after(960)), []));

test('a rate that was not kept is said, with who was busy', () => {
  const [warning] = pollRate({ subscribers: 100 }, polling, after(610));
  assert.equal(warning!.level, 'note');
  assert.match(warning!.message, /polled 100 times a second and did so 61 times \(61 %\): the server used 20 % of a core and the busiest load process 30 %/);
});

test('other patterns have no rate of their own', () => assert.deepEqual(pollRate({ subscribers: 100 }, variantOf(patterns, 'long-polling'), after(0)), []));
