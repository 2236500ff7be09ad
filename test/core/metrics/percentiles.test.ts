// Tests which percentiles of a trial are figures: by the distinct events beyond them, and in older results.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { latencyAt } from '../../../core/metrics/latency.ts';
import { figureOf, figureOver, metrics } from '../../../core/metrics/registry.ts';
import type { Completed } from '../../../core/result/result.ts';
import { completed, stored } from '../result/trial.ts';

/** 1 us, 2 us, ...: below 2048 us, where histograms are exact. */
const line = (count: number) => stored(...Array.from({ length: count }, (_, i) => i + 1));
const shared = ['endToEnd', 'acceptToReceipt'] as const;

/** So many subscribers were cut off, and each was away for a time of its own. */
const cutOff = (count: number): NonNullable<Completed['recovery']> => ({
  subscribers: count,
  cut: {
    absences: count,
    recovered: count,
    tooLate: 0,
    fresh: 0,
    neverBack: 0,
    gaveUp: 0,
    downtimeUs: count,
    longestUs: count,
    connected: line(count),
    caughtUp: line(count),
  },
  missedAway: 0,
  connects: { tried: count, opened: count, refused: 0, peakPerS: count },
  policy: 'full-jitter',
});

const nounOf = (name: string) =>
  name.startsWith('page')
    ? 'requests'
    : name.startsWith('upstream')
      ? 'messages'
      : /^(?:recovery|reconnect|offline)/.test(name)
        ? 'absences'
        : 'events';

describe('a percentile takes 10 events beyond it, of whatever it is', () => {
  /** Of the event loop each slot has one figure, and the worst is taken. */
  const percentiles = Object.keys(metrics).filter(
    (name) => /\.p(?:50|90|99)$/.test(name) && name !== 'server-loop-delay.p99',
  );
  const names = [...shared, 'publisherLag', 'publishRoundTrip', 'firstReceiver', 'medianReceiver'];
  const trial = (count: number) => {
    const of = Object.fromEntries([...names, 'page', 'upstream'].map((name) => [name, line(count)]));
    // Without a last receiver no event had several, so every delivery is an event.
    const lastReceiver = stored();
    return completed({
      latency: { ...completed().latency, ...of, lastReceiver },
      latencyByAttempt: [{ attempt: 1, histogram: line(count) }],
      recovery: cutOff(count),
      latencyAroundFaults: { before: line(count), during: line(count), toUs: count },
    });
  };
  for (const name of percentiles.filter((one) => !/^(?:last-receiver|latency.retried)/.test(one)))
    test(name, () => {
      const quantile = Number(/\.p([\d.]+)$/.exec(name)![1]) / 100;
      const needed = Math.round(10 / (1 - quantile));
      const figure = figureOf(name, trial(needed));
      assert.ok(figure.value !== undefined && figure.low !== undefined && figure.high !== undefined);
      assert.ok(figure.low < figure.value && figure.value < figure.high);
      assert.equal(figure.beyond, 10);
      const short = figureOf(name, trial(needed - 1));
      assert.equal(short.value, undefined);
      assert.equal(short.why, `9 ${nounOf(name)} beyond it; 10 are needed`);
      assert.ok(short.atLeast! > 0 && short.atLeast! < figure.value, 'its lower end can be said');
    });
  test('nothing else is held to it', () => {
    for (const name of ['latency.max', 'latency.mean', 'last-receiver.max', 'published'])
      assert.deepEqual(Object.keys(figureOf(name, completed())), ['value'], name);
  });
});

describe('what a trial says of its events decides', () => {
  const sure = (beyond: number, highUs: number | null) =>
    completed({
      precision: {
        mostReceivers: 4,
        endToEnd: { shownUpTo: 0.95, at: [{ quantile: 0.99, lowUs: 900, highUs, beyond }] },
        acceptToReceipt: { shownUpTo: 0, at: [] },
      },
    });
  test('however many deliveries there are', () => {
    const figure = { value: 990, low: 900, high: 1000, beyond: 10 };
    assert.deepEqual(figureOf('latency.p99', sure(10, 1000)), figure);
    const few = { value: undefined, why: '9 events beyond it; 10 are needed', atLeast: 900 };
    assert.deepEqual(figureOf('latency.p99', sure(9, 1000)), few);
    assert.deepEqual(figureOf('latency.p99', sure(2, null)), {
      value: undefined,
      why: '2 events beyond it; 10 are needed',
    });
    const open = 'the 12 events beyond it leave its upper end open';
    assert.deepEqual(figureOf('latency.p99', sure(12, null)), { value: undefined, why: open, atLeast: 900 });
  });
  test('between the percentiles that it names, up to where there are events enough', () => {
    const at = (quantile: number) => figureOf(latencyAt('endToEnd', quantile, 'x'), sure(10, 1000));
    assert.deepEqual(at(0.95), { value: 950 });
    assert.deepEqual(at(0.951), { value: undefined, why: 'fewer than 10 events beyond it' });
  });
  test('of attempts the worst is assumed: four receipts, one event', () => {
    const of = (count: number) =>
      figureOf('latency.first-attempt.p50', {
        ...sure(10, 1000),
        latencyByAttempt: [{ attempt: 1, histogram: line(count) }],
      });
    assert.equal(of(80).value, 40); // 40 receipts beyond are 10 events at least
    assert.equal(of(76).value, undefined);
  });
  test('one trial alone has its interval, of several the spread is shown', () => {
    const one = figureOver('latency.p99', [sure(10, 1000)]);
    assert.deepEqual(one, { value: 990, low: 990, high: 990, trials: 1, within: [900, 1000] });
    const two = figureOver('latency.p99', [sure(10, 1000), sure(11, 1001)]);
    assert.deepEqual(two, { value: 990, low: 990, high: 990, trials: 2 });
  });
});

describe('a result that did not count events, with events that several received', () => {
  const older = (lastReceiver: ReturnType<typeof stored>, count = 1000) =>
    completed({ latency: { ...completed().latency, endToEnd: line(count), lastReceiver } });
  const events = (beyond: number) => stored(...Array.from({ length: 30 }, (_, i) => (i < beyond ? 2000 : 1)));
  test('shows what 100 deliveries and 10 events are known to lie beyond, without an interval', () => {
    assert.deepEqual(figureOf('latency.p90', older(events(10))), { value: 900 });
    assert.deepEqual(figureOf('latency.p90', older(events(9))), {
      value: undefined,
      why: '9 events beyond it; 10 are needed',
    });
    assert.deepEqual(figureOf('latency.p90', older(events(10), 999)), {
      value: undefined,
      why: '999 samples; 1,000 are needed',
    });
  });
});
