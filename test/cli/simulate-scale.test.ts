// The shipped scenario at scale, as a user simulates it: what it asks of one server, and where to go from
// there.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { call, temporaryFolder } from './tools.ts';

test('polling-day: 17,280 requests a user and day; a million are more than a server can do', async (t) => {
  const args = [
    'simulate',
    'polling-day',
    '--for',
    '1h',
    '--set',
    'variants=[{ polling: { every: 5s } }, sse]',
  ];
  const { code, stdout, stderr } = await call(args, temporaryFolder(t));
  // Not judged: the trials of a server that is full. All else held, 17,280 requests a day among them.
  assert.equal(code, 4, stdout + stderr);
  assert.match(stdout, /All \d+ expectations held/);
  assert.match(stdout, /17,280 \(polling every=5s/);
  const text = stdout.replace(/\s+/g, ' ');
  assert.match(text, /Saturated .*polling every=5s, subscribers=1000000/);
  assert.match(text, /ask how many servers it takes \(npm start -- plan\)/);
});
