// The account of deliveries, against plain models of it.

import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { test } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { encodeEnvelope } from '../../../core/event/envelope.ts';
import { fromSparse } from '../../../core/result/histogram.ts';
import {
  followersOf,
  planTopics,
  topicName,
  topicsOf,
  type TopicGroupPlan,
} from '../../../core/scenario/topics.ts';
import { createRecorder, type Recorder } from '../../../load/account/recorder.ts';

const window = { warmupFromUs: 0, fromUs: 10_000, toUs: 20_000, slotUs: 1000 };

type Groups = Record<string, { count: number | 'per-subscriber'; follow: number }>;
const plan = (subscribers: number, topics: Groups) =>
  // Rates and payloads do not matter here.
  planTopics({ subscribers, topics: topics as Parameters<typeof planTopics>[0]['topics'] });

function setup({
  first = 0,
  count = 1,
  topics = plan(1, { news: { count: 1, follow: 1 } }),
  fanoutEvery = 1,
}: { first?: number; count?: number; topics?: TopicGroupPlan[]; fanoutEvery?: number } = {}) {
  const counters = newCounters();
  const connected: number[] = [];
  const recorder = createRecorder({
    first,
    count,
    topics,
    fanoutEvery,
    counters,
    onReady: (n) => void connected.push(n),
  });
  return { recorder, counters, connected, topics };
}

type Arrival = {
  subscriber?: number;
  topic?: string;
  seq: number;
  plannedUs?: number;
  acceptedUs?: number;
  atUs?: number;
  body?: string;
  crc?: number;
};

function deliver(
  { sink }: Recorder,
  {
    subscriber = 0,
    topic = 'news',
    seq,
    plannedUs = 15_000,
    acceptedUs = plannedUs,
    atUs = plannedUs + 10,
    body = '{}',
    crc,
  }: Arrival,
): boolean {
  const json = encodeEnvelope({
    id: `abc-${seq}`,
    topic,
    seq,
    plannedUs,
    sentUs: plannedUs,
    acceptedUs,
    body,
    ...(crc === undefined ? {} : { crc }),
  });
  const bytes = Buffer.from(`--${json}--`);
  return sink.event(subscriber, bytes, 2, bytes.length - 2, atUs);
}

const seqs = (...values: number[]) => Int32Array.from(values);

test('only events planned in the window are measured; all of them close the ledger', () => {
  const { recorder } = setup();
  deliver(recorder, { seq: 1 }); // before there is a window
  recorder.setWindow(window);
  deliver(recorder, { seq: 2, plannedUs: 9_999 });
  deliver(recorder, { seq: 3, plannedUs: 10_000, atUs: 10_007 });
  deliver(recorder, { seq: 4, plannedUs: 19_999, atUs: 20_500 });
  deliver(recorder, { seq: 5, plannedUs: 20_000 });
  assert.equal(recorder.delivered(), 2);
  const latency = recorder.takeLatency();
  assert.deepEqual(
    latency.map(({ slot, histogram }) => [slot, histogram.count, histogram.sumUs]),
    [
      [0, 1, 7],
      [9, 1, 501],
    ],
  );
  const { ledger, acceptToReceipt } = recorder.close(seqs(3), seqs(4));
  assert.deepEqual(ledger, {
    expected: 2,
    delivered: 2,
    missed: 0,
    duplicated: 0,
    reordered: 0,
    resumed: 0,
    corrupted: 0,
    unexpected: 0,
    missing: [],
  });
  assert.equal(fromSparse(acceptToReceipt).count, 2);
});

test('duplicates, late arrivals and gaps are told apart', () => {
  const { recorder } = setup({ first: 70 });
  recorder.setWindow(window);
  for (const seq of [1, 2, 5, 4, 2, 5, 9]) deliver(recorder, { subscriber: 70, seq });
  const { ledger } = recorder.close(seqs(1), seqs(10));
  assert.deepEqual(ledger, {
    expected: 10,
    delivered: 5,
    missed: 5,
    duplicated: 2,
    reordered: 1,
    resumed: 0,
    corrupted: 0,
    unexpected: 0,
    missing: [
      { subscriber: 70, topic: 0, from: 3, to: 3 },
      { subscriber: 70, topic: 0, from: 6, to: 8 },
      { subscriber: 70, topic: 0, from: 10, to: 10 },
    ],
  });
});

test('what was accepted before a subscriber came back was brought by the resume', () => {
  const { recorder, connected } = setup({ count: 2, topics: plan(2, { news: { count: 1, follow: 1 } }) });
  recorder.setWindow(window);
  recorder.sink.ready(0, 14_000);
  recorder.sink.ready(1, 14_000);
  deliver(recorder, { seq: 1, acceptedUs: 13_000 }); // the first connection is no resume
  recorder.sink.lost(0);
  assert.equal(recorder.connected(), 1);
  recorder.sink.lost(0);
  recorder.sink.ready(0, 16_000);
  deliver(recorder, { seq: 2, acceptedUs: 15_999, atUs: 16_100 });
  deliver(recorder, { seq: 2, acceptedUs: 15_999, atUs: 16_200 });
  deliver(recorder, { seq: 3, acceptedUs: 16_000, atUs: 16_100 });
  deliver(recorder, { subscriber: 1, seq: 2, acceptedUs: 15_999 });
  assert.equal(recorder.connected(), 2);
  assert.deepEqual(connected, [1, 2, 2]);
  assert.equal(recorder.close(seqs(1), seqs(3)).ledger.resumed, 1);
});

test('a body that is not what was published is corrupted, quoted or not', () => {
  const { recorder } = setup();
  recorder.setWindow(window);
  const bodies = ['{"a":"é😀"}', 'plain\ntext with "quotes" and €', ''];
  bodies.forEach((body, i) => deliver(recorder, { seq: i + 1, body, crc: crc32(body) }));
  assert.equal(recorder.close(seqs(1), seqs(3)).ledger.corrupted, 0);
  bodies.forEach((body, i) => deliver(recorder, { seq: i + 4, body, crc: crc32(`${body}x`) }));
  const unreadable = Buffer.from(
    '{"id":"a-1","topic":"news","seq":7,"planned":15000,"sent":15000,"accepted":15000,"crc":5,"text":"\\x"}',
  );
  assert.equal(recorder.sink.event(0, unreadable, 0, unreadable.length, 15_001), true);
  const { ledger } = recorder.close(seqs(1), seqs(7));
  assert.deepEqual([ledger.corrupted, ledger.delivered], [4, 7]);
});

test('what is no envelope is refused and changes nothing', () => {
  const { recorder } = setup();
  recorder.setWindow(window);
  const refused = (text: string) =>
    assert.equal(recorder.sink.event(0, Buffer.from(text), 0, Buffer.byteLength(text), 1), false);
  for (const text of [
    '',
    '{}',
    'x'.repeat(200),
    '{"id":"a-1","topic":"news","seq":"7","planned":15000,"sent":15000,"accepted":15000,"body":{}}',
  ])
    refused(text);
  assert.equal(deliver(recorder, { seq: 0 }), false);
  assert.equal(deliver(recorder, { seq: 2 ** 31 }), false);
  assert.equal(recorder.close(seqs(1), seqs(0)).ledger.unexpected, 0);
});

test('events nobody asked for, or nobody published, are unexpected', () => {
  const topics = plan(3, { mine: { count: 'per-subscriber', follow: 1 }, shared: { count: 4, follow: 2 } });
  const { recorder } = setup({ count: 3, topics });
  recorder.setWindow(window);
  deliver(recorder, { subscriber: 1, topic: 'mine.1', seq: 1 });
  deliver(recorder, { subscriber: 1, topic: 'mine.2', seq: 1 });
  deliver(recorder, { subscriber: 1, topic: 'other', seq: 1 });
  // Planned in the window, but behind the last that was published.
  deliver(recorder, { subscriber: 1, topic: 'mine.1', seq: 9 });
  const { ledger } = recorder.close(seqs(1, 1, 1, 1, 1, 1, 1), seqs(0, 1, 0, 0, 0, 0, 0));
  assert.deepEqual([ledger.expected, ledger.delivered, ledger.missed, ledger.unexpected], [1, 1, 0, 3]);
});

test('each of 10,000 private topics, and shared ones beside them, reach the right slot', () => {
  const topics = plan(10_000, {
    user: { count: 'per-subscriber', follow: 1 },
    room: { count: 50, follow: 4 },
  });
  const { recorder } = setup({ first: 2000, count: 5000, topics });
  recorder.setWindow(window);
  const [firstSeq, lastSeq] = [new Int32Array(10_050).fill(1), new Int32Array(10_050)];
  let deliveries = 0;
  for (let subscriber = 2000; subscriber < 7000; subscriber++) {
    for (const topic of topicsOf(topics, subscriber)) {
      lastSeq[topic] = 1 + (topic % 3);
      for (let seq = 1; seq <= lastSeq[topic]; seq++, deliveries++)
        deliver(recorder, { subscriber, topic: topicName(topics, topic), seq });
    }
  }
  const { ledger } = recorder.close(firstSeq, lastSeq);
  assert.deepEqual(
    [ledger.expected, ledger.delivered, ledger.missed, ledger.unexpected],
    [deliveries, deliveries, 0, 0],
  );
});

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
    { topic: 0, seq: 2, latenciesUs: seqs(2, 102, 202, 302, 402) },
    { topic: 0, seq: 4, latenciesUs: seqs(4, 104, 204, 304) },
    { topic: 6, seq: 2, latenciesUs: seqs(96, 97, 98, 99, 100) },
  ]);
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
            full.counts.reduce((a, b) => a + b, 0),
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

test('mishaps are counted by kind, the first ones first, and kinds are bounded', () => {
  const { recorder, counters } = setup();
  recorder.sink.problem('a', 'first');
  recorder.sink.problem('b', 'second');
  recorder.sink.problem('a', 'first');
  assert.deepEqual(recorder.problems(), [
    { code: 'a', message: 'first', count: 2 },
    { code: 'b', message: 'second', count: 1 },
  ]);
  for (let i = 0; i < 1000; i++) recorder.sink.problem('c', `kind ${i}`);
  const problems = recorder.problems();
  assert.equal(problems.length, 50);
  assert.deepEqual(problems.at(-1), {
    code: 'others',
    message: 'mishaps of more kinds than are kept',
    count: 1000 - 47,
  });
  assert.equal(counters.errors, 1003);
});
