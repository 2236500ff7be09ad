// Tests at which rate events come to a simulated server: each counts once, however it is answered.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { profileQuantiles } from '../../../core/profile/profile.ts';
import type { Costs } from '../../../simulation/costs/costs.ts';
import { createServer } from '../../../simulation/models/server.ts';
import { createServerFanOuts } from '../../../simulation/models/server-fan-outs.ts';
import { createDealer, createWork } from '../../../simulation/models/work.ts';

const eventEveryUs = 100_000;

/** Fan-outs of one server, whose rate is not steady, and the rates that their costs are asked for. */
function fanOutsWithRates() {
  const rates: number[] = [];
  const knots = profileQuantiles.map(() => 0);
  const costs: Costs = {
    at({ perS }) {
      rates.push(perS);
      return { firstUs: knots, medianUs: knots, lastUs: knots, cpuUs: 10, extrapolated: 1 };
    },
    idleShare: () => 0,
  };
  const fanOuts = createServerFanOuts(
    costs,
    {
      count: 1,
      randoms: () => [() => 0.5],
      ratePerServer: (perS) => perS,
      front: undefined,
      newThread: createServer,
    },
    [createWork(createDealer(60e6, 1e6))],
    { steady: false, perS: 1 },
  );
  return { fanOuts, rates };
}

const arrival = (atUs: number) => ({ server: 0, atUs, beyondUs: 0, furtherUs: 0 });
const isTen = (perS: number) => assert.ok(Math.abs(perS / 10 - 1) < 0.1, `${perS}`);

test('the ends of batches are no events: three answers to each of ten events a second', () => {
  const { fanOuts, rates } = fanOutsWithRates();
  for (let i = 0; i < 100; i++) {
    const atUs = i * eventEveryUs;
    fanOuts.takenOnly([arrival(atUs)]);
    for (const afterUs of [40_000, 50_000, 60_000])
      fanOuts.later(0, { atUs: atUs + afterUs, payloadBytes: 256, receivers: 5 });
  }
  assert.equal(rates.length, 300);
  rates.slice(30).forEach(isTen);
});

test('an event that nobody is answered with at once counts like one that somebody is', () => {
  const { fanOuts, rates } = fanOutsWithRates();
  for (let i = 0; i < 100; i++) {
    const atUs = i * eventEveryUs;
    if (i % 2 === 0) fanOuts.takenOnly([arrival(atUs)]);
    else fanOuts.of([arrival(atUs)], { atUs, bodyBytes: 256, receivers: [5] });
  }
  assert.equal(rates.length, 50);
  rates.slice(10).forEach(isTen);
});
