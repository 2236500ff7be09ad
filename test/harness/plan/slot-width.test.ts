// Holds how wide a slot of the time series is: about forty of them, each with whole periods of the events.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { slotWidthMs } from '../../../harness/plan/plan.ts';
import type { Scenario } from '../../../core/scenario/scenario.ts';

type Publish = Scenario['topics'][string]['publish'];
const constant = (perS: number): Publish => ({ kind: 'constant', perS });
const bursts = (everyMs: number): Publish => ({ kind: 'bursts', size: 5, everyMs });
const poisson: Publish = { kind: 'poisson', perS: 10 };

test.each<[what: string, measureMs: number, subscribers: number, publish: Publish[], slotMs: number]>([
  ['20 a second: five in 250 ms', 10_000, 100, [constant(20)], 250],
  ['10 a second: 250 ms hold two or three, 500 ms five', 10_000, 100, [constant(10)], 500],
  ['10 and 4 a second', 10_000, 100, [constant(10), constant(4)], 500],
  ['3 a second: three in a second', 10_000, 100, [constant(3)], 1000],
  ['bursts every 500 ms', 10_000, 100, [bursts(500)], 500],
  ['one every 2 s: four times 250 ms are the most', 10_000, 100, [constant(0.5)], 250],
  ['one every 2 s over 20 s', 20_000, 100, [constant(0.5)], 2000],
  ['no width fits both', 10_000, 100, [constant(7), constant(3)], 1000],
  ['7 and 0.7 a second: none fits', 10_000, 100, [constant(0.7)], 250],
  ['chance has no period', 10_000, 100, [poisson], 250],
  ['an hour', 3_600_000, 100, [constant(10)], 300_000],
  ['forty slots of 10.1 s are wider than the 250 ms', 10_100, 100, [constant(4)], 500],
  ['2,000 subscribers', 10_000, 2000, [constant(4)], 250],
  ['more: a second at least', 10_000, 2001, [constant(4)], 1000],
])('%s', (_what, measure, subscribers, publish, slotMs) => {
  const topics = Object.fromEntries(publish.map((one, i) => [`t${i}`, { publish: one }]));
  // Nothing else of a scenario is looked at.
  const scenario = { phases: { measure }, subscribers, topics } as unknown as Scenario;
  assert.equal(slotWidthMs(scenario), slotMs);
});
