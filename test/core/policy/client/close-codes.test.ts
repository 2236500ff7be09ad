// Holds what a WebSocket client does after each close code.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { readClose } from '../../../../core/policy/client/close-codes.ts';
import { longestAskedMs } from '../../../../core/policy/client/reconnect.ts';

const backoff = { base: 100, cap: 5000 };

for (const [code, answer, orderly, leastMs] of [
  [1000, 1000, true, 0],
  // Without a code; 1005 must not be sent.
  [1005, 1000, true, 0],
  // A restart is nothing to report, and the client's own wait spreads those who come back.
  [1012, 1012, true, 0],
  [1013, 1013, false, 5000],
  [1001, 1001, false, 0],
  [1008, 1008, false, 0],
  [4999, 4999, false, 0],
] as const) {
  test(`${code} is answered with ${answer}, and the client comes back`, () => {
    assert.deepEqual(readClose(code, backoff, false), { answer, orderly, comesBack: true, leastMs });
  });
}

test('1001 of a server that means it for good is the end, and no other code is', () => {
  const stays = [1000, 1001, 1005, 1008, 1012, 1013].filter(
    (code) => !readClose(code, backoff, true).comesBack,
  );
  assert.deepEqual(stays, [1001]);
});

test('no wait that 1013 asks for makes a client give up', () => {
  assert.equal(readClose(1013, { base: 1, cap: longestAskedMs + 1 }, false).leastMs, longestAskedMs);
});
