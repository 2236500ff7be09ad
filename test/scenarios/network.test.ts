// Small versions of the scenarios about the way between server and client, and about those who do not read.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed } from '../../core/result/result.ts';
import { runSmall } from './small.ts';

const phases = (connect: string, warmup: string, measure: string, drain: string): string[] => [
  `phases.connect=${connect}`,
  `phases.warmup=${warmup}`,
  `phases.measure=${measure}`,
  `phases.drain=${drain}`,
];
/** Of those that were cut off. */
const cutOf = ({ recovery }: Completed) => {
  const { absences = 0, recovered = 0, tooLate = 0, neverBack = 0 } = recovery?.cut ?? {};
  return { absences, recovered, tooLate, neverBack };
};

test('blocked-websocket: who has nothing to fall back on never comes back', async (t) => {
  const { trials } = await runSmall(t, 'blocked-websocket', [
    'subscribers=10',
    'topics.inbox.publish=2/s each',
    ...phases('100ms', '1200ms', '2s', '5s'),
    'faults[0].at=200ms',
    'faults[1].at=300ms',
    'matrix={"faults[0].network.responses": [buffered]}',
    'expect=[]', // some are of the other proxy
  ]);
  const [alone, once, again, sse] = trials;
  assert.ok(alone && once && again && sse);
  for (const trial of [alone, once, sse]) {
    assert.deepEqual(cutOf(trial), { absences: 10, recovered: 0, tooLate: 0, neverBack: 10 });
    assert.ok(trial.ledger.missed > 0);
  }
  assert.deepEqual(once.transports, { websocket: 10, sse: 0, 'long-polling': 0 });
  assert.deepEqual(cutOf(again), { absences: 10, recovered: 10, tooLate: 0, neverBack: 0 });
  assert.deepEqual(again.transports, { websocket: 0, sse: 0, 'long-polling': 10 });
  assert.equal(again.ledger.missed, 0);
});
