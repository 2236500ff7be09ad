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
    assert.deepEqual(cutOf(trial), { absences: 10, recovered: 0, tooLate: 0, neverBack: 10 }, trial.label);
    assert.ok(trial.ledger.missed > 0);
  }
  assert.deepEqual(once.transports, { websocket: 10, sse: 0, 'long-polling': 0 });
  assert.deepEqual(cutOf(again), { absences: 10, recovered: 10, tooLate: 0, neverBack: 0 });
  assert.deepEqual(again.transports, { websocket: 0, sse: 0, 'long-polling': 10 });
  assert.equal(again.ledger.missed, 0);
});

test('lossy-network: what is lost on the way is late, and nothing is missed', async (t) => {
  const { trials } = await runSmall(t, 'lossy-network', [
    'subscribers=20',
    'variants=[sse, websocket]',
    'matrix={}',
    'expect=[missed == 0, duplicated == 0, reordered == 0]',
    ...phases('200ms', '200ms', '2s', '4s'),
  ]);
  for (const { ledger, label } of trials) {
    assert.deepEqual([ledger.missed, ledger.duplicated, ledger.reordered], [0, 0, 0], label);
    assert.equal(ledger.delivered, 200, label);
  }
});

test('slow-consumers: who is cut off loses nothing, who is kept misses what was skipped', async (t) => {
  const { trials } = await runSmall(t, 'slow-consumers', [
    'subscribers=20',
    'topics.feed.publish=200/s',
    'payload=64KiB',
    'faults[0].at=100ms',
    'faults[0].for=2500ms',
    'expect=[]',
    ...phases('100ms', '100ms', '2s', '8s'),
  ]);
  const [disconnect, drop, coalesce] = trials;
  assert.ok(disconnect && drop && coalesce);
  assert.equal(disconnect.ledger.missed, 0);
  const { absences, recovered } = cutOf(disconnect);
  assert.ok(recovered >= 1 && recovered === absences, `${recovered} of ${absences}`);
  for (const { ledger, counters, label } of [drop, coalesce]) {
    assert.equal(counters.client.reconnects, 0, label);
    assert.ok(ledger.missed > 0, label);
    assert.equal(counters.server.slowDrops, ledger.missed, label);
  }
});

test('idle-timeout: a heartbeat slower than the timeout is cut off all the time', async (t) => {
  const { trials } = await runSmall(
    t,
    'idle-timeout',
    [
      'subscribers=10',
      'topics.status.publish=0.5/s each',
      'servers.in-front.idle=1s',
      'variants=[{ sse: { heartbeat: 250ms } }, { websocket: { ping: 10s } }]',
      'expect=[]',
      ...phases('100ms', '100ms', '4s', '3s'),
    ],
    ['haproxy'],
  );
  const [often, rarely] = trials;
  assert.ok(often && rarely);
  for (const { ledger, label } of trials) assert.equal(ledger.missed, 0, label);
  assert.equal(often.counters.client.reconnects, 0);
  assert.ok(rarely.counters.client.reconnects >= 10);
});
