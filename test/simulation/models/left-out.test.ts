// Tests what models say of a scenario that they do not compute.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Simulated } from '../../../simulation/model.ts';
import { scenarioOf, simulated } from '../fixture.ts';

type Given = { rate?: string; more?: string; options?: Record<string, unknown> };

function simulationOf(pattern: string, { rate = '10/s', more = '', options = {} }: Given = {}): Simulated {
  const scenario = scenarioOf(
    `question: What is missing?\nsubscribers: 10\ntopics:\n  news: { publish: ${rate} }\n` +
      `phases: { measure: 20s, drain: 6s }\nvariants: [sse]\n${more}\n`,
  );
  return simulated({ scenario, pattern, options });
}

const leftOut = (pattern: string, given: Given = {}) => simulationOf(pattern, given).leavesOut.join('\n');

test('events that polls do not find, or find later, are left out and named', () => {
  const every = { options: { every: '5s' } };
  const of = (given: Given = {}) => leftOut('polling', { ...every, ...given });
  assert.doesNotMatch(of(), /the history keeps|an answer ends/);
  // Up to 55 events of 64 KiB come between two polls: more than 1 MiB, and less than the history keeps.
  const large = of({ more: 'payload: 64KiB' });
  assert.match(large, /^Events that wait for another poll, because an answer ends at 1 MiB of events\.$/m);
  assert.doesNotMatch(large, /the history keeps/);
  assert.match(
    of({ more: 'payload: 64KiB\nserver: { historySize: 3MiB }' }),
    /^Events that are gone before a poll comes for them: the history keeps 3 MiB over all topics\.$/m,
  );
  assert.match(
    of({ more: 'server: { history: 50 }' }),
    /^Events that are gone before a poll comes for them: the history keeps 50 of each topic\.$/m,
  );
  assert.doesNotMatch(of({ more: 'server: { history: 60 }' }), /the history keeps/);
});

test.for([
  ['polling', {}],
  ['long-polling', {}],
  ['long-polling', { batch: '300ms' }],
  ['http-stream', {}],
  ['sse', {}],
  ['websocket', {}],
  ['webhook', {}],
] as const)('a payload that was not measured lies outside of the profile (%s, %o)', ([pattern, options]) => {
  const [usual, large, small] = ['256B', '1KiB', '64B'].map((payload) =>
    simulationOf(pattern, { options, more: `payload: ${payload}` }),
  );
  assert.deepEqual([usual!.extrapolated, large!.extrapolated, small!.extrapolated], [1, 4, 4]);
  assert.ok(large!.expectedError['server-cpu']! > usual!.expectedError['server-cpu']! + 0.1);
});

test('what no run was compared with has no expected error', () => {
  const errors = (pattern: string, options: Record<string, unknown> = {}) => {
    const { requests, bytes, descriptors } = simulationOf(pattern, { options }).expectedError;
    return [requests, bytes, descriptors];
  };
  assert.deepEqual(errors('polling'), [0.01, 0.01, 0.01]);
  assert.deepEqual(errors('polling', { connection: 'close' }), [0.01, 0.01, null]);
  assert.deepEqual(errors('sse', { over: 'h2' }), [0.01, 0.01, null]);
  assert.deepEqual(errors('sse', { gzip: true }), [0.02, null, 0.01]);
  assert.deepEqual(errors('long-polling', { batch: '300ms' }), [null, null, 0.01]);
});

test('the CPU of more signs of life than the profile has is left out and named', () => {
  const of = (servers: number, faults = '[]') => {
    const scenario = scenarioOf(
      'question: What is missing?\nsubscribers: 2500\ntopics: { news: { publish: 1/s } }\n' +
        `servers: { count: ${servers} }\nfaults: ${faults}\n` +
        'phases: { measure: 5s, drain: 5s }\nvariants: [websocket]\n',
    );
    return simulated({ scenario, pattern: 'websocket' }).leavesOut.join('\n');
  };
  const said = /^The server's CPU for signs of life \(pings, heartbeats\) of more than 1,000 subscribers\.$/m;
  assert.match(of(1), said);
  assert.match(of(1, '[{ at: 1s, disconnect: 10% }]'), said);
  assert.doesNotMatch(of(3), said);
});
