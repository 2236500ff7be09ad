// Which points of a profile are measured again: three of each pattern whose subscribers hold a connection, of
// those that leave the server room.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { pointsOf } from '../../bench/validate/simulation-again.ts';
import { patterns } from '../../core/pattern/registry.ts';
import { profileOf, steadyMachine, type Machine } from '../simulation/fixture.ts';

const small: Machine = { ...steadyMachine, subscribers: [10, 500], perS: [2, 20, 100] };

/** Of one pattern, as `10@2`. */
function placesOn(machine: Machine): string[] {
  const points = pointsOf(patterns, profileOf(machine), true);
  return points.map(({ subscribers, perS }) => `${subscribers}@${perS}`);
}

test('every pattern is asked again whose subscribers hold a connection', () => {
  const asked = new Set(pointsOf(patterns, profileOf(small), false).map(({ pattern }) => pattern));
  const holding = Object.entries(patterns).filter(([, { holdsConnection }]) => holdsConnection);
  assert.deepEqual(
    [...asked],
    holding.map(([name]) => name),
  );
  assert.ok(asked.has('sse') && !asked.has('webhook'));
});

test('the slowest and the fastest with few subscribers, and one with many, for at least 5 s', () => {
  const points = pointsOf(patterns, profileOf(small), true);
  const { pattern } = points[0]!;
  assert.deepEqual(points, [
    { pattern, subscribers: 10, perS: 2, measureMs: 125_000, repetition: 201 },
    { pattern, subscribers: 10, perS: 100, measureMs: 5000, repetition: 202 },
    { pattern, subscribers: 500, perS: 100, measureMs: 5000, repetition: 203 },
  ]);
});

test('none that takes more than 60 % of a core, and none twice', () => {
  // 500 receivers of an event take 45 ms: 20 a second are 90 % of a core.
  assert.deepEqual(placesOn({ ...small, eachCpuUs: 90 }), ['10@2', '10@100', '500@2']);
  assert.deepEqual(placesOn({ ...small, subscribers: [10], perS: [2] }), ['10@2']);
  assert.deepEqual(placesOn({ ...small, cpuUs: 1_000_000 }), []);
});
