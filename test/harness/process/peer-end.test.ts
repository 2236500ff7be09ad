// Tests what the harness says of a child process that ended in the middle of a trial.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { forkPeer } from '../../../harness/process/peer.ts';

test('a child that ran out of memory is told in one line, without the stack of the runtime', async () => {
  const peer = forkPeer('server', new URL('out-of-memory.mjs', import.meta.url));
  await assert.rejects(peer.broken, (error: Error & { code?: string }) => {
    assert.equal(error.code, 'child-ended');
    assert.match(
      error.message,
      /^the server process ended in the middle of the trial \(signal \w+; it said: FATAL ERROR: .*heap out of memory\)$/,
    );
    return true;
  });
  await peer.stop(1000);
});
