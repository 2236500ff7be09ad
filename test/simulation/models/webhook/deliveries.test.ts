// What is pending, held in pages and heaps of numbers, against plain lists.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { newDispatch } from '../../../../core/policy/webhook/dispatch-loading.ts';
import { createDeliveries } from '../../../../simulation/webhooks/deliveries.ts';
import { createPages, pageSize, placeOf } from '../../../../simulation/webhooks/pages.ts';

const message = { id: '', topic: '', body: '', bodyBytes: 1 };
const dispatch = newDispatch(1, {
  backlog: () => undefined,
  fresh: () => undefined,
  waiting: () => undefined,
});

test('what waits comes by its time and then by its number, and stays until another one is asked for', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.record({ dueMs: fc.integer({ min: 0, max: 9 }) }), fc.constantFrom(1, 2, 3))),
      (steps) => {
        const deliveries = createDeliveries(1, () => message);
        let waiting: { id: number; dueMs: number }[] = [];
        for (const step of steps) {
          if (typeof step === 'object') {
            const id = deliveries.add(1, 1, 0);
            deliveries.wait(0, id, step.dueMs);
            waiting.push({ id, dueMs: step.dueMs });
            continue;
          }
          waiting.sort((a, b) => a.dueMs - b.dueMs || a.id - b.id);
          const due = waiting.filter(({ dueMs }) => dueMs <= 5).length;
          assert.equal(deliveries.due(0, 5), due);
          const got: number[] = [];
          for (const { id } of deliveries.waiting(0, 100, dispatch)) {
            if (got.push(id) > step) break; // one more was looked at, and is not taken
          }
          assert.deepEqual(
            got,
            waiting.slice(0, step + 1).map(({ id }) => id),
          );
          waiting = waiting.slice(step);
        }
        assert.deepEqual(
          deliveries.cancel(0).sort((a, b) => a - b),
          waiting.map(({ id }) => id).sort((a, b) => a - b),
        );
        assert.deepEqual([...deliveries.waiting(0, 100, dispatch)], []);
      },
    ),
  );
});

test('a page is given back with the last of its numbers, and used again', () => {
  let made = 0;
  const pages = createPages(() => ({ n: made++ }));
  for (let round = 0; round < 20; round++) {
    const first = pages.take(pageSize);
    assert.equal(pages.oldest(), first);
    const there: number[] = [];
    pages.each((number) => void there.push(number));
    assert.equal(there.length, pageSize);
    for (let number = first; number < first + pageSize; number++) pages.give(number);
    assert.deepEqual([pages.live(), pages.oldest()], [0, undefined]);
  }
  assert.ok(made <= 3, `${made} pages were made`);
  assert.equal(placeOf(pageSize + 5), 5);
});
