// Tests scenarios whose events come from a trace: how many events it has is known before the first is read.

import assert from 'node:assert/strict';
import { expect, test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { variantOf } from '../../../core/pattern/variant.ts';
import { scheduleOf } from '../../../core/plan/schedule.ts';
import type { Completed } from '../../../core/result/result.ts';
import { models } from '../../../simulation/registry.ts';
import { simulateTrial } from '../../../simulation/simulate.ts';
import { profileOf, scenarioOf, steadyMachine } from '../fixture.ts';

/** Ten events a second for ten seconds. */
const trace = Array.from({ length: 100 }, (_, i) => `${i / 10},256`).join('\n');
const all = Object.keys(patterns);

function simulatedWith(pattern: string, publish: string, profile = profileOf(steadyMachine)): Completed {
  const scenario = scenarioOf(
    `question: How late?\nsubscribers: 100\ntopics:\n  news: { publish: ${publish} }\n` +
      'phases: { connect: 1s, warmup: 0s, measure: 10s, drain: 5s }\nvariants: [sse]\n',
  );
  const { outcome } = simulateTrial(
    {
      scenario,
      variant: variantOf(patterns, pattern),
      repetition: 1,
      schedule: scheduleOf(scenario, { corpusOf: () => [], traceOf: () => trace }),
      profile,
      clients: 'groups',
    },
    models,
    new Date('2026-02-03T04:05:06Z'),
  );
  assert.equal(outcome.status, 'completed');
  return outcome as Completed; // just looked at
}

test.for(all)('a trace within the calibrated range is inside of it (%s)', (pattern) => {
  const [traced, steady] = ['{ trace: t.csv }', '10/s'].map((publish) => simulatedWith(pattern, publish));
  const [of, than] = [traced!.simulated!, steady!.simulated!];
  assert.equal(of.extrapolated, 1);
  assert.equal(of.expectedError['server-cpu'], than.expectedError['server-cpu']);
  assert.deepEqual([traced!.ledger.published, steady!.ledger.published], [100, 100]);
});

test('what a polled server takes for publishing, it takes for events of a trace too', () => {
  const profile = profileOf(steadyMachine);
  const polling = profile.variants['polling']!;
  // Publishing is most of it.
  const points = polling.points.map((point) => {
    const { requestsPerS, subscribers, perS, serverIdleShare } = point;
    const cpuUs = 30 * requestsPerS + 2 * subscribers * perS + 3000 * Math.sqrt(perS);
    return { ...point, serverCpuShare: serverIdleShare + cpuUs / 1e6 };
  });
  profile.variants['polling'] = { ...polling, points };
  const cpuUs = (publish: string) => simulatedWith('polling', publish, profile).processes[0]!.cpuUs;
  const [traced, steady] = [cpuUs('{ trace: t.csv }'), cpuUs('10/s')];
  assert.ok(Math.abs(traced / steady - 1) < 0.03, `${traced} for ${steady}`);
});

test('stages that begin with silence have the receivers of the events behind it', () => {
  const silent = '{ stages: [{ rate: 0/s, for: 2s }, { rate: 10/s, for: 8s }] }';
  const errorOf = (publish: string) => simulatedWith('sse', publish).simulated!.expectedError['server-cpu']!;
  expect(errorOf(silent)).toBeCloseTo(errorOf('8/s'), 9);
});
