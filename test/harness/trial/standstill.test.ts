// Tests on real processes that a standstill of the publisher or of the server shows in full in the tail.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { metrics } from '../../../core/metrics/registry.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { parseScenario } from '../../../core/scenario/scenario-file.ts';
import { prepare, run } from '../../../harness/run/run.ts';

for (const who of ['publisher', 'server'] as const) {
  test(
    `the ${who} stands still for a second: the events of that ` + 'second are late by what was left of it',
    async () => {
      const { scenario, source } = parseScenario(
        `question: Does it show?
subscribers: 5
topics: { news: { publish: 50/s } }
phases: { connect: 200ms, warmup: 500ms, measure: 4s, drain: 5s }
variants: [sse]
faults: [{ at: 1500ms, freeze: ${who}, for: 1s }]
`,
        { file: 'standstill.yaml', registry: patterns, overrides: [] },
      );
      const silent = { trialStarted() {}, progress() {}, trialEnded() {} };
      const options = {
        registry: patterns,
        folder: '.',
        source,
        command: '',
        observer: silent,
        signal: new AbortController().signal,
      };
      const { trials } = await run(prepare(scenario, options), options);
      const { outcome } = trials[0]!;
      assert.ok(outcome.status === 'completed', JSON.stringify(outcome));
      assert.equal(outcome.ledger.missed, 0);
      assert.equal(outcome.ledger.published, 200);
      // A quarter of the events was planned in that second: the first waits all of it, the last nothing. So
      // an eighth waits more than half a second. A busy machine only adds to it.
      const max = metrics['latency.max']!.read(outcome)!;
      assert.ok(max > 900_000, `the longest latency is ${max} µs`);
      const { endToEnd } = outcome.latency;
      assert.ok(
        metrics['latency.p90']!.read(outcome)! > 500_000,
        `${endToEnd.count} deliveries, p90 is ${metrics['latency.p90']!.read(outcome)} µs`,
      );
    },
  );
}
