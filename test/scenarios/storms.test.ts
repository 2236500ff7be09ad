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

/** Everybody who was cut off was resumed, and nobody lost anything. */
function resumedAll({ recovery, ledger }: Completed, absences: number): void {
  const { absences: were = 0, recovered = 0 } = recovery?.cut ?? {};
  assert.deepEqual([were, recovered, ledger.missed], [absences, absences, 0]);
}

test('connect-auth: who finds the queue full is refused, comes again and is resumed', async (t) => {
  const { trials } = await runSmall(t, 'connect-auth', [
    'subscribers=24',
    'topics.inbox.publish=1/s each',
    ...phases('1s', '200ms', '1s', '4s'),
    'faults[0].at=200ms',
    `matrix={ server: ['{ auth: { lookup: 40ms, concurrency: 2, queue: 2 } }'] }`,
    'expect=[missed == 0]',
  ]);
  const [trial] = trials;
  resumedAll(trial!, 24);
  // Each of those that come again is checked again.
  const { refused } = trial!.recovery!.connects;
  assert.ok(refused > 0);
  assert.ok(trial!.counters.server.authChecks >= 48, `${trial!.counters.server.authChecks}`);
});

test('dependency-down: who takes a handshake for a success comes again and again', async (t) => {
  const { trials } = await runSmall(t, 'dependency-down', [
    'subscribers=6',
    ...phases('200ms', '200ms', '3s', '2s'),
    'faults[0].at=300ms',
    'faults[0].for=2500ms',
    'matrix={ reconnect: [phoenix] }',
    'expect=[missed == 0]',
  ]);
  const [trial] = trials;
  resumedAll(trial!, 6);
  // By the list of its waits Phoenix's client would try 9 times in that time.
  assert.ok(trial!.recovery!.connects.refused > 6 * 9, `${trial!.recovery!.connects.refused}`);
});

test('accept-then-close: who waits for a stable connection goes easy on the server', async (t) => {
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
      "matrix={ 'faults[0].refuse': [dependency-down], reconnect: ['{ cap: 1s, reset: { stable: 10s } }'] }",
    ],
    ['redis-server', 'haproxy'],
  );
  const [trial] = trials;
  resumedAll(trial!, 6);
  // Of waits of up to 0.1, 0.2, 0.4, 0.8 and then 1 s about 7 go into the time.
  const { refused } = trial!.recovery!.connects;
  assert.ok(refused > 0 && refused < 6 * 14, `${refused}`);
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
      'faults=[{ at: 200ms, start: 3 }, { at: 3500ms, disconnect: 20% }]',
      'matrix={ servers.in-front: [haproxy] }',
      'expect=[missed == 0]',
    ],
    ['redis-server', 'haproxy'],
  );
  const [trial] = trials;
  resumedAll(trial!, 8);
  assert.deepEqual(
    trial!.processes.filter(({ role }) => role === 'server').map(({ subscribers }) => subscribers),
    [16, 16, 8],
  );
  assert.deepEqual(figureOf('busiest-server-connects', trial!), { value: 1 });
});
