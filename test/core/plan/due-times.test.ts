// Plans rates, bursts, ramps, random arrivals and traces, and compares when each event is due with what
// arithmetic says.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { random } from '../../../core/base/random.ts';
import type { PublishPlan } from '../../../core/plan/publish-plan.ts';
import type { Arrivals } from '../../../core/scenario/scenario.ts';
import { alone, noFiles, type Changes } from './planned.ts';

/** Due times of the measured phase, in microseconds from its start. */
function measured(plan: PublishPlan, warmupMs: number): number[] {
  return Array.from(
    plan.offsetUs.filter((atUs) => atUs >= warmupMs * 1000),
    (atUs) => atUs - warmupMs * 1000,
  );
}

/** Where in its interval group `news` starts, as the seed has it. */
const phase = (seed: number) => random(seed, 'phase:news')();

describe('due times', () => {
  const rows: {
    reads: string;
    publish: Arrivals;
    changes: Changes;
    expectedUs: (phase: number) => number[];
  }[] = [
    {
      reads: '2/s for a second of warm-up and two measured: half a second apart, two and four of them',
      publish: { kind: 'constant', perS: 2 },
      changes: { warmupMs: 1000, measureMs: 2000 },
      expectedUs: (p) => [0, 0.5, 1, 1.5, 2, 2.5].map((s) => (s + p / 2) * 1e6),
    },
    {
      reads:
        'a warm-up of 0.75 s at 2/s holds one event, or two when the spacing ' +
        'starts late; the measured ones do not move',
      publish: { kind: 'constant', perS: 2 },
      changes: { warmupMs: 750, measureMs: 1000 },
      expectedUs: (p) => [-1, -0.5, 0, 0.5].map((s) => (0.75 + s + p / 2) * 1e6).filter((us) => us >= 0),
    },
    {
      reads: 'a rate of 0 publishes nothing',
      publish: { kind: 'constant', perS: 0 },
      changes: {},
      expectedUs: () => [],
    },
    {
      reads:
        'bursts of three, every two seconds, in a measured phase of four: two bursts, all three at one time',
      publish: { kind: 'bursts', size: 3, everyMs: 2000 },
      changes: { warmupMs: 0, measureMs: 4000 },
      expectedUs: (p) => [0, 0, 0, 1, 1, 1].map((n) => (n + p) * 2e6),
    },
    {
      reads: 'a second at 2/s, then a second at 4/s, after half a second of warm-up at the first rate',
      publish: {
        kind: 'stages',
        stages: [
          { rate: 2, for: 1000 },
          { rate: 4, for: 1000 },
        ],
      },
      changes: { warmupMs: 500, measureMs: 2000 },
      expectedUs: (p) =>
        [-0.5 + p / 2, p / 2, 0.5 + p / 2, 1 + p / 4, 1.25 + p / 4, 1.5 + p / 4, 1.75 + p / 4].map(
          (s) => (0.5 + s) * 1e6,
        ),
    },
    {
      // The integral of 2t is t^2, so event n falls due at the root of n + phase; 9 of them in 3 s.
      reads: 'a ramp from 0 to 6/s in three seconds',
      publish: { kind: 'stages', stages: [{ rate: 0, to: 6, for: 3000 }] },
      changes: { warmupMs: 1000, measureMs: 3000 },
      expectedUs: (p) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => (1 + Math.sqrt(n + p)) * 1e6),
    },
    {
      // The integral of 6 - 2t is 6t - t^2, so t = 3 - sqrt(9 - (n + phase)).
      reads: 'a ramp from 6/s down to 0 in three seconds, and silence behind it',
      publish: { kind: 'stages', stages: [{ rate: 6, to: 0, for: 3000 }] },
      changes: { warmupMs: 0, measureMs: 10_000 },
      expectedUs: (p) => [0, 1, 2, 3, 4, 5, 6, 7, 8].map((n) => (3 - Math.sqrt(9 - n - p)) * 1e6),
    },
    {
      reads: 'stages shorter than the measured phase: the last rate holds',
      publish: { kind: 'stages', stages: [{ rate: 10, to: 1, for: 0 }] },
      changes: { warmupMs: 0, measureMs: 3000 },
      expectedUs: (p) => [0, 1, 2].map((s) => (s + p) * 1e6),
    },
  ];
  for (const { reads, publish, changes, expectedUs } of rows) {
    test(reads, () => {
      for (const seed of [1, 2, 3]) {
        const plan = alone(publish, { ...changes, seed });
        const expected = expectedUs(phase(seed));
        assert.equal(plan.offsetUs.length, expected.length);
        // Whole microseconds: the first one not after the exact time, which the arithmetic may miss by 1.
        for (const [i, atUs] of plan.offsetUs.entries())
          assert.ok(Math.abs(atUs - expected[i]!) <= 1, `event ${i} at ${atUs}, not ${expected[i]}`);
      }
    });
  }

  test('a trace plays from the start of the measured phase, and its beginning once in the warm-up', () => {
    const traceOf = () => 'seconds,bytes\n0,100\n0.5,200\n0.5,300\n1.25,400\n3.999999,500\n4,600\n';
    const plan = alone({ kind: 'trace', file: 'a.csv' }, {}, { ...noFiles, traceOf });
    assert.deepEqual(
      [...plan.offsetUs],
      [0, 500_000, 500_000, 1_000_000, 1_500_000, 1_500_000, 2_250_000, 4_999_999],
    );
    assert.deepEqual([...plan.body], [-100, -200, -300, -100, -200, -300, -400, -500]);
  });

  test('a constant rate makes exactly rate x time events, evenly spaced, with any seed', () => {
    const arbitrary = fc.record({
      seed: fc.nat(),
      perS: fc.integer({ min: 1, max: 2000 }),
      seconds: fc.integer({ min: 1, max: 5 }),
      warmupMs: fc.nat({ max: 3000 }),
    });
    fc.assert(
      fc.property(arbitrary, ({ seed, perS, seconds, warmupMs }) => {
        const times = measured(
          alone({ kind: 'constant', perS }, { seed, warmupMs, measureMs: seconds * 1000 }),
          warmupMs,
        );
        assert.equal(times.length, perS * seconds);
        for (const [i, atUs] of times.entries())
          assert.ok(Math.abs(atUs - times[0]! - (i * 1e6) / perS) <= 1);
        assert.ok(times[0]! < 1e6 / perS);
      }),
    );
  });

  test('stages make as many events as the integral of their rate, to within one', () => {
    const perS = fc.integer({ min: 0, max: 500 });
    const stage = fc.record({ rate: perS, to: perS, for: fc.integer({ min: 0, max: 3000 }) });
    fc.assert(
      fc.property(fc.nat(), fc.array(stage, { minLength: 1, maxLength: 5 }), (seed, stages) => {
        const integral = stages.reduce(
          (sum, { rate, to, for: ms }) => sum + (((rate + to) / 2) * ms) / 1000,
          0,
        );
        const measureMs = stages.reduce((sum, { for: ms }) => sum + ms, 0);
        const { length } = measured(alone({ kind: 'stages', stages }, { seed, measureMs }), 1000);
        assert.ok(Math.abs(length - integral) <= 1, `${length} events, integral ${integral}`);
      }),
    );
  });

  test('Poisson counts have the mean and the variance of their rate x time, and exponential gaps', () => {
    const runs = 400;
    const counts: number[] = [];
    const gaps: number[] = [];
    for (let seed = 0; seed < runs; seed++) {
      const times = measured(alone({ kind: 'poisson', perS: 50 }, { seed, measureMs: 2000 }), 1000);
      counts.push(times.length);
      for (let i = 1; i < times.length; i++) gaps.push(times[i]! - times[i - 1]!);
    }
    const mean = counts.reduce((a, b) => a + b, 0) / runs;
    const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (runs - 1);
    // Expected 100 and 100; the bounds are four standard errors: 10 / sqrt(400) and 100 * sqrt(2 / 400).
    assert.ok(Math.abs(mean - 100) < 2, `mean ${mean}`);
    assert.ok(Math.abs(variance - 100) < 28.3, `variance ${variance}`);
    // A share of 1/e of the gaps is longer than their mean of 20 ms; four standard errors of 40,000 draws.
    const longer = gaps.filter((us) => us > 20_000).length / gaps.length;
    assert.ok(Math.abs(longer - Math.exp(-1)) < 0.01, `share ${longer}`);
  });

  test('Poisson does not play the same in both phases', () => {
    const plan = alone({ kind: 'poisson', perS: 20 }, { warmupMs: 2000, measureMs: 2000 });
    assert.notDeepEqual(measured(plan, 2000).slice(0, 5), [...plan.offsetUs.subarray(0, 5)]);
  });

  test('what is measured does not depend on the length of the warm-up', () => {
    for (const publish of [
      { kind: 'constant', perS: 7 },
      { kind: 'poisson', perS: 7 },
      { kind: 'bursts', size: 2, everyMs: 700 },
    ] satisfies Arrivals[]) {
      assert.deepEqual(
        measured(alone(publish, { warmupMs: 300 }), 300),
        measured(alone(publish, { warmupMs: 2000 }), 2000),
      );
    }
  });
});
