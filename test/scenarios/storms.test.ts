// Small versions of the scenarios about storms of connects: what a connect costs, who gets them, and clients
// that take a connection for a success.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { figureOf } from '../../core/metrics/registry.ts';
import type { Completed } from '../../core/result/result.ts';
import { runSmall } from './small.ts';

const phases = (connect: string, warmup: string, measure: string, drain: string): string[] => [
  `phases.connect=${connect}`,
  `phases.warmup=${warmup}`,
  `phases.measure=${measure}`,
  `phases.drain=${drain}`,
];

/** A matrix of two cells has two trials. */
function two([first, second]: readonly Completed[]): [Completed, Completed] {
  assert.ok(first && second);
  return [first, second];
}

/** Everybody who was cut off was resumed, and nobody lost anything. */
function resumedAll({ recovery, ledger }: Completed, absences: number): void {
  const { absences: were = 0, recovered = 0 } = recovery?.cut ?? {};
  assert.deepEqual([were, recovered, ledger.missed], [absences, absences, 0]);
}

test('connect-auth: a short queue refuses, a long one does not, and all are resumed', async (t) => {
  const lookup = (queue: number) => `'{ auth: { lookup: 40ms, concurrency: 2, queue: ${queue} } }'`;
  const { trials } = await runSmall(t, 'connect-auth', [
    'subscribers=24',
    'topics.inbox.publish=1/s each',
    ...phases('1s', '200ms', '1s', '4s'),
    'faults[0].at=200ms',
    `matrix={ server: [${lookup(2)}, ${lookup(100)}] }`,
    'expect=[missed == 0]',
  ]);
  const [short, long] = two(trials);
  for (const trial of [short, long]) {
    resumedAll(trial, 24);
    assert.ok(trial.counters.server.authChecks >= 48);
  }
  assert.ok(short.recovery!.connects.refused > 0);
  assert.equal(long.recovery!.connects.refused, 0);
});

test('dependency-down: who takes a handshake for a success comes again and again', async (t) => {
  const { trials } = await runSmall(t, 'dependency-down', [
    'subscribers=6',
    ...phases('200ms', '200ms', '2500ms', '3s'),
    'faults[0].at=300ms',
    'faults[0].for=2s',
    'matrix={ reconnect: [phoenix, socket.io] }',
    'expect=[missed == 0]',
  ]);
  const [phoenix, socketIo] = two(trials);
  for (const trial of [phoenix, socketIo]) resumedAll(trial, 6);
  // By the list of its waits Phoenix would try 9 times in 2 s, if it did not begin anew each time.
  assert.ok(phoenix.recovery!.connects.refused > 6 * 9, `${phoenix.recovery!.connects.refused}`);
  assert.ok(socketIo.recovery!.connects.refused <= 6 * 4, `${socketIo.recovery!.connects.refused}`);
});

test('accept-then-close: the rule of the backoff matters where a handshake succeeds', async (t) => {
  const { trials } = await runSmall(
    t,
    'accept-then-close',
    [
      'subscribers=12',
      'servers.count=2',
      ...phases('200ms', '300ms', '2500ms', '4s'),
      'faults[0].at=300ms',
      'faults[0].for=2s',
      'faults[1].at=400ms',
      `matrix={ 'faults[0].refuse': [dependency-down], reconnect: ['{ reset: on-open }', '{ reset: { stable: 10s } }'] }`,
    ],
    ['redis-server', 'haproxy'],
  );
  const [onOpen, stable] = two(trials);
  for (const trial of [onOpen, stable]) resumedAll(trial, 6);
  assert.ok(onOpen.recovery!.connects.refused > 2 * stable.recovery!.connects.refused);
});

test('fresh-server: with least connections the empty server gets all that come', async (t) => {
  const { trials } = await runSmall(
    t,
    'fresh-server',
    [
      'subscribers=40',
      'servers.count=2',
      'topics.inbox.publish=1/s each',
      ...phases('500ms', '300ms', '5s', '3s'),
      'faults=[{ at: 300ms, start: 3 }, { at: 3500ms, disconnect: 20% }]',
      'matrix={ servers.in-front: [haproxy, haproxy-sticky] }',
      'expect=[missed == 0]',
    ],
    ['redis-server', 'haproxy'],
  );
  const [least, sticky] = two(trials);
  for (const trial of [least, sticky]) resumedAll(trial, 8);
  const held = ({ processes }: Completed) =>
    processes.filter(({ role }) => role === 'server').map(({ subscribers }) => subscribers);
  assert.deepEqual(held(least), [16, 16, 8]);
  assert.deepEqual(figureOf('busiest-server-connects', least), { value: 1 });
  assert.deepEqual(held(sticky), [20, 20, 0]);
});
