// Bodies made ahead of their time: in short turns, and a large one by itself while nothing else is due.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { nowUs } from '../../../core/base/clock.ts';
import { readyBodiesBytes } from '../../../core/event/body-size.ts';
import { createBodyStock } from '../../../load/publisher/body-stock.ts';

const stockOf = (sizes: number[]) =>
  createBodyStock(
    {
      offsetUs: new Float64Array(sizes.length),
      topic: new Uint32Array(sizes.length),
      body: Int32Array.from(sizes, (bytes) => -bytes),
      corpus: [],
    },
    1,
  );
const largeBytes = 1024 ** 2;

test('a body that takes longer than a turn is made while nothing is due, one in a turn', () => {
  const { fill, take } = stockOf([largeBytes, largeBytes]);
  assert.equal(fill(nowUs() + 300), false);
  assert.equal(fill(nowUs() + 300, nowUs() + 60e6), false, 'there is a second one');
  assert.equal(fill(nowUs() + 300, nowUs() + 60e6), true);
  assert.deepEqual([take(0).bytes, take(1).bytes], [largeBytes, largeBytes]);
});

test('the stock is full with what may be ready, and goes on when some of it was taken', () => {
  const events = readyBodiesBytes / largeBytes + 2;
  const { fill, take } = stockOf(Array.from({ length: events }, () => largeBytes));
  let turns = 0;
  while (!fill(nowUs() + 300, nowUs() + 60e6)) turns++;
  assert.equal(turns, readyBodiesBytes / largeBytes - 1);
  for (let i = 0; i < events; i++) assert.equal(take(i).bytes, largeBytes);
});
