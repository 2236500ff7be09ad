// Tests what is said of a search that ended before anything broke: where and why, and never that the load
// side was at its end where it was not.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { Result } from '../../../core/result/result.ts';
import { endLines, limitText, searchSentences } from '../../../reports/summary/searches.ts';
import { resultOf, shaped } from './shaped.ts';

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
  assert.equal(limitText(search(undefined)), 'at least 10/s (the highest tried)');
  assert.equal(
    limitText(search('4 events beyond it; 10 are needed')),
    'at least 10/s (the search ended at 20/s: 4 events beyond it; 10 are needed)',
  );
});

test('a reason that is too long for a sentence is one of its own, once', () => {
  const why = `This machine cannot run it: ${'a process needs more than it may have; '.repeat(3)}`;
  assert.equal(limitText(search(why)), 'at least 10/s (the search ended at 20/s)');
  const result: Result = {
    ...resultOf([shaped('sse'), shaped('websocket')]),
    searches: [search(why), { ...search(why), variant: 'websocket' }],
  };
  assert.match(searchSentences([result])[0]!, /^Both kept up at 10\/s, .* \(the search ended at 20\/s\) \(/);
  assert.deepEqual(endLines([result]), [`Why the search ended at 20/s: ${why}.`]);
  assert.deepEqual(endLines([{ ...result, searches: [search('it was late')] }]), []);
});

test('variants that all kept up with the highest value that was tried are one sentence', () => {
  const both = (...variants: string[]): Result => ({
    ...resultOf(variants.map((label) => shaped(label))),
    searches: variants.map((variant) => ({ ...search(undefined), variant })),
  });
  assert.deepEqual(searchSentences([both('sse', 'websocket')]), [
    'Both kept up at 10/s, the highest rate tried (90 % of deliveries within 100 ms, to 100 subscribers)',
  ]);
  assert.match(searchSentences([both('sse')])[0]!, /^sse kept up at 10\/s, the highest rate tried \(/);
  const result = both('sse', 'websocket');
  result.searches![1] = { ...search('it was late'), variant: 'websocket' };
  assert.match(
    searchSentences([result])[0]!,
    /^sse kept up at 10\/s, the highest rate tried; websocket kept up at 10\/s, .*\(the search ended at 20\/s/,
  );
});
