// Changes of level are found where they are, and hardly ever where there are none.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { random, type Random } from '../../../../core/base/random.ts';
import { binomialInterval } from '../../../../core/comparison/statistics/binomial.ts';
import { changePoints } from '../../../../core/comparison/statistics/change-points.ts';

const minimumEffect = 0.05;

function normal(next: Random): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

function studentT3(next: Random): number {
  return normal(next) / Math.sqrt((normal(next) ** 2 + normal(next) ** 2 + normal(next) ** 2) / 3);
}

test('a step is found where it is, and by how much', () => {
  const next = random(1, 'step');
  const series = Array.from(
    { length: 40 },
    (_, i) => (i < 25 ? 100 : 120) * Math.exp(0.03 * studentT3(next)),
  );
  const [change, ...others] = changePoints(series, { minimumEffect });
  assert.deepEqual(others, []);
  assert.equal(change!.at, 25);
  assert.ok(Math.abs(change!.ratio - 1.2) < 0.03);
  assert.ok(change!.p <= 0.001);
});

test('there and back are two changes; one that is too small to matter is none', () => {
  const next = random(2, 'steps');
  const noisy = (level: (i: number) => number) =>
    Array.from({ length: 60 }, (_, i) => level(i) * Math.exp(0.02 * normal(next)));
  assert.deepEqual(
    changePoints(
      noisy((i) => (i >= 20 && i < 40 ? 130 : 100)),
      { minimumEffect },
    ).map(({ at }) => at),
    [20, 40],
  );
  const small = noisy((i) => (i < 30 ? 100 : 103.5));
  assert.equal(changePoints(small, { minimumEffect: 0.01 }).length, 1);
  assert.deepEqual(changePoints(small, { minimumEffect }), []);
});

test('no change: at most one series in a thousand is split, with heavy tails too', () => {
  for (const [name, noise] of [
    ['normal', normal],
    ['heavy tails', studentT3],
  ] as const) {
    const next = random(3, name);
    const total = 600;
    let split = 0;
    for (let i = 0; i < total; i++) {
      const series = Array.from({ length: 50 }, () => Math.exp(0.05 * noise(next)));
      if (changePoints(series, { minimumEffect: 0, seed: i }).length > 0) split++;
    }
    const [low] = binomialInterval(split, total, 0.99);
    assert.ok(low <= 0.001, `${name}: ${split} of ${total}`);
  }
});

test('short, constant and empty series have none', () => {
  for (const series of [[], [1], [1, 1, 1, 1, 9, 9, 9, 9], Array.from({ length: 50 }, () => 7)])
    assert.deepEqual(changePoints(series, { minimumEffect }), []);
});
