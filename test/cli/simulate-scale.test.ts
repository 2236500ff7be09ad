// The shipped scenarios at scale, as a user simulates them: what it asks of one server, and where to go from
// there.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

test('month-bill: what a month takes by pattern, and the command that says what it costs', async (t) => {
  const folder = temporaryFolder(t);
  const args = ['simulate', 'month-bill', '--for', '6h', '--set', 'subscribers=500'];
  const { code, stdout, stderr } = await call(args, folder);
  assert.equal(code, 0, stdout + stderr);
  const text = stdout.replace(/\s+/g, ' ');
  assert.match(text, /^ ?Simulated: /);
  // 500 clients for a quarter of a day.
  assert.match(text, /2,160,000 \(polling every=5s\)/);
  assert.match(text, /360,000 to [\d,]+ \(polling every=30s and /);
  const [report] = globSync('results/*/report.html', { cwd: folder });
  const command = /npm start -- plan [^<]*--html bill\.html/.exec(
    readFileSync(join(folder, report!), 'utf8'),
  );
  assert.ok(command, 'the notice names the plan');
});
