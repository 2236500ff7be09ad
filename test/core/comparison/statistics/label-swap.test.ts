// Label swaps find p-values that do not mean what they say, and pass those that do.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { random } from '../../../../core/base/random.ts';
import { distanceFromEven, swapLabels } from '../../../../core/comparison/statistics/label-swap.ts';

test('pairs of any shape: skewed, tied, with noughts and outliers', () => {
  const shapes: Record<string, number[]> = {
    skewed: Array.from({ length: 12 }, (_, i) => 0.02 * 1.6 ** i),
    tied: [1, 1, 1, 2, 2, 3, 3, 3, 3, -1],
    'with noughts': [0, 0, 0, 0.1, -0.2, 0.3, 0.4, 0.5, 0.6, 0.7],
    outlier: [0.01, 0.02, -0.01, 0.03, 0.02, 0.01, -0.02, 0.04, 5, 0.01],
    'a clear difference, which swapping takes away': Array.from({ length: 10 }, (_, i) => 1 + i / 100),
  };
  for (const [name, differences] of Object.entries(shapes)) {
    const { distance, chance, below5 } = swapLabels(differences, { swaps: 4000, seed: 7 });
    assert.ok(chance > 0.001, `${name}: distance ${distance}, chance ${chance}`);
    assert.ok(below5 <= 0.065, `${name}: ${below5} below 5 %`);
  }
});

test('the distance is the textbook one, and p-values that crowd are found out', () => {
  assert.equal(distanceFromEven([0.5]), 0.5);
  assert.ok(Math.abs(distanceFromEven([0.1, 0.4, 0.7]) - 0.3) < 1e-12);
  const next = random(1, 'crowded');
  const crowded = distanceFromEven(Array.from({ length: 2000 }, () => next() ** 1.3));
  assert.ok(2 * Math.exp(-2 * 2000 * crowded ** 2) < 1e-6, `${crowded}`);
});
