// Small versions of the scenarios about the way between server and client, and about those who do not read.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Completed } from '../../core/result/result.ts';
import { runSmall } from './small.ts';

const phases = (measure: string, drain: string): string[] => [
  'phases.connect=100ms',
  'phases.warmup=0s',
  `phases.measure=${measure}`,
  `phases.drain=${drain}`,
];
/** Of those that were cut off. */
const cutOf = ({ recovery }: Completed) => {
  const { absences = 0, recovered = 0, tooLate = 0, neverBack = 0 } = recovery?.cut ?? {};
  return { absences, recovered, tooLate, neverBack };
};

test('blocked-websocket: only who goes over again comes back, and loses nothing', async (t) => {
  const { trials } = await runSmall(t, 'blocked-websocket', [
    'subscribers=10',
    'topics.inbox.publish=2/s each',
    ...phases('2s', '3s'),
    // A WebSocket has worked when it has been up for a second.
    'faults[0].at=1200ms',
    'faults[1].at=1300ms',
    'variants=[websocket: { fallback: [sse] }, websocket: { fallback: [sse], again: true }]',
    'matrix={}',
    'expect=[]',
  ]);
  const [once, again] = trials;
  assert.ok(once && again);
  assert.deepEqual(cutOf(once), { absences: 10, recovered: 0, tooLate: 0, neverBack: 10 });
  assert.ok(once.ledger.missed > 0);
  assert.deepEqual(once.transports, { websocket: 10, sse: 0 });
  assert.deepEqual(cutOf(again), { absences: 10, recovered: 10, tooLate: 0, neverBack: 0 });
  assert.deepEqual(again.transports, { websocket: 0, sse: 10 });
  assert.equal(again.ledger.missed, 0);
});

test('lossy-network: what is lost on the way is late, and nothing is missed', async (t) => {
  const { trials } = await runSmall(t, 'lossy-network', [
    'subscribers=20',
    'variants=[websocket]',
    'matrix={ network.loss: [1%] }',
    'expect=[missed == 0, duplicated == 0, reordered == 0]',
    ...phases('1s', '4s'),
  ]);
  for (const { ledger, label } of trials) {
    assert.deepEqual([ledger.missed, ledger.duplicated, ledger.reordered], [0, 0, 0], label);
    assert.equal(ledger.delivered, 100, label);
  }
});

test('slow-consumers: who is cut off loses nothing, who is kept misses what was skipped', async (t) => {
  const { trials } = await runSmall(t, 'slow-consumers', [
    // To the one that does not read go 50 MB: more than the kernel's buffers ever hold for it.
    'subscribers=4',
    'topics.feed.publish=200/s',
    'payload=128KiB',
    'faults[0].slow=25%',
    'faults[0].at=100ms',
    'faults[0].for=3s',
    'matrix={ server.slow: [disconnect, coalesce] }',
    'expect=[]',
    ...phases('2s', '5s'),
  ]);
  const [disconnect, coalesce] = trials;
  assert.ok(disconnect && coalesce);
  assert.equal(disconnect.ledger.missed, 0);
  const { absences, recovered } = cutOf(disconnect);
  assert.ok(recovered >= 1 && recovered === absences, `${recovered} of ${absences}`);
  const { ledger, counters } = coalesce;
  assert.equal(counters.client.reconnects, 0);
  assert.ok(ledger.missed > 0);
  assert.equal(counters.server.slowDrops, ledger.missed);
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
      ...phases('3s', '3s'),
    ],
    ['haproxy'],
  );
  const [often, rarely] = trials;
  assert.ok(often && rarely);
  for (const { ledger, label } of trials) assert.equal(ledger.missed, 0, label);
  assert.equal(often.counters.client.reconnects, 0);
  assert.ok(rarely.counters.client.reconnects >= 10);
});
