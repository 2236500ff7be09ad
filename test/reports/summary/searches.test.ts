// Tests what is said of a search that ended before anything broke: where and why, and never that the load
// side was at its end where it was not.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { limitText } from '../../../reports/summary/searches.ts';

const search = (why: string | undefined): NonNullable<Result['searches']>[number] => ({
  variant: 'sse',
  what: 'topics.news.publish',
  keep: 'latency.p90 < 100ms',
  resolution: 0.41,
  like: '10/s',
  over: true,
  steps: [
    { value: 10, verdict: 'held', measured: 3000, why: '' },
    ...(why === undefined ? [] : [{ value: 20, verdict: 'ended' as const, measured: null, why }]),
  ],
  limit: { kind: 'at-least', value: 10 },
});

test('a search that ended says at which value and why', () => {
  assert.equal(limitText(search(undefined)), 'at least 10/s, the highest tried');
  assert.equal(
    limitText(search('4 events beyond it; it takes 10')),
    'at least 10/s (the search ended at 20/s: 4 events beyond it; it takes 10)',
  );
});
