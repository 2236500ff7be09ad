// Adds the ledgers and the problems of several load processes up by hand, and holds the trial's against that.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import type { LoadLedger, Problem } from '../../../core/protocol/control.ts';
import { outcomeOf } from '../../../harness/trial/outcome.ts';
import type { Readings } from '../../../harness/trial/readings.ts';
import { closedBy, figuresOf, planOf, readingsOf, sparse, streams } from './readings.ts';

describe('the ledger', () => {
  // Topic 0 is news; topics 1 to 10 are the inboxes.
  const twoGroups = {
    topics: { news: { publish: '100/s' }, inbox: { count: 'per-subscriber', publish: '1/s' } },
  };
  const none = { first: 1, last: 0 };
  const ranges = [
    { first: 101, last: 1100 },
    { first: 3, last: 5 },
    { first: 8, last: 8 },
  ];
  const allRanges = [...ranges, ...Array.from({ length: 8 }, () => none)];

  test('adds up what each load process says', () => {
    const part = (times: number): LoadLedger => ({
      expected: 10 * times,
      delivered: 9 * times,
      missed: times,
      duplicated: 2 * times,
      reordered: 3 * times,
      resumed: 4 * times,
      corrupted: 5 * times,
      unexpected: 6 * times,
      missing: [],
    });
    const closed = [closedBy(part(100)), closedBy(part(1))];
    const { missing, published, unconfirmed, ...sums } = figuresOf({ closed }).ledger;
    assert.deepEqual(sums, {
      expected: 1010,
      delivered: 909,
      missed: 101,
      duplicated: 202,
      reordered: 303,
      resumed: 404,
      corrupted: 505,
      unexpected: 606,
    });
    assert.deepEqual([missing, published, unconfirmed], [[], 1000, 0]);
  });

  test('has published what the ranges hold, less what nobody confirmed of it', () => {
    const published = (unconfirmed: Readings['unconfirmed']) =>
      figuresOf({ ranges: allRanges, unconfirmed }, twoGroups).ledger.published;
    assert.equal(published([]), 1004);
    const within = [
      { topic: 0, seq: 101 },
      { topic: 0, seq: 1100 },
      { topic: 2, seq: 8 },
    ];
    assert.equal(published(within), 1001);
    const outside = [
      { topic: 0, seq: 100 },
      { topic: 0, seq: 1101 },
      { topic: 1, seq: 8 },
      { topic: 3, seq: 1 },
    ];
    assert.equal(published([...within, ...outside]), 1001);
  });

  test('counts measured events that were never confirmed, and none of the warm-up', () => {
    const { done } = readingsOf();
    const plan = planOf();
    // Event 100 is planned at the very end of the warm-up, event 99 a little before.
    const offsetUs = plan.publish.offsetUs.map((us, i) => (i === 100 ? 1_000_000 : us));
    const without = (...events: number[]) => {
      const seq = done.seq.map((own, i) => (events.includes(i) ? 0 : own));
      const { outcome } = outcomeOf(
        { ...plan, publish: { ...plan.publish, offsetUs } },
        streams,
        readingsOf({ done: { ...done, seq } }),
      );
      assert.ok(outcome.status === 'completed');
      return outcome.ledger.unconfirmed;
    };
    assert.equal(without(0, 99), 0);
    assert.equal(without(99, 100, 101, 1099), 3);
  });

  test('names the first hundred gaps, with the topics as people call them', () => {
    const gap = (subscriber: number) => ({ subscriber, topic: 3, from: 4, to: 6 });
    const gaps = (count: number) => Array.from({ length: count }, (_, i) => gap(i));
    const closed = [closedBy({ missing: gaps(60) }), closedBy({ missing: gaps(41) })];
    const { missing } = figuresOf({ closed, ranges: allRanges }, twoGroups).ledger;
    assert.equal(missing.length, 100);
    assert.deepEqual(missing[0], { subscriber: 0, topic: 'inbox.2', from: 4, to: 6 });
    assert.deepEqual(missing[99], { subscriber: 39, topic: 'inbox.2', from: 4, to: 6 });
  });
});

describe('problems', () => {
  const problem = (message: string, count: number, code = 'x'): Problem => ({ code, message, count });
  test('of all processes are added up by their text, the most frequent first', () => {
    const { done } = readingsOf();
    const { problems } = figuresOf({
      closed: [
        closedBy({}, { problems: [problem('a', 3), problem('b', 4)] }),
        closedBy({}, { problems: [problem('a', 2), problem('a', 1, 'y')] }),
      ],
      sent: [
        {
          kind: 'sent',
          seq: new Int32Array(),
          lag: sparse(),
          upstream: sparse(),
          problems: [problem('c', 9)],
        },
      ],
      done: { ...done, problems: [problem('b', 10)] },
    });
    assert.deepEqual(problems, [problem('b', 14), problem('c', 9), problem('a', 5), problem('a', 1, 'y')]);
  });
  test('beyond fifty are left out, but none that makes figures void', () => {
    const many = Array.from({ length: 60 }, (_, i) => problem(`${i}`, 100 - i));
    const { problems } = figuresOf({
      closed: [
        closedBy({}, { problems: many }),
        closedBy({}, { problems: [problem('line', 1, 'too-long')] }),
      ],
    });
    assert.equal(problems.length, 50);
    assert.deepEqual(problems[0], problem('line', 1, 'too-long'));
    assert.deepEqual(problems.at(-1), problem('48', 52));
  });
});
