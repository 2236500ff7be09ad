// Tests what is said before a run of percentiles that its schedule has too few events for.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { patterns } from '../../../core/pattern/registry.ts';
import { percentileHints } from '../../../core/scenario/percentile-hints.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';

function hints(news: string, expect: string, more = ''): string[] {
  const text = `
question: How late?
subscribers: 100
topics:
  news: ${news}
payload: 64B
phases: { measure: 10s }
variants: [sse]
expect: [${expect}]
${more}`;
  return percentileHints(parseScenario(text, { file: 'x.yaml', registry: patterns, overrides: [] }).scenario);
}

test('a percentile that the schedule can hardly have is named, with the events that it takes', () => {
  // 100 events that all 100 get: about two of them have a receipt beyond the p99.
  assert.deepEqual(hints('{ publish: 10/s }', 'latency.p99 < 1s'), [
    "latency.p99 < 1s needs 10 events beyond the percentile. Of the schedule's 100 events about 2 will lie " +
      'there, so it will hardly be judged. About 500 would do: publish more often (to fewer followers ' +
      'for the same load), measure longer, or ask for a lower percentile.',
  ]);
});

test('nothing is said where there are enough, where nothing is asked, and of what is no percentile', () => {
  assert.deepEqual(hints('{ publish: 50/s }', 'latency.p99 < 1s'), []);
  assert.deepEqual(hints('{ publish: 10/s }', 'latency.p90 < 1s'), []);
  assert.deepEqual(hints('{ publish: 10/s }', 'latency.max < 1s'), []);
  assert.deepEqual(hints('{ publish: 10/s }', 'missed == 0'), []);
});

test('private events have one receipt each, and an event has one last receiver', () => {
  assert.equal(hints('{ publish: 50/s, count: per-subscriber }', 'latency.p99 < 1s').length, 1);
  assert.equal(hints('{ publish: 100/s, count: per-subscriber }', 'latency.p99 < 1s').length, 0);
  assert.equal(hints('{ publish: 50/s }', 'last-receiver.p99 < 1s').length, 1);
});

test('of a matrix the cell with the fewest events that the expectation is for decides', () => {
  const matrix = 'matrix: { topics.news.publish: [1/s, 100/s] }';
  assert.equal(hints('{ publish: 1/s }', 'latency.p99 < 1s', matrix).length, 1);
  const fast = '{ check: latency.p99 < 1s, where: { topics.news.publish: 100/s } }';
  assert.deepEqual(hints('{ publish: 1/s }', fast, matrix), []);
});
