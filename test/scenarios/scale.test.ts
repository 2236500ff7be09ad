// Runs the scenarios of a hundred thousand connections and more with a few hundred: several load processes,
// several source addresses, and what connections take in memory.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { figureOf } from '../../core/metrics/registry.ts';
import { runSmall } from './small.ts';

test('rolling-deploy-100k, with 240 clients on three addresses, loses nothing', async (t) => {
  const { trials } = await runSmall(
    t,
    'rolling-deploy-100k',
    [
      'subscribers=240',
      'loadProcesses=2',
      'servers.count=2',
      'topics.all.publish=5/s',
      'topics.feed.count=12',
      'topics.feed.publish=5/s each',
      'phases.connect=200ms',
      'phases.warmup=100ms',
      'phases.measure=7s',
      'phases.drain=8s',
      'faults[0].at=200ms',
      'faults[0].window=200ms',
      'faults[0].limit=1s',
      'faults[0].parallel=1',
      'faults[0].advise=300ms',
      'variants=[sse]',
    ],
    ['redis-server'],
    // As if each held a hundred connections, so that an address carries a hundred subscribers.
    (plan) => ({
      ...plan,
      steps: plan.steps.map((step) => ({ ...step, plan: { ...step.plan, connectionsEach: 100 } })),
    }),
  );
  const [{ ledger, recovery, faults, connections }] = trials as [(typeof trials)[number]];
  assert.deepEqual([ledger.missed, ledger.duplicated, connections], [0, 0, 240]);
  assert.ok(recovery!.cut!.absences >= 240 && recovery!.cut!.neverBack === 0);
  assert.equal(faults![0]!.unfinished, undefined);
});

test('how-many, with a thousand: each gets the event, and what a connection takes is read', async (t) => {
  const { result, trials } = await runSmall(
    t,
    'how-many',
    [
      'subscribers=1000',
      'servers.count=2',
      'topics.news.publish=1/s',
      'phases.measure=1s',
      'phases.drain=5s',
      'variants=[sse: { heartbeat: 1h }]',
      'search=[{ what: subscribers, from: 1000, to: 1000, keep: missed == 0 }]',
    ],
    ['redis-server'],
  );
  const [trial] = trials as [(typeof trials)[number]];
  assert.deepEqual([trial.connections, trial.ledger.delivered, trial.ledger.missed], [1000, 1000, 0]);
  assert.deepEqual(result.searches![0]!.limit, { kind: 'at-least', value: 1000 });
  for (const name of ['connect-time', 'server-memory-per-subscriber', 'client-memory-per-subscriber'])
    assert.ok(figureOf(name, trial).value! > 0, name);
  if (!trial.noProc) assert.notEqual(figureOf('kernel-memory-per-connection', trial).value, undefined);
});
