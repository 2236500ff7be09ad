// What a recorder hands over adds up: receipts of a fan-out, latencies by slot, and any order of arrivals.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { fromSparse } from '../../../core/result/histogram.ts';
import { followersOf, topicName, topicsOf } from '../../../core/scenario/topics.ts';

import { window, plan, setup, deliver, seqs } from './fixture.ts';

test('every so many events, the receipts of a shared topic are kept, ascending', () => {
  const topics = plan(5, {
    news: { count: 1, follow: 1 },
    mine: { count: 'per-subscriber', follow: 1 },
    sport: { count: 1, follow: 1 },
  });
  const { recorder } = setup({ count: 5, topics, fanoutEvery: 2 });
  recorder.setWindow(window);
  for (const seq of [2, 3, 4]) {
    for (let subscriber = 0; subscriber < 5; subscriber++) {
      if (seq === 4 && subscriber === 3) continue;
      deliver(recorder, {
        subscriber,
        topic: 'news',
        seq,
        atUs: 15_000 + 100 * ((subscriber * 3) % 5) + seq,
      });
      deliver(recorder, { subscriber, topic: 'news', seq, atUs: 19_000 });
      deliver(recorder, { subscriber, topic: `mine.${subscriber}`, seq });
      if (seq === 2) deliver(recorder, { subscriber, topic: 'sport', seq, atUs: 15_100 - subscriber });
    }
  }
  assert.deepEqual(recorder.close(new Int32Array(7).fill(1), new Int32Array(7)).fanout, [
    { topic: 0, seq: 2, latenciesUs: seqs(2, 102, 202, 302, 402), acceptedUs: 0 },
    { topic: 0, seq: 4, latenciesUs: seqs(4, 104, 204, 304), acceptedUs: 0 },
    { topic: 6, seq: 2, latenciesUs: seqs(96, 97, 98, 99, 100), acceptedUs: 0 },
  ]);
});

test('an event has several receivers too where each process has one of them', () => {
  // Two subscribers of the trial follow each topic, one here and one elsewhere; `mine` is private.
  const topics = plan(2, { news: { count: 1, follow: 1 }, mine: { count: 'per-subscriber', follow: 1 } });
  const { recorder } = setup({ first: 1, count: 1, topics, subscribers: 2 });
  recorder.setWindow(window);
  deliver(recorder, { subscriber: 1, topic: 'news', seq: 1, acceptedUs: 15_004, atUs: 15_009 });
  deliver(recorder, { subscriber: 1, topic: 'mine.1', seq: 1 });
  const { fanout, shared } = recorder.close(new Int32Array(3).fill(1), new Int32Array(3));
  assert.deepEqual(fanout, [{ topic: 0, seq: 1, latenciesUs: seqs(9), acceptedUs: 4 }]);
  assert.equal(shared, 1);
});

test('latencies are handed over once, by the slot of their planned time, and add up', () => {
  const arrivals = fc.array(
    fc.record({
      plannedUs: fc.integer({ min: 9000, max: 21_000 }),
      latencyUs: fc.integer({ min: -5, max: 100_000 }),
      flush: fc.boolean(),
    }),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(arrivals, (list) => {
      const { recorder } = setup();
      recorder.setWindow(window);
      const expected = new Map<number, number[]>();
      const got = new Map<number, { count: number; sumUs: number; negative: number }>();
      const take = () => {
        for (const { slot, histogram } of recorder.takeLatency()) {
          const full = fromSparse(histogram);
          assert.equal(
            [...full.counts].reduce((a, b) => a + b, 0),
            full.count,
          );
          const sum = got.get(slot) ?? { count: 0, sumUs: 0, negative: 0 };
          got.set(slot, {
            count: sum.count + full.count,
            sumUs: sum.sumUs + full.sumUs,
            negative: sum.negative + full.negative,
          });
        }
      };
      list.forEach(({ plannedUs, latencyUs, flush }, i) => {
        deliver(recorder, { seq: i + 1, plannedUs, atUs: plannedUs + latencyUs });
        if (plannedUs >= window.fromUs && plannedUs < window.toUs) {
          const slot = Math.floor((plannedUs - window.fromUs) / window.slotUs);
          expected.set(slot, [...(expected.get(slot) ?? []), latencyUs]);
        }
        if (flush) take();
      });
      take();
      assert.deepEqual(recorder.takeLatency(), []);
      const sums = [...expected].map(
        ([slot, values]) =>
          [
            slot,
            {
              count: values.filter((v) => v >= 0).length,
              sumUs: values.reduce((a, b) => a + Math.max(0, b), 0),
              negative: values.filter((v) => v < 0).length,
            },
          ] as const,
      );
      assert.deepEqual(new Map([...got].sort()), new Map(sums.sort()));
    }),
    { numRuns: 50 },
  );
});

test('any order of arrivals with losses and repeats is accounted for to the last one', () => {
  const topics = plan(4, { a: { count: 3, follow: 2 }, b: { count: 'per-subscriber', follow: 1 } });
  const pick = fc.record({
    subscriber: fc.integer({ min: 1, max: 3 }),
    topic: fc.nat(6),
    seq: fc.integer({ min: 1, max: 12 }),
  });
  fc.assert(
    fc.property(fc.array(pick, { maxLength: 120 }), (arrivals) => {
      const { recorder } = setup({ first: 1, count: 3, topics });
      recorder.setWindow(window);
      const seen = new Set<string>();
      const highest = new Map<string, number>();
      let [duplicated, reordered, unexpected] = [0, 0, 0];
      for (const { subscriber, topic, seq } of arrivals) {
        deliver(recorder, { subscriber, topic: topicName(topics, topic), seq });
        const slot = `${subscriber} ${topic}`;
        if (!topicsOf(topics, subscriber).includes(topic)) unexpected++;
        else if (seen.has(`${slot} ${seq}`)) duplicated++;
        else {
          seen.add(`${slot} ${seq}`);
          if (seq < (highest.get(slot) ?? 0)) reordered++;
          highest.set(slot, Math.max(seq, highest.get(slot) ?? 0));
        }
      }
      const { ledger } = recorder.close(new Int32Array(7).fill(1), new Int32Array(7).fill(12));
      const expected =
        12 *
        [0, 1, 2, 3, 4, 5, 6].reduce(
          (sum, topic) => sum + followersOf(topics, topic, 4) - (topicsOf(topics, 0).includes(topic) ? 1 : 0),
          0,
        );
      const missed = expected - seen.size;
      assert.deepEqual(
        { ...ledger, missing: 0 },
        {
          expected,
          delivered: seen.size,
          missed,
          duplicated,
          reordered,
          resumed: 0,
          corrupted: 0,
          unexpected,
          missing: 0,
        },
      );
      assert.equal(
        ledger.missing.reduce((sum, { from, to }) => sum + to - from + 1, 0),
        missed,
      );
    }),
    { numRuns: 200 },
  );
});
