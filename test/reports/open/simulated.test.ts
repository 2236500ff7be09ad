// Opens a folder with measured runs and a simulated one: it is marked, compared with none of them, and left
// out of their history.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'vitest';
import { simulatedResult } from '../../simulation/result.ts';
import { ask, opened } from './opened-archive.ts';

test('a simulated run among measured ones', async (t) => {
  const { url, folder } = await opened(t);
  const result = await simulatedResult();
  const ofTheSame = { ...result, scenario: { ...result.scenario, name: 'compare' } };
  mkdirSync(join(folder, 'results', 'computed'));
  writeFileSync(join(folder, 'results', 'computed', 'result.json'), JSON.stringify(ofTheSame));
  const index = await ask(url, '/');
  assert.match(index.body, /\/runs\/computed\/report\.html">compare<\/a>\s*<span class="pill">simulated</);
  assert.equal(index.body.match(/class="pill">simulated</g)!.length, 1);
  for (const order of ['run=first&run=computed', 'run=computed&run=first']) {
    const { status, body } = await ask(url, `/compare?${order}`);
    assert.equal(status, 422);
    assert.match(body, /was simulated from the profile .*test machine/);
  }
  const history = await ask(url, '/history/compare');
  assert.match(history.body, /<th scope="row">first<\/th>/);
  assert.doesNotMatch(history.body, /<th scope="row">computed/);
});
