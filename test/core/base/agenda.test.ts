// Items come out of an agenda by their times, whatever goes in between, held against a sorted list.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { newAgenda } from '../../../core/base/agenda.ts';
import { newQueue } from '../../../core/base/queue.ts';

test('an agenda gives the earliest first', () => {
  const steps = fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 3 }));
  fc.assert(
    fc.property(steps, (all) => {
      const agenda = newAgenda<number>();
      const sorted: number[] = [];
      for (const atMs of all) {
        if (atMs !== null) {
          agenda.add(atMs, atMs);
          sorted.push(atMs);
          sorted.sort((a, b) => a - b);
        } else {
          assert.equal(agenda.shift(), sorted.shift());
        }
        assert.deepEqual([agenda.nextMs(), agenda.peek()], [sorted[0] ?? Infinity, sorted[0]]);
      }
    }),
  );
});

test('a queue gives the first first', () => {
  const steps = fc.array(fc.option(fc.integer(), { freq: 3 }));
  fc.assert(
    fc.property(steps, (all) => {
      const queue = newQueue<number>();
      const list: number[] = [];
      for (const item of all) {
        if (item !== null) {
          queue.push(item);
          list.push(item);
        } else {
          assert.equal(queue.shift(), list.shift());
        }
        assert.deepEqual([queue.size(), queue.peek()], [list.length, list[0]]);
      }
      assert.deepEqual(queue.drain(), list);
      assert.equal(queue.size(), 0);
    }),
  );
});
