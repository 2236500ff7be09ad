// Small versions of the scenarios about clients that come back: whatever they draw and whatever they are
// told, each of them is there again and has all that its server still had.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed } from '../../core/result/result.ts';
import { runSmall } from './small.ts';

const phases = (measure: string): string[] => [
  'phases.connect=100ms',
  'phases.warmup=200ms',
  `phases.measure=${measure}`,
  'phases.drain=10s', // it ends when all has come
];

/** How absences ended, and what was missed. */
function ends({ recovery, ledger }: Completed) {
  const cause = recovery?.cut ?? recovery?.left;
  assert.ok(recovery && cause);
  const { absences, recovered, tooLate, neverBack } = cause;
  const { missedAway } = recovery;
  return { absences, recovered, tooLate, neverBack, missed: ledger.missed, missedAway };
}
const nothingLost = { tooLate: 0, neverBack: 0, missed: 0, missedAway: 0 };

test('reconnect-storm: a server that is killed and starts again gets all of its clients back', async (t) => {
  const { trials } = await runSmall(
    t,
    'reconnect-storm',
    [
      'subscribers=60',
      'topics.news.publish=10/s',
      ...phases('2s'),
      'faults[0].at=200ms',
      'faults[1].at=300ms',
      'reconnect.cap=1s',
      'server.announce=1s',
      'matrix={"reconnect.policy": [full-jitter], "reconnect.advice": [obey]}',
      'expect=[]', // some are of the other cells
    ],
    ['redis-server'],
  );
  assert.deepEqual(trials.map(ends), [{ absences: 60, recovered: 60, ...nothingLost }]);
});

test('advice-ignored: who ignores a server that lets go asks it again and again', async (t) => {
  const { trials } = await runSmall(
    t,
    'advice-ignored',
    [
      'subscribers=30',
      'topics.news.publish=10/s',
      ...phases('2500ms'),
      'faults[0].at=100ms',
      'faults[1].at=900ms',
      'faults[2].at=1100ms',
      'variants=[websocket]',
      'matrix={"reconnect": [phoenix]}',
      'server.announce=1s',
      'expect=[]', // some are of the other cells
    ],
    ['redis-server'],
  );
  for (const trial of trials)
    assert.deepEqual(ends(trial), { absences: 30, recovered: 30, ...nothingLost }, trial.label);
  // Its first waits are 10, 50 and 100 ms, and the server sends everyone away for 800 ms.
  const refused = trials[0]!.recovery!.connects.refused;
  assert.ok(refused >= 3 * 30, `${refused} attempts were refused`);
});

test('offline-window: what the history holds is resumed, the rest is told and missed', async (t) => {
  const { trials } = await runSmall(t, 'offline-window', [
    'subscribers=10',
    'topics.news.publish=20/s',
    ...phases('2500ms'),
    'faults[0].at=500ms',
    'variants=[sse]',
    'matrix={"server.history": [5, 1000], "faults[0].for": [1s]}',
    'expect=[]', // some are of the other cells
  ]);
  const [short, long] = trials.map(ends);
  assert.deepEqual(long, { absences: 5, recovered: 5, ...nothingLost });
  assert.ok(short && short.missed > 0);
  assert.deepEqual(short, {
    absences: 5,
    recovered: 0,
    tooLate: 5,
    neverBack: 0,
    missed: short.missed,
    missedAway: short.missed,
  });
});
