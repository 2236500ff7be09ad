// Holds that latencies of several processes are merged sample by sample, and that first, median and last
// receiver of an event are those over all processes.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import type { LoadClosed } from '../../../core/protocol/control.ts';
import { filledBins, type StoredHistogram } from '../../../core/result/histogram.ts';
import { histogramOf } from '../../../core/result/load-histogram.ts';
import { latencyByAttempt, latencyOf } from '../../../harness/trial/latency-figures.ts';
import type { Readings } from '../../../harness/trial/readings.ts';
import { closedBy, histogram, planOf, readingsOf, sparse } from './readings.ts';

/** Which values, and how many of each; all below 2048 us, where histograms are exact. */
const valuesOf = (stored: StoredHistogram | undefined) => stored && [...filledBins(histogramOf(stored))];
const figures = (more: Partial<Readings>) => latencyOf(planOf(), readingsOf(more)).latency;
const fanout = (...events: [topic: number, seq: number, ...latenciesUs: number[]][]): LoadClosed =>
  closedBy(
    {},
    {
      fanout: events.map(([topic, seq, ...latenciesUs]) => ({
        topic,
        seq,
        latenciesUs: Int32Array.from(latenciesUs),
      })),
    },
  );

test('each latency is merged from the processes that saw it', () => {
  const { done } = readingsOf();
  const latency = figures({
    latency: histogram([7, 2]),
    closed: [
      closedBy(
        {},
        { acceptToReceipt: sparse([1, 2], [3, 1]), pages: { planned: 2, latency: sparse([60, 2]) } },
      ),
      closedBy({}, { acceptToReceipt: sparse([3, 5]), pages: { planned: 2, latency: sparse([61, 1]) } }),
    ],
    done: { ...done, lag: sparse([10, 4]), roundTrip: sparse([20, 3]) },
    sent: [
      { kind: 'sent', seq: new Int32Array(), lag: sparse([11, 1]), upstream: sparse([30, 1]), problems: [] },
      { kind: 'sent', seq: new Int32Array(), lag: sparse([10, 1]), upstream: sparse([31, 2]), problems: [] },
    ],
  });
  assert.deepEqual(valuesOf(latency.endToEnd), [[7, 2]]);
  assert.deepEqual(valuesOf(latency.acceptToReceipt), [
    [1, 2],
    [3, 6],
  ]);
  assert.deepEqual(valuesOf(latency.publisherLag), [
    [10, 5],
    [11, 1],
  ]);
  assert.deepEqual(valuesOf(latency.publishRoundTrip), [[20, 3]]);
  assert.deepEqual(valuesOf(latency.page), [
    [60, 2],
    [61, 1],
  ]);
  assert.deepEqual(valuesOf(latency.upstream), [
    [30, 1],
    [31, 2],
  ]);
});

test('without pages and without messages of subscribers there are no such latencies', () => {
  const latency = figures({});
  assert.equal('page' in latency, false);
  assert.equal('upstream' in latency, false);
});

test('first, median and last receiver of an event are those over all processes', () => {
  const of = (...closed: LoadClosed[]) => {
    const { firstReceiver, medianReceiver, lastReceiver } = figures({ closed });
    return [firstReceiver, medianReceiver, lastReceiver].map((one) => histogramOf(one).sumUs);
  };
  assert.deepEqual(of(fanout([0, 1, 100, 500, 900]), fanout([0, 1, 9, 1000])), [9, 500, 1000]);
  // Of two in the middle the sooner.
  assert.deepEqual(of(fanout([0, 1, 10, 20]), fanout([0, 1, 30, 40])), [10, 20, 40]);
  assert.deepEqual(of(fanout([0, 1, 10, 20, 30, 40]), fanout()), [10, 20, 40]);
  assert.deepEqual(of(fanout([0, 1, 5]), fanout([0, 1])), [5, 5, 5]);
  assert.deepEqual(of(fanout([0, 1]), fanout()), [0, 0, 0]);
});

test('an event whose receivers are in two processes counts once for a percentile', () => {
  // Ten events of four receivers each, two in each process, all at i and i + 100.
  const half = () => ({
    ...fanout(...Array.from({ length: 10 }, (_, i): [number, number, number, number] => [0, i, i, i + 100])),
    shared: 20,
  });
  const latency = histogram(
    ...Array.from({ length: 10 }, (_, i): [number, number] => [i, 2]),
    ...Array.from({ length: 10 }, (_, i): [number, number] => [i + 100, 2]),
  );
  const { precision } = latencyOf(
    planOf({ subscribers: 4 }),
    readingsOf({ latency, closed: [half(), half()] }),
  );
  assert.equal(precision!.mostReceivers, 4);
  const beyond = (wanted: number) =>
    precision!.endToEnd.at.find(({ quantile }) => quantile === wanted)!.beyond;
  assert.equal(beyond(0.5), 10);
  assert.equal(beyond(0.9), 2); // 4 of 40 receipts, which are those of two events
});

test('events are told apart by topic and number', () => {
  const { firstReceiver, medianReceiver, lastReceiver } = figures({
    closed: [fanout([0, 1, 1, 2], [0, 2, 3, 4], [1, 1, 5, 6]), fanout([1, 2, 7, 8])],
  });
  const ones = (...values: number[]) => values.map((value) => [value, 1]);
  assert.deepEqual(valuesOf(firstReceiver), ones(1, 3, 5, 7));
  assert.deepEqual(valuesOf(medianReceiver), ones(1, 3, 5, 7));
  assert.deepEqual(valuesOf(lastReceiver), ones(2, 4, 6, 8));
});

test('latencies by attempt are merged by attempt, in its order', () => {
  const attempts = (...each: [attempt: number, valueUs: number, count: number][]) =>
    closedBy(
      {},
      {
        byAttempt: each.map(([attempt, valueUs, count]) => ({
          attempt,
          histogram: sparse([valueUs, count]),
        })),
      },
    );
  const merged = latencyByAttempt([
    attempts([10, 900, 1], [1, 5, 3]),
    attempts([2, 70, 2], [1, 6, 1]),
    closedBy(),
  ]);
  assert.deepEqual(
    merged.map(({ attempt, histogram: stored }) => [attempt, valuesOf(stored)]),
    [
      [
        1,
        [
          [5, 3],
          [6, 1],
        ],
      ],
      [2, [[70, 2]]],
      [10, [[900, 1]]],
    ],
  );
  assert.deepEqual(latencyByAttempt([closedBy()]), []);
});
