// Tests that it makes no difference when an endpoint gets its first delivery: the simulated queue opens it
// only then, and what it gives is what it gave when all were opened at the beginning.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import type { Histogram } from '../../../../core/result/histogram.ts';
import { profileOf, quantiles, scenarioOf, simulated, varyingMachine } from '../../fixture.ts';

type Case = { source: string; options: Readonly<Record<string, unknown>>; is: unknown };

test('endpoints that get their first delivery late, or none, give what they gave', () => {
  const cases: Case[] = JSON.parse(readFileSync(new URL('first-delivery.json', import.meta.url), 'utf8'));
  assert.equal(cases.length, 7);
  for (const { source, options, is } of cases) assert.deepEqual(figuresOf({ source, options }), is, source);
});

function figuresOf({ source, options }: Pick<Case, 'source' | 'options'>) {
  const one = simulated({
    scenario: scenarioOf(source),
    pattern: 'webhook',
    options,
    profile: profileOf(varyingMachine),
  });
  const { ledger, wholeTrial, counters, latency, latencyByAttempt, backlog, server, notes } = one;
  const percentiles = (histogram: Histogram) => quantiles(histogram).map((us) => us ?? null);
  const known = (counts: object) => Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0));
  return {
    ledger,
    counters: known(counters),
    wholeTrial: known(wholeTrial!),
    latency: percentiles(latency.endToEnd),
    lastReceiver: percentiles(latency.lastReceiver),
    attempts: latencyByAttempt!.map(({ attempt, histogram }) => [attempt, ...percentiles(histogram)]),
    backlog,
    cpuUs: server.cpuUs.toPrecision(9),
    notes: notes!.map(({ message }) => message),
  };
}
