// Holds the interval of a percentile against numbers by hand, against a sum over every receipt written out,
// and against runs whose percentile is known.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { quantileUs } from '../../../core/result/histogram.ts';
import {
  intervalOf,
  isShown,
  precisionOf,
  shownUpTo,
  studentT975,
  type Clusters,
} from '../../../core/result/precision.ts';
import { clustersOf, coverageOf, histogramOfEvents, longRuns } from './resampled.ts';

const events = (...all: number[][]) => all.map((one) => Int32Array.from(one).sort());
/** `count` events of one receipt each: 1 us, 2 us, ... */
const line = (count: number) => events(...Array.from({ length: count }, (_, i) => [i + 1]));

test('by hand: 100 private events, their median', () => {
  // Half lie above 50 us. Squares: 50 * 0.5^2 + 50 * 0.5^2 = 25. Error: sqrt(100 / 99 * 25) / 100 = 0.050252.
  // Student's t of 99 degrees is 1.9842, so the share is 0.5 -+ 0.09971: the 41st to the 60th of 100.
  assert.deepEqual(intervalOf(histogramOfEvents(line(100)), 0.5, { kind: 'single' }), {
    lowUs: 41,
    highUs: 60,
    beyond: 50,
  });
});

test('by hand: the same receipts, ten to an event, rest on ten events', () => {
  // Events 1..10, 11..20, ...: five lie wholly above 50 us. Squares: 10 * (10 * 0.5)^2 = 250.
  // Error: sqrt(10 / 9 * 250) / 100 = 0.166667; t of 9 degrees 2.2622: 0.5 -+ 0.37703: the 13th to the 88th.
  const ten = Array.from({ length: 10 }, (_, e) => Array.from({ length: 10 }, (_, i) => 10 * e + i + 1));
  const all = events(...ten);
  const byHand = { lowUs: 13, highUs: 88, beyond: 5 };
  assert.deepEqual(intervalOf(histogramOfEvents(all), 0.5, clustersOf(all)), byHand);
  // Nobody knows which belong together, but an event has ten at most: no surer than that.
  assert.deepEqual(intervalOf(histogramOfEvents(all), 0.5, { kind: 'at-most', receipts: 10 }), byHand);
});

test('too few events say nothing above, and none at all say nothing', () => {
  const few = events([10, 11], [10, 12], [10, 90]);
  assert.equal(intervalOf(histogramOfEvents(few), 0.9, clustersOf(few))!.highUs, null);
  const one = events([10, 20, 30]);
  const alone = { lowUs: 0, highUs: null, beyond: 1 };
  assert.deepEqual(intervalOf(histogramOfEvents(one), 0.5, clustersOf(one)), alone);
  assert.equal(intervalOf(histogramOfEvents([]), 0.5, { kind: 'single' }), undefined);
  assert.deepEqual(precisionOf(histogramOfEvents([]), { kind: 'single' }), { shownUpTo: 0, at: [] });
});

test('where all took as long, a part of them lies beyond, as if they did not', () => {
  const same = (count: number) => histogramOfEvents(events(...Array.from({ length: count }, () => [5])));
  const byHand = { lowUs: 5, highUs: 5, beyond: 10 };
  assert.deepEqual(intervalOf(same(100), 0.9, { kind: 'single' }), byHand);
  assert.equal(intervalOf(same(99), 0.9, { kind: 'single' })!.beyond, 9);
  assert.deepEqual(intervalOf(same(100), 0.9, { kind: 'at-most', receipts: 5 })!.beyond, 2);
});

test('a percentile is shown from ten events beyond it on', () => {
  const shown = (count: number) =>
    isShown(intervalOf(histogramOfEvents(line(count)), 0.9, { kind: 'single' })!);
  assert.equal(shown(100), true);
  assert.equal(shown(99), false); // 9 beyond
  const upTo = shownUpTo(histogramOfEvents(line(1000)), { kind: 'single' });
  assert.ok(upTo > 0.9895 && upTo <= 0.99, String(upTo));
  assert.equal(shownUpTo(histogramOfEvents(line(19)), { kind: 'single' }), 0);
});

test("Student's t, against the tables", () => {
  const table = { 1: 12.706, 2: 4.303, 4: 2.776, 5: 2.571, 9: 2.262, 30: 2.042, 120: 1.98 };
  for (const [degrees, value] of Object.entries(table))
    assert.ok(Math.abs(studentT975(Number(degrees)) - value) < 0.001, degrees);
});

/** Every event written out as a list of ones (beyond) and noughts, private ones too. */
function bruteForce(all: readonly Int32Array[], quantile: number) {
  const sorted = all.flatMap((receipts) => [...receipts]).sort((a, b) => a - b);
  const rank = (share: number) => sorted[Math.max(1, Math.ceil(share * sorted.length - 1e-9)) - 1]!;
  const at = rank(quantile);
  const flags = all.map((receipts) => [...receipts].map((us) => (us > at ? 1 : 0) as number));
  const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
  const share = sum(flags.flat()) / sorted.length;
  const squares = sum(flags.map((own) => sum(own.map((flag) => flag - share)) ** 2));
  const error = Math.sqrt(((all.length / (all.length - 1)) * squares) / sorted.length ** 2);
  const beyond = flags.filter((own) => own.includes(1)).length;
  return { at, share, error, beyond, rank };
}

test('as a sum over every receipt has it, whatever the events', () => {
  const event = fc.array(fc.integer({ min: 1, max: 2000 }), { minLength: 1, maxLength: 12 });
  const run = fc.array(event, { minLength: 2, maxLength: 60 });
  fc.assert(
    fc.property(run, fc.constantFrom(0.5, 0.75, 0.9, 0.95), (lists, quantile) => {
      const all = events(...lists);
      const histogram = histogramOfEvents(all);
      const { at, share, error, beyond, rank } = bruteForce(all, quantile);
      fc.pre(lists.flat().filter((us) => us === at).length === 1); // ties have a test of their own
      const interval = intervalOf(histogram, quantile, clustersOf(all))!;
      assert.equal(quantileUs(histogram, quantile), at);
      assert.equal(interval.beyond, beyond);
      if (beyond === 0) return assert.deepEqual(interval, { lowUs: 0, highUs: null, beyond });
      const reach = studentT975(all.length - 1) * error;
      // A share that falls on a rank may be rounded to either side of it.
      const near = (us: number | null, part: number) =>
        assert.ok(
          us === rank(part - 1e-9) || us === rank(part + 1e-9),
          `${us} is not at ${part}: ${rank(part)}`,
        );
      if (1 - share - reach > 1e-9) near(interval.lowUs, 1 - share - reach);
      if (1 - share + reach < 1 - 1e-9) near(interval.highUs, 1 - share + reach);
      if (1 - share + reach > 1 + 1e-9) assert.equal(interval.highUs, null);
      assert.ok(interval.lowUs <= at && at <= (interval.highUs ?? Infinity));
    }),
    { numRuns: 300 },
  );
});

test('where every second event is kept, the others are as sure as these', () => {
  const all = longRuns(4)[0]!.events.slice(0, 600);
  const histogram = histogramOfEvents(all);
  const whole = intervalOf(histogram, 0.9, clustersOf(all))!;
  const half: Clusters = { ...clustersOf(all), events: all.filter((_, i) => i % 2 === 0) };
  const scaled = intervalOf(histogram, 0.9, half)!;
  assert.ok(scaled.beyond > 20 && scaled.beyond < 40, String(scaled.beyond));
  const width = ({ lowUs, highUs }: typeof whole) => highUs! / lowUs;
  assert.ok(Math.abs(Math.log(width(scaled) / width(whole))) < 0.15);
});

describe('95 of 100 intervals hold the percentile of a long run', () => {
  for (const run of longRuns(1))
    test(run.name, () => {
      const cases = [
        { quantile: 0.5, events: 60 },
        { quantile: 0.9, events: 200 },
      ];
      const draws = 150;
      const all = cases.map((one) => coverageOf(run, { ...one, draws, seed: 2 }));
      const [shown, covered] = [
        all.reduce((sum, one) => sum + one.shown, 0),
        all.reduce((sum, one) => sum + one.covered, 0),
      ];
      assert.equal(shown, cases.length * draws);
      // Three standard errors of 300 tries.
      assert.ok(Math.abs(covered / shown - 0.95) <= 0.038, `${covered} of ${shown}`);
    });
  test('where receivers share a delay, deliveries as samples hold it in fewer than half', () => {
    const { shown, coveredByDeliveries } = coverageOf(longRuns(1)[0]!, {
      quantile: 0.9,
      events: 200,
      draws: 100,
      seed: 2,
    });
    assert.ok(coveredByDeliveries / shown < 0.6, `${coveredByDeliveries} of ${shown}`);
  });
});
