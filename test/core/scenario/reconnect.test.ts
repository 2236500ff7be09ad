// Reads what a scenario says of how its subscribers reconnect, and the mistakes in it.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { base, mistakesIn, read } from '../base/mistakes.ts';

test('a policy is named alone or with its parts, in the file, by --set and in a matrix', () => {
  const reconnectIn = (yaml: string, ...overrides: string[]) => read(yaml, overrides).scenario.reconnect;
  const phoenix = { policy: 'phoenix', base: 10, cap: 5000, reset: 'on-open', advice: 'ignore' };
  assert.deepEqual(reconnectIn(`${base}reconnect: phoenix`), phoenix);
  assert.deepEqual(reconnectIn(base, 'reconnect=phoenix'), phoenix);
  assert.deepEqual(reconnectIn(base, 'reconnect.policy=phoenix', 'reconnect.advice=obey'), {
    ...phoenix,
    advice: 'obey',
  });
  const socketIo = { policy: 'socket.io', base: 1000, cap: 2000, reset: { stable: 10_000 } };
  assert.deepEqual(reconnectIn(`${base}reconnect: { policy: socket.io, cap: 2s, reset: { stable: 10s } }`), {
    ...socketIo,
    advice: 'ignore',
  });
  assert.equal(reconnectIn(base, 'reconnect.base=50ms').base, 50);
  const cells = read(`${base}matrix: { reconnect: [phoenix, full-jitter] }`).scenario.cells;
  assert.deepEqual(
    cells.map(({ scenario }) => scenario.reconnect.policy),
    ['phoenix', 'full-jitter'],
  );
});

const rows: [reads: string, given: string, mistakes: string[]][] = [
  [
    'a policy that does not exist',
    'phonix',
    [
      '4:12: reconnect: expected one of full-jitter, decorrelated, phoenix, signalr, socket.io, ' +
        'action-cable, centrifuge, ably, eventsource; got "phonix"; did you mean "phoenix"?',
    ],
  ],
  [
    'a wait for a policy with waits of its own',
    '{ policy: phoenix, base: 1s }',
    [
      '4:37: reconnect.base: phoenix has waits of its own; base and cap belong to full-jitter, ' +
        'decorrelated, socket.io, centrifuge',
    ],
  ],
  [
    'a base above the cap that a policy has',
    '{ policy: socket.io, base: 6s }',
    ['4:39: reconnect.base: base is longer than the cap of socket.io, 5 s; set cap too'],
  ],
  [
    'advice that is neither heard nor ignored',
    '{ advice: obay, reset: { stabel: 1s } }',
    [
      '4:22: reconnect.advice: expected one of obey, retry, ignore; got "obay"; did you mean "obey"?',
      '4:37: reconnect.reset.stabel: unknown key; did you mean "stable"?',
    ],
  ],
];
for (const [reads, given, mistakes] of rows)
  test(reads, () => assert.deepEqual(mistakesIn(`${base}reconnect: ${given}`), mistakes));
