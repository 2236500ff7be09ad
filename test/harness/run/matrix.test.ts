// Runs a matrix through the whole pipe over the fake pattern: every variant in every cell, under that cell's
// plan.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { resultSchema } from '../../../core/result/result.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare, run, type RunOptions } from '../../../harness/run/run.ts';
import { fakeFleet } from '../../fake/fleet.ts';
import { withFake } from '../../fake/pattern.ts';

test('every cell is measured with every variant, and its trials say what they were', async () => {
  const { scenario, source } = parseScenario(
    `
question: Does each cell meet its own schedule?
subscribers: 5
topics: { news: { publish: 10/s } }
phases: { connect: 100ms, warmup: 100ms, measure: 2s, drain: 1s }
variants: [fake, { fake: { latencies: [1ms] } }]
matrix: { subscribers: [2, 3], topics.news.publish: [10/s, 20/s] }
curves: [latency.p50]
expect: [{ check: published == 40, where: { topics.news.publish: 20/s } }]
`,
    { file: 'matrix.yaml', registry: withFake, overrides: [] },
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
  const result = await run(prepare(scenario, options), options);
  assert.equal(result.trials.length, 8);
  const seen = result.trials.map(({ variant, cell, outcome }) => ({
    label: variant.label,
    of: cell!.variant,
    parameters: cell!.parameters,
    planned: cell!.events,
    subscribers: outcome.status === 'completed' && outcome.subscribers,
    published: outcome.status === 'completed' && outcome.ledger.published,
  }));
  for (const one of seen) {
    const { subscribers, 'topics.news.publish': rate } = one.parameters;
    const events = rate === '20/s' ? 40 : 20;
    assert.deepEqual(one, {
      ...one,
      label: `${one.of}, subscribers=${subscribers}, publish=${rate}`,
      planned: events,
      subscribers: Number(subscribers),
      published: events,
    });
  }
  assert.equal(new Set(seen.map(({ label }) => label)).size, 8);
  assert.equal(result.expectations.length, 4);
  assert.ok(result.expectations.every(({ held }) => held));
  assert.deepEqual(result.scenario.curves, ['latency.p50']);
  assert.deepEqual(
    resultSchema.parse(JSON.parse(JSON.stringify(result))),
    JSON.parse(JSON.stringify(result)),
  );
});
