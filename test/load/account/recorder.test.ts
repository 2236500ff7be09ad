// The account of deliveries, against plain models of it.

import assert from 'node:assert/strict';
import { crc32 } from 'node:zlib';
import { test } from 'vitest';
import { fromSparse } from '../../../core/result/histogram.ts';
import { topicName, topicsOf } from '../../../core/scenario/topics.ts';

import { window, plan, setup, deliver, seqs } from './fixture.ts';

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
  recorder.sink.lost(0, 15_000);
  assert.equal(recorder.connected(), 1);
  recorder.sink.lost(0, 15_000);
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

test('what is not an envelope is refused and changes nothing', () => {
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

test('problems are counted by kind, the first ones first, and kinds are bounded', () => {
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
    message: 'problems of more kinds than are kept',
    count: 1000 - 47,
  });
  assert.equal(counters.errors, 1003);
});
