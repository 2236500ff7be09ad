// Runs the scenarios of deploys small: every client is let go and comes back, nothing is lost or sent twice
// with a history, and without one exactly what was published meanwhile.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { runSmall, type Small } from './small.ts';

type Trial = Small['trials'][number];

/** Everybody that the deploy cut off is back; the measured phase is several times as long as a deploy. */
function allBack({ label, recovery, faults, ledger }: Trial, clients: number) {
  assert.equal(ledger.duplicated, 0, label);
  assert.ok(faults![0]!.tookUs! > 0 && !faults![0]!.unfinished, `${label}: the deploy did not end`);
  const { subscribers, cut } = recovery!;
  assert.deepEqual([subscribers, cut!.neverBack], [clients, 0], label);
  assert.ok(cut!.absences >= clients, label);
}

test('rolling-deploy loses nothing with a history, and without one what clients were away for', async (t) => {
  const { trials } = await runSmall(
    t,
    'rolling-deploy',
    [
      'subscribers=60',
      'servers.count=2',
      'faults[0].parallel=1',
      'topics.feed.count=6',
      'topics.feed.publish=20/s each',
      'phases.connect=200ms',
      'phases.warmup=100ms',
      'phases.measure=7s',
      'faults[0].at=200ms',
      'faults[0].window=200ms',
      'faults[0].limit=1s',
      'faults[0].advise=300ms',
      'variants=[websocket]',
    ],
    ['redis-server'],
  );
  const [kept, none] = trials as [Trial, Trial];
  assert.deepEqual([kept.ledger.missed, kept.recovery!.cut!.tooLate], [0, 0]);
  assert.ok(none.ledger.missed > 0 && none.recovery!.cut!.tooLate > 0);
  assert.equal(none.recovery!.missedAway, none.ledger.missed, 'nothing was lost by who was connected');
  const { before, during, toUs } = kept.latencyAroundFaults!;
  assert.ok(before.count === 0 && during.count > 0 && toUs > 0);
  for (const trial of trials) allBack(trial, 60);
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
      'phases.measure=7s',
      'faults[0].at=200ms',
      'faults[0].window=300ms',
      'faults[0].limit=1s',
      'faults[0].pause=100ms',
      'variants=[sse]',
    ],
    ['redis-server', 'haproxy'],
  );
  const [trial] = trials as [Trial];
  assert.equal(trial.ledger.missed, 0);
  allBack(trial, 40);
  const { cut, connects } = trial.recovery!;
  assert.deepEqual([cut!.absences, cut!.recovered, connects.opened], [40, 40, 40]);
});

test('deploy-window lets everybody go at once, and an announced window spreads their return', async (t) => {
  const { trials } = await runSmall(
    t,
    'deploy-window',
    [
      'subscribers=30',
      'servers.count=2',
      'server.announce=500ms',
      'topics.feed.count=3',
      'topics.feed.publish=10/s each',
      'phases.connect=200ms',
      'phases.warmup=100ms',
      'phases.measure=7s',
      'faults[0].at=100ms',
      "matrix={'faults[0].window': [0s], reconnect: [full-jitter]}",
    ],
    ['redis-server', 'haproxy'],
  );
  const [trial] = trials as [Trial];
  assert.equal(trial.ledger.missed, 0);
  allBack(trial, 30);
  assert.equal(trial.recovery!.cut!.recovered, trial.recovery!.cut!.absences);
});
