// Tests that long simulations say how far they are, and come out the same whether anybody listens or not.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runTelling } from '../../../simulation/models/telling.ts';
import { scenarioOf, simulated } from '../fixture.ts';

test('a clock is run to each moment that is asked for, in steps, and the share that is told grows', () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat({ max: 100_000 }), { minLength: 1 }),
      fc.nat({ max: 1000 }),
      (moments, fromUs) => {
        const asked = moments.map((us) => us + fromUs).toSorted((a, b) => a - b);
        const [toUs, ran, told] = [asked.at(-1)! + 1, [] as number[], [] as number[]];
        const runTo = runTelling({ run: (us) => void ran.push(us) }, { fromUs, toUs }, (s) => told.push(s));
        for (const us of asked) {
          runTo(us);
          assert.equal(ran.at(-1), us);
        }
        assert.deepEqual(
          ran,
          ran.toSorted((a, b) => a - b),
        );
        assert.deepEqual(told, [...new Set(told)].sort());
        assert.ok(told.length <= 100 && told.every((share) => share > 0 && share <= 1), `${told}`);
      },
    ),
  );
});

test.each([
  ['connections that come and go', 'websocket', 'faults: [{ at: 1s, disconnect: 100% }]'],
  ['webhooks', 'webhook', ''],
])('%s say how far they are, and it changes nothing', (_name, pattern, more) => {
  const scenario = scenarioOf(`question: How far?
subscribers: 20
topics: { t: { publish: 10/s } }
phases: { connect: 1s, warmup: 1s, measure: 10s, drain: 5s }
variants: [${pattern}]
${more}`);
  const told: number[] = [];
  const heard = simulated({ scenario, pattern, computed: (share) => void told.push(share) });
  expect(heard).toEqual(simulated({ scenario, pattern }));
  assert.ok(told.length > 50, `${told.length}`);
});
