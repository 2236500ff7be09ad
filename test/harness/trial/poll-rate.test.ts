// Tests that pollers that fall short of their rate are noted.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { pollRate } from '../../../harness/trial/poll-rate.ts';
import { completed } from '../../core/result/trial.ts';

const polling = variantOf(patterns, 'polling');

/** 100 subscribers that poll each second for 10 s should make 1,000 polls. */
function after(polls: number) {
  const trial = completed();
  return completed({
    counters: { ...trial.counters, clientMeasured: { ...newCounters(), emptyPolls: polls } },
  });
}

const scenario = {
  subscribers: 100,
  faults: [],
  phases: { connect: 1000, warmup: 0, measure: 10_000, drain: 1000 },
};

test('a rate that was kept needs no word', () =>
  assert.deepEqual(pollRate(scenario, polling, after(960)), []));

test('a rate that was not kept is said, with who was busy', () => {
  const [warning] = pollRate(scenario, polling, after(610));
  assert.equal(warning!.level, 'note');
  assert.match(
    warning!.message,
    /polled 100 times a second and did so 61 times \(61 %\): the server used 20 % of a core and the busiest load process 30 %/,
  );
});

test('other patterns have no rate of their own', () =>
  assert.deepEqual(pollRate(scenario, variantOf(patterns, 'long-polling'), after(0)), []));

test('who was away, as the scenario asked, or stood still did not fall short', () => {
  // Half of them for two of ten seconds: 900 polls are asked for.
  const leaving = { ...scenario, faults: [{ kind: 'leave' as const, atMs: 3000, share: 0.5, forMs: 2000 }] };
  assert.deepEqual(pollRate(leaving, polling, after(870)), []);
  assert.match(
    pollRate(leaving, polling, after(800))[0]!.message,
    /polled 90 times a second and did so 80 times/,
  );
  const atTheEnd = { ...scenario, faults: [{ kind: 'leave' as const, atMs: 9000, share: 0.5, forMs: 5000 }] };
  assert.equal(
    pollRate(atTheEnd, polling, after(890)).length,
    1,
    'what is beyond the measured phase excuses nothing',
  );
  assert.deepEqual(
    pollRate(
      { ...scenario, faults: [{ kind: 'freeze', atMs: 1000, who: 'load', forMs: 3000 }] },
      polling,
      after(600),
    ),
    [],
  );
});
