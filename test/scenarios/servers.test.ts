// Small versions of the scenarios about several servers: what a broker connects, what a crash and an outage
// of the broker lose, webhook servers that share their store, and people who chat over several servers.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { runSmall, type Small } from './small.ts';

const phases = (connect: string, warmup: string, measure: string, drain: string): string[] => [
  `phases.connect=${connect}`,
  `phases.warmup=${warmup}`,
  `phases.measure=${measure}`,
  `phases.drain=${drain}`,
];
/** What is expected of the cells that are left out could not be. */
const cells = (path: string, ...values: string[]): string[] => [
  'expect=[]',
  `matrix={ ${path}: [${values.join(', ')}] }`,
];
const cutOf = ({ recovery }: Small['trials'][number]) => {
  const { absences = 0, recovered = 0, tooLate = 0, neverBack = 0 } = recovery?.cut ?? {};
  return { absences, recovered, tooLate, neverBack };
};

test('ten-servers: without a broker each event reaches one server, sticky or not', async (t) => {
  const { trials } = await runSmall(
    t,
    'ten-servers',
    [
      'subscribers=12',
      'servers.count=4',
      'topics.news.publish=40/s',
      ...phases('100ms', '100ms', '1s', '1s'),
      'expect=[]',
      'variants=[websocket]',
      'matrix={ servers.broker: [in-process, nats], servers.in-front: [haproxy-sticky] }',
    ],
    ['haproxy', 'nats-server'],
  );
  const [apart, connected] = trials as [Small['trials'][number], Small['trials'][number]];
  // Each of 40 events goes to one of four servers, which have three clients each.
  assert.deepEqual([apart.ledger.expected, apart.ledger.missed], [480, 360]);
  assert.deepEqual([connected.ledger.expected, connected.ledger.missed], [480, 0]);
});

test('server-crash: the new server is behind with pub/sub, not with Streams', async (t) => {
  const { trials } = await runSmall(
    t,
    'server-crash',
    [
      'subscribers=24',
      'servers.count=2',
      'reconnect.base=6s',
      ...phases('100ms', '100ms', '1s', '7s'),
      'faults[0].at=100ms',
      'faults[1].at=300ms',
      'variants=[sse]',
    ],
    ['haproxy', 'redis-server'],
  );
  const [pubsub, streams] = trials as [Small['trials'][number], Small['trials'][number]];
  const { tooLate, recovered, ...others } = cutOf(pubsub);
  assert.deepEqual(others, { absences: 12, neverBack: 0 });
  assert.equal(tooLate + recovered, 12);
  assert.ok(tooLate > 0, 'some came back to the new server');
  assert.ok(pubsub.ledger.missed > 0);
  assert.equal(pubsub.recovery?.missedAway, pubsub.ledger.missed);
  assert.deepEqual(cutOf(streams), { absences: 12, recovered: 12, tooLate: 0, neverBack: 0 });
  assert.equal(streams.ledger.missed, 0);
});

test('broker-outage: one server that is cut off loses with NATS, and catches up with Streams', async (t) => {
  const { trials } = await runSmall(
    t,
    'broker-outage',
    [
      'subscribers=12',
      ...phases('100ms', '100ms', '3s', '5s'),
      'faults[0].at=100ms',
      'faults[0].for=200ms',
      'faults[1].at=600ms',
      'faults[1].for=200ms',
      'faults[2].at=1600ms',
      'faults[2].for=1s',
      ...cells('servers.broker', 'nats', 'redis-streams'),
    ],
    ['nats-server', 'redis-server'],
  );
  const [nats, streams] = trials as [Small['trials'][number], Small['trials'][number]];
  assert.ok(nats.ledger.missed > 0);
  assert.equal(streams.ledger.missed, 0);
  for (const { label, recovery, ledger } of trials) {
    assert.equal(recovery, undefined, `${label}: nobody was away`);
    assert.equal(ledger.unconfirmed, 0, `${label}: what was refused was published again`);
  }
});

test('webhook-workers: two servers share one Redis, and each event comes once', async (t) => {
  const { trials } = await runSmall(
    t,
    'webhook-workers',
    [
      'subscribers=20',
      'topics.news.publish=20/s',
      ...phases('300ms', '100ms', '1s', '10s'),
      ...cells('servers.count', '2'),
    ],
    ['redis-server'],
  );
  const { ledger, counters, processes } = trials[0]!;
  assert.deepEqual([ledger.expected, ledger.missed, ledger.duplicated], [400, 0, 0]);
  assert.equal(counters.server.registrations, 20);
  assert.deepEqual(
    processes.map(({ role, index }) => `${role} ${index}`),
    ['server 0', 'server 1', 'load 0', 'publisher 0', 'broker 0'],
  );
});

test('chat: people on three servers have each message once and in order', async (t) => {
  const { trials } = await runSmall(
    t,
    'chat',
    [
      'servers={ count: 3, broker: redis-streams }',
      'subscribers=12',
      'topics.room.publish=40/s',
      'topics.room.count=2',
      ...phases('100ms', '200ms', '1s', '5s'),
      'variants=[websocket, sse]',
      'expect=[]',
    ],
    ['redis-server'],
  );
  for (const { label, ledger } of trials) {
    assert.deepEqual([ledger.missed, ledger.duplicated], [0, 0], label);
    assert.equal(ledger.published, 40, label);
    assert.equal(ledger.unconfirmed, 0, label);
  }
});
