// Holds the meaning of each status that a poll may be answered with.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { readPollStatus } from '../../../../core/policy/client/poll-status.ts';

test('a poll is answered, sent away, or answered with what no poll should be', () => {
  const statuses = [200, 204, 304, 429, 503, 201, 302, 404, 408, 500, 504];
  assert.deepEqual(
    statuses.map((status) => readPollStatus(status, false)),
    [
      'ok',
      'nothing-new',
      'nothing-new',
      'refused',
      'refused',
      'unexpected',
      'unexpected',
      'unexpected',
      'unexpected',
      'unexpected',
      'unexpected',
    ],
  );
});

test('where holds may be ended by others, 408 and 504 end one, and nothing else changes', () => {
  const changed = Array.from({ length: 500 }, (_, i) => 100 + i).filter(
    (status) => readPollStatus(status, true) !== readPollStatus(status, false),
  );
  assert.deepEqual(changed, [408, 504]);
  assert.deepEqual([readPollStatus(408, true), readPollStatus(504, true)], ['hold-ended', 'hold-ended']);
});
