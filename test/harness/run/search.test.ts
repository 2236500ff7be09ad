// Runs a step search through the whole pipe over the fake pattern: the trials it runs, and what the result
// keeps of them.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { resultSchema, type Result } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare, run, type RunOptions } from '../../../harness/run/run.ts';
import { renderHtml } from '../../../reports/page/report.ts';
import { searchSentences } from '../../../reports/summary/searches.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { withFake } from '../../fake/pattern.ts';

async function search(variants: string, keep: string): Promise<Result> {
  const { scenario, source } = parseScenario(
    `
question: How many are carried?
subscribers: 5
topics: { news: { publish: 10/s } }
phases: { connect: 100ms, warmup: 100ms, measure: 1s, drain: 1s }
variants: ${variants}
search: [{ what: topics.news.publish, from: 10/s, to: 80/s, keep: ${keep} }]
curves: [published]
`,
    { file: 'search.yaml', registry: withFake, overrides: [] },
  );
  const options: RunOptions = {
    registry: withFake,
    folder: '.',
    source,
    command: 'test',
    fleet: fakeFleet(),
    signal: new AbortController().signal,
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
  };
  return run(prepare(scenario, options), options);
}

test('each step is a trial with its value, and the result keeps step and limit', async () => {
  const result = await search('[fake]', 'published < 35');
  assert.deepEqual(
    result.trials.map(({ variant }) => variant.label),
    ['10/s', '20/s', '40/s', '28.3/s'].map((rate) => `fake, publish=${rate}`),
  );
  const [found] = result.searches!;
  assert.deepEqual(
    found!.steps.map(({ value, verdict, measured }) => [value, verdict, measured]),
    [
      [10, 'held', 10],
      [20, 'held', 20],
      [40, 'broken', 40],
      [28.3, 'held', 28],
    ],
  );
  assert.deepEqual(found!.limit, { kind: 'found', value: 28.3, brokenAt: 40 });
  assert.deepEqual(searchSentences([result]), [
    'fake kept up at 28.3/s and no longer at 40/s (published < 35, to 5 subscribers)',
  ]);
  assert.deepEqual(
    resultSchema.parse(JSON.parse(JSON.stringify(result))),
    JSON.parse(JSON.stringify(result)),
  );
  const page = await renderHtml([result], { interactive: false });
  const asPeopleSay = { ...result, searches: [{ ...found!, keep: 'latency.p99 < 100ms' }] };
  assert.deepEqual(searchSentences([asPeopleSay]), [
    'fake kept up at 28.3/s and no longer at 40/s (99 % of deliveries within 100 ms, to 5 subscribers)',
  ]);
  assert.match(page, /The highest load that keeps the bound/);
  assert.match(page, /<figure id="curve-0">/);
});

test('a load side at its end ends a search on what it spoils, after a second try, and says so', async () => {
  const result = await search('[{ fake: { loadCpu: 0.95 } }]', 'latency.mean < 35ms');
  assert.equal(result.trials.length, 2);
  assert.deepEqual(
    result.searches!.map(({ limit, steps }) => [
      limit,
      steps.map(({ verdict, why }) => `${verdict}: ${why}`),
    ]),
    [[{ kind: 'none' }, ['ended: load-limited']]],
  );
  assert.match(
    searchSentences([result])[0]!,
    /no answer \(the search ended at 10\/s: load generator at its limit\)/,
  );
  const counted = await search('[{ fake: { loadCpu: 0.95 } }]', 'published < 35');
  assert.deepEqual(counted.searches![0]!.limit, { kind: 'found', value: 28.3, brokenAt: 40 });
});

test('a percentile that a trial has too few events for ends the search, and says so', async () => {
  const result = await search('[fake]', 'latency.p99 < 1s'); // 50 deliveries
  assert.deepEqual(
    result.searches!.map(({ steps }) => steps.map(({ verdict, why, measured }) => [verdict, why, measured])),
    [[['ended', '0 events beyond it; 10 are needed', null]]],
  );
});
