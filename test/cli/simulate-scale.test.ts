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
  // Its expectations hold, that of 17,280 requests a day among them.
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /polling every=5s, subscribers=10000[^,]*17,280|17,280 \(polling every=5s/);
  const text = stdout.replace(/\s+/g, ' ');
  assert.match(text, /Saturated .* 1 trial|Saturated .*polling every=5s, subscribers=1000000/);
  assert.match(text, /ask how many servers it takes \(npm start -- plan\)/);
});
