// Holds models to figures that they gave once, of one server and a machine whose costs vary: a change of them
// is on purpose, or it is none. Who means it lets `modelVersion` grow (simulation/model.ts).

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'vitest';
import { profileOf, quantiles, scenarioOf, simulated, varyingMachine, type Asked } from '../fixture.ts';

type Known = { source: string; pattern: string; options: Asked['options']; is: unknown };

test('the same scenario, profile and seed give what they gave', () => {
  const cases: Known[] = JSON.parse(readFileSync(new URL('known-figures.json', import.meta.url), 'utf8'));
  assert.ok(cases.length >= 20);
  for (const { source, pattern, options, is } of cases) {
    const one = simulated({
      scenario: scenarioOf(source),
      pattern,
      ...(options && { options }),
      profile: profileOf(varyingMachine),
    });
    assert.equal(one.cluster, undefined);
    assert.deepEqual(figuresOf(one), is, `${pattern}: ${source}`);
  }
});

function figuresOf({
  ledger,
  counters,
  latency,
  server,
  slots,
  expectedError,
}: ReturnType<typeof simulated>) {
  return {
    delivered: ledger.delivered,
    counters: Object.values(counters).filter((count) => count !== 0),
    latency: [latency.endToEnd, latency.lastReceiver, latency.medianReceiver].map((one) =>
      quantiles(one).map((us) => us ?? null),
    ),
    cpu: [server.cpuUs, slots.at(-1)!.serverCpuUs, server.busiestShare].map((one) => one.toPrecision(9)),
    p50: expectedError['latency.p50']?.toPrecision(9),
  };
}
