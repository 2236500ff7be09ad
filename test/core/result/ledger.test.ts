// The ledger of deliveries against a plain set of numbers: delivered, missed, duplicated, reordered.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { close, enter, newLedger, type Arrival, type Ledger } from '../../../core/result/ledger.ts';

/** What the ledger must say, kept in the plainest way. */
function model() {
  const seen = new Set<number>();
  let highest = 0;
  return {
    enter(seq: number): Arrival {
      if (seen.has(seq)) return 'duplicate';
      seen.add(seq);
      if (seq < highest) return 'late';
      highest = seq;
      return 'first';
    },
    missing(first: number, last: number): number[] {
      return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i).filter(
        (seq) => !seen.has(seq),
      );
    },
  };
}

function spread(intervals: readonly (readonly [number, number])[]): number[] {
  return intervals.flatMap(([from, to]) => Array.from({ length: to - from + 1 }, (_, i) => from + i));
}

/** Sequence numbers 1..n in any order, some lost, some more than once. */
const arrivals = fc.integer({ min: 1, max: 60 }).chain((n) => {
  const all = Array.from({ length: n }, (_, i) => i + 1);
  const again = fc.array(fc.tuple(fc.constantFrom(...all), fc.nat(100)), { maxLength: 30 });
  return fc.tuple(fc.shuffledSubarray(all), again).map(([some, repeats]) => {
    const order = [...some];
    for (const [seq, at] of repeats) order.splice(at % (order.length + 1), 0, seq);
    return order;
  });
});

/** Mostly in order, as on a real wire: neighbours swapped, a few lost, a few repeated. */
const nearlyOrdered = fc
  .array(fc.tuple(fc.integer({ min: -2, max: 2 }), fc.integer({ min: 0, max: 9 })), {
    minLength: 1,
    maxLength: 120,
  })
  .map((steps) =>
    steps
      .map(([shift, luck], i) => ({ seq: Math.max(1, i + 1 + shift), luck }))
      .filter(({ luck }) => luck > 0)
      .flatMap(({ seq, luck }) => (luck === 9 ? [seq, seq] : [seq])),
  );

test('every arrival and every loss is told as by a set of numbers', () => {
  fc.assert(
    fc.property(
      fc.oneof(arrivals, nearlyOrdered),
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 0, max: 70 }),
      (order, first, last) => {
        const ledger = newLedger(1);
        const truth = model();
        for (const seq of order)
          assert.equal(
            enter(ledger, 0, seq),
            truth.enter(seq),
            `the arrival of ${seq} in ${order.join(' ')}`,
          );
        for (const [from, to] of [
          [first, last],
          [1, 60],
          [1, Math.max(...order, 0)],
        ] as const) {
          const { delivered, missing } = close(ledger, 0, from, to);
          assert.deepEqual(spread(missing), truth.missing(from, to));
          assert.equal(delivered, Math.max(0, to - from + 1) - truth.missing(from, to).length);
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test(
  'intervals stay apart, ascending and below the highest one, ' + 'and a ledger without gaps holds none',
  () => {
    fc.assert(
      fc.property(arrivals, (order) => {
        const ledger = newLedger(1);
        for (const seq of order) {
          enter(ledger, 0, seq);
          const lower = ledger.lower.get(0) ?? [];
          const bounds = [...lower.flat(), ledger.from[0]!, ledger.to[0]!];
          for (let i = 0; i < bounds.length; i += 2) {
            assert.ok(bounds[i]! <= bounds[i + 1]!, `an interval is not empty: ${bounds.join(' ')}`);
            if (i > 0)
              assert.ok(bounds[i]! > bounds[i - 1]! + 1, `intervals do not touch: ${bounds.join(' ')}`);
          }
        }
        for (const seq of Array.from({ length: 60 }, (_, i) => i + 1)) enter(ledger, 0, seq);
        assert.equal(ledger.lower.size, 0);
      }),
    );
  },
);

test('slots do not know of one another', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 1, max: 20 })), { maxLength: 200 }),
      (entries) => {
        const ledger = newLedger(5);
        const models = Array.from({ length: 5 }, model);
        for (const [slot, seq] of entries) assert.equal(enter(ledger, slot, seq), models[slot]!.enter(seq));
        for (const [slot, truth] of models.entries())
          assert.deepEqual(spread(close(ledger, slot, 1, 20).missing), truth.missing(1, 20));
      },
    ),
  );
});

describe('by hand', () => {
  function after(...seqs: number[]): Ledger {
    const ledger = newLedger(1);
    for (const seq of seqs) enter(ledger, 0, seq);
    return ledger;
  }
  const rows: [
    reads: string,
    seqs: number[],
    range: [number, number],
    delivered: number,
    missing: [number, number][],
  ][] = [
    ['all came', [1, 2, 3], [1, 3], 3, []],
    ['nothing came', [], [1, 3], 0, [[1, 3]]],
    ['nothing was expected', [], [1, 0], 0, []],
    ['nothing was expected, and something came', [1, 2], [3, 2], 0, []],
    ['the first came before the range began', [1, 2, 3, 4], [3, 4], 2, []],
    ['a gap in the middle', [1, 2, 5], [1, 5], 3, [[3, 4]]],
    ['the range ends inside a gap', [1, 5], [1, 3], 1, [[2, 3]]],
    ['the range begins inside a gap', [1, 5], [3, 5], 1, [[3, 4]]],
    ['the range lies inside one interval', [1, 2, 3, 4, 5, 9], [2, 4], 3, []],
    ['the last is missing', [1, 2], [1, 3], 2, [[3, 3]]],
    ['the first is missing', [2, 3], [1, 3], 2, [[1, 1]]],
  ];
  for (const [reads, seqs, [first, last], delivered, missing] of rows) {
    test(reads, () => assert.deepEqual(close(after(...seqs), 0, first, last), { delivered, missing }));
  }
});
