// Fields of requests that are made to cost time.

import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { test } from 'vitest';
import { isEncoded } from '../../../core/http/message.ts';

test('which content codings are none', () => {
  const fields = {
    '': false,
    identity: false,
    ' Identity , ,identity': false,
    gzip: true,
    'identity, br': true,
    'identity x': true,
  };
  for (const [field, encoded] of Object.entries(fields))
    assert.equal(isEncoded({ 'content-encoding': field }), encoded, field);
  assert.equal(isEncoded({}), false);
});

test('a content coding of blanks takes time by its length, not by the square of it', () => {
  const field = `identity,${' '.repeat(500_000)}x${' '.repeat(500_000)}y`;
  // Ends the work by force: by the square it would take minutes.
  assert.equal(
    runInNewContext('work()', { work: () => isEncoded({ 'content-encoding': field }) }, { timeout: 20_000 }),
    true,
  );
});
