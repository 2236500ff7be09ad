// Subscribers spread over the servers of a list, and again over those that are left.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { chooseServer } from '../../../../core/policy/client/choose-server.ts';

test('each turn goes to another server, until all have been asked; then it begins again', () => {
  fc.assert(
    fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 64 }), (subscriber, servers) => {
      const round = Array.from({ length: servers }, (_, turn) => chooseServer(subscriber, turn, servers));
      assert.equal(round[0], subscriber % servers);
      assert.deepEqual(
        [...round].sort((a, b) => a - b),
        Array.from({ length: servers }, (_, i) => i),
      );
      assert.equal(chooseServer(subscriber, servers, servers), round[0]);
      assert.equal(chooseServer(subscriber, 2 * servers - 1, servers), round.at(-1));
    }),
  );
});

test('clients that one of ten servers leaves behind spread over the nine others', () => {
  const counts = Array.from({ length: 10 }, () => 0);
  for (let subscriber = 0; subscriber < 9000; subscriber++)
    if (subscriber % 10 === 3) counts[chooseServer(subscriber, 1, 10)]!++;
  assert.equal(counts[3], 0);
  // 100 each in the mean, with a deviation of 9.4: five of them either way.
  for (const [server, count] of counts.entries())
    if (server !== 3) assert.ok(count > 53 && count < 147, `${count} at server ${server}`);
});
