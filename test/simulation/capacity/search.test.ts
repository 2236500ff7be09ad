// How many subscribers a server carries: against counting, and monotone whatever the server is like.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { test } from 'vitest';
import { firstWith, mostInTime, mostWithinCpu } from '../../../simulation/capacity/search.ts';

const most = 100_000;

test('of CPU that rises, the capacity is found to a hundredth, and never one too many', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1e-7, max: 2, noNaN: true }),
      fc.double({ min: 0, max: 0.7, noNaN: true }),
      fc.double({ min: 0.6, max: 1.4, noNaN: true }),
      (each, idle, power) => {
        const shareAt = (n: number) => idle + each * n ** power;
        const found = mostWithinCpu(shareAt, 0.8, most);
        let counted = 0;
        while (counted < most && shareAt(counted + 1) <= 0.8) counted++;
        assert.ok(found <= counted && found >= counted - Math.max(1, counted * 0.011), `${found} ${counted}`);
      },
    ),
    { numRuns: 200 },
  );
});

test('of a latency that rises, to three hundredths, and never one too many', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: most }), (limit) => {
      const found = mostInTime((n) => n <= limit, most);
      assert.ok(found <= limit && found >= limit - Math.max(1, limit * 0.031), `${found} ${limit}`);
    }),
  );
});

test('a looser bound never finds fewer, even of a latency that goes up and down', () => {
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.double({ min: 0, max: 10, noNaN: true })),
      fc.double({ min: 0, max: 12, noNaN: true }),
      fc.double({ min: 0, max: 3, noNaN: true }),
      (noise, bound, looser) => {
        const known = new Map<number, number>();
        const latency = (n: number) => {
          if (!known.has(n)) known.set(n, noise.next().value + Math.log(n));
          return known.get(n)!; // put there before
        };
        const tight = mostInTime((n) => latency(n) <= bound, most);
        assert.ok(mostInTime((n) => latency(n) <= bound + looser, most) >= tight);
      },
    ),
  );
});

test('nothing is asked above the most, and everything below it may be carried', () => {
  assert.equal(
    mostInTime(() => true, 12_345),
    12_345,
  );
  assert.equal(
    mostWithinCpu(() => 0, 0.8, 12_345),
    12_345,
  );
  assert.equal(
    mostInTime(() => false, most),
    0,
  );
  assert.equal(
    mostWithinCpu(() => 1, 0.8, most),
    0,
  );
});

test('with many events for each, few are tried first, and what is found is the same', () => {
  assert.deepEqual([1 / 3600, 1, 100, 101, 5000, 1e6].map(firstWith), [1000, 1000, 1000, 990, 20, 1]);
  const shareAt = (subscribers: number) => subscribers / 50_000;
  for (const first of [1, 20, 1000]) {
    const found = mostWithinCpu(shareAt, 0.8, 250_000, first);
    assert.ok(found <= 40_000 && found >= 39_600, `${found} of 40,000`);
  }
});
