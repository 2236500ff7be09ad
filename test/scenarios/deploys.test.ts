// Runs the scenarios of deploys small: every client is let go and comes back, nothing is lost or sent twice
// with a history, and without one exactly what was published meanwhile.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { runSmall, type Small } from './small.ts';

type Trial = Small['trials'][number];

/** Everybody whom the deploy cut off is back, and the deploy itself came to its end. */
function allBack({ label, recovery, faults, ledger }: Trial, clients: number): void {
  const { subscribers, cut } = recovery!;
  assert.equal(subscribers, clients, label);
  assert.ok(cut!.absences >= clients && cut!.neverBack === 0, label);
  assert.equal(ledger.duplicated, 0, label);
  assert.ok(faults![0]!.tookUs! > 0, label);
}

test('rolling-deploy loses nothing with a history, and without one what clients were away for', async (t) => {
  const { trials } = await runSmall(
    t,
    'rolling-deploy',
    [
      'subscribers=60',
      'servers.count=3',
      'topics.feed.count=6',
      'topics.feed.publish=20/s each',
      'phases.connect=200ms',
      'phases.warmup=100ms',
      'phases.measure=5s',
      'faults[0].at=200ms',
      'faults[0].window=200ms',
      'faults[0].limit=1s',
      'faults[0].advise=300ms',
      'variants=[websocket]',
    ],
    ['redis-server'],
  );
  const [kept, none] = trials as [Trial, Trial];
  for (const trial of trials) allBack(trial, 60);
  assert.deepEqual([kept.ledger.missed, kept.recovery!.cut!.tooLate], [0, 0]);
  assert.ok(none.ledger.missed > 0 && none.recovery!.cut!.tooLate > 0);
  assert.equal(none.recovery!.missedAway, none.ledger.missed, 'nothing was lost by who was connected');
  const { before, during, toUs } = kept.latencyAroundFaults!;
  assert.ok(before.count === 0 && during.count > 0 && toUs >= kept.faults![0]!.tookUs!);
});

test('blue-green moves everybody once', async (t) => {
  const { trials } = await runSmall(
    t,
    'blue-green',
    [
      'subscribers=40',
      'servers.count=2',
      'topics.feed.count=4',
      'topics.feed.publish=10/s each',
      'phases.connect=200ms',
      'phases.warmup=100ms',
      'phases.measure=5s',
      'faults[0].at=200ms',
      'faults[0].window=300ms',
      'faults[0].limit=1s',
      'faults[0].pause=100ms',
      'variants=[websocket, sse]',
    ],
    ['redis-server', 'haproxy'],
  );
  for (const trial of trials) {
    allBack(trial, 40);
    const { cut, connects } = trial.recovery!;
    assert.deepEqual([cut!.absences, cut!.recovered, connects.opened], [40, 40, 40], trial.label);
    assert.equal(trial.ledger.missed, 0, trial.label);
  }
});

test('deploy-window lets everybody go at once or little by little, whoever they are', async (t) => {
  const { trials } = await runSmall(
    t,
    'deploy-window',
    [
      'subscribers=30',
      'servers.count=2',
      'server.announce=300ms',
      'topics.feed.count=3',
      'phases.connect=200ms',
      'phases.warmup=100ms',
      'phases.measure=4s',
      'faults[0].at=100ms',
      "matrix={'faults[0].window': [0s, 500ms], reconnect: [phoenix, full-jitter]}",
    ],
    ['redis-server'],
  );
  assert.equal(trials.length, 4);
  for (const trial of trials) {
    allBack(trial, 30);
    assert.equal(trial.ledger.missed, 0, trial.label);
  }
});
