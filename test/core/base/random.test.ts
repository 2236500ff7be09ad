// Random numbers of a seed: the same on every machine, even, and independent by name.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { longRandom } from '../../../core/base/long-random.ts';
import { drawShare, exponential, hash32, random } from '../../../core/base/random.ts';

const draw = (seed: number, stream: string, count: number) => {
  const next = random(seed, stream);
  return Array.from({ length: count }, () => next());
};
const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;

describe('random numbers', () => {
  test('the same seed and stream give the same numbers', () => {
    assert.deepEqual(draw(7, 'arrivals', 100), draw(7, 'arrivals', 100));
  });

  test('another seed or another stream gives others', () => {
    const numbers = new Set(
      [draw(7, 'arrivals', 1), draw(8, 'arrivals', 1), draw(7, 'sizes', 1), draw(7, 'arrivals:2', 1)].map(
        String,
      ),
    );
    assert.equal(numbers.size, 4);
  });

  test('lie in [0, 1)', () => {
    fc.assert(
      fc.property(fc.integer(), fc.string(), (seed, stream) =>
        draw(seed, stream, 50).every((value) => value >= 0 && value < 1),
      ),
    );
  });

  test('are spread evenly: each tenth gets a tenth', () => {
    const counts = Array.from({ length: 10 }, () => 0);
    for (const value of draw(1, 'even', 100_000)) counts[Math.floor(value * 10)]!++;
    // Chi-squared with 9 degrees of freedom stays below 27.9 but once in a thousand.
    const chi2 = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
    assert.ok(chi2 < 27.9, `chi-squared ${chi2}`);
  });

  test('streams of neighbouring seeds and names do not go together', () => {
    const pairs = [
      [draw(1, 'a', 10_000), draw(2, 'a', 10_000)],
      [draw(1, 'a:1', 10_000), draw(1, 'a:2', 10_000)],
    ] as const;
    for (const [x, y] of pairs) {
      const covariance = mean(x.map((value, i) => (value - 0.5) * (y[i]! - 0.5)));
      // Correlation is 12 times the covariance; four standard errors of 10,000 draws are 0.04.
      assert.ok(Math.abs(covariance * 12) < 0.04, `correlation ${covariance * 12}`);
    }
  });

  test('waiting times are exponential: their mean, and their standard deviation equal to it', () => {
    const next = random(3, 'waits');
    const waits = Array.from({ length: 40_000 }, () => exponential(next, 250));
    const average = mean(waits);
    const deviation = Math.sqrt(mean(waits.map((wait) => (wait - average) ** 2)));
    assert.ok(Math.abs(average - 250) < 5, `mean ${average}`);
    assert.ok(Math.abs(deviation - 250) < 10, `deviation ${deviation}`);
    assert.ok(waits.every((wait) => wait >= 0 && Number.isFinite(wait)));
  });

  test('a text is hashed as FNV-1a has it', () => {
    // Test vectors of the authors, 32 bits.
    assert.equal(hash32(''), 0x811c9dc5);
    assert.equal(hash32('a'), 0xe40c292c);
    assert.equal(hash32('foobar'), 0xbf9cf968);
  });
});

test('a share of some is exactly so many of them, drawn', () => {
  const all = Array.from({ length: 200 }, (_, i) => i);
  const drawn = drawShare(all, 0.25, random(1, 'share'));
  assert.equal(new Set(drawn).size, 50);
  assert.ok(drawn.every((one) => all.includes(one)));
  assert.deepEqual(
    drawn,
    drawn.toSorted((a, b) => a - b),
    'in their order',
  );
  assert.ok(drawn.some((one) => one >= 100) && drawn.some((one) => one < 100));
  assert.deepEqual(drawShare(all, 1, random(1, 'all')), all);
  assert.equal(drawShare([1, 2], 0.2, random(1, 'few')).length, 1, 'of few connections one at least');
  assert.deepEqual(drawShare([], 0.5, random(1, 'none')), []);
});

describe('long streams', () => {
  test('have numbers of their own by seed and name, in [0, 1), evenly spread', () => {
    const first = (seed: number, name: string) => {
      const next = longRandom(seed, name);
      return Array.from({ length: 50_000 }, next);
    };
    assert.deepEqual(first(7, 'waits'), first(7, 'waits'));
    const others = [first(7, 'waits'), first(8, 'waits'), first(7, 'polls'), draw(7, 'waits', 50_000)];
    assert.equal(new Set(others.map(([one]) => one)).size, 4);
    for (const values of others) {
      assert.ok(values.every((value) => value >= 0 && value < 1));
      const counts = Array.from({ length: 10 }, () => 0);
      for (const value of values) counts[Math.floor(value * 10)]!++;
      const chi2 = counts.reduce((sum, count) => sum + (count - 5000) ** 2 / 5000, 0);
      assert.ok(chi2 < 27.9, `chi-squared ${chi2}`);
    }
  });

  test('have digits that 32 bits have not', () => {
    const next = longRandom(1, 'digits');
    assert.ok(Array.from({ length: 100 }, next).some((value) => !Number.isInteger(value * 2 ** 32)));
  });

  test('are those of every build: a seed means the same next year', () => {
    const next = longRandom(42, 'golden');
    assert.deepEqual([next(), next(), next()], [0.40001667257550466, 0.7085301312267928, 0.5769000531039669]);
  });
});
