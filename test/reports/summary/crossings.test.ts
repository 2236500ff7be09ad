// Where two lines of a curve cross: on the scales that are drawn, between places that were measured.

import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, test } from 'vitest';
import { crossingsOf, scaleOf, type Scales } from '../../../reports/summary/crossings.ts';

const log: Scales = { x: 'log', y: 'log' };
const linear: Scales = { x: 'linear', y: 'linear' };

/** Lines over the places 1, 10, 100, ...; `undefined` where one was not measured. */
function cross(a: (number | undefined)[], b: (number | undefined)[], scales = log) {
  const points = (variant: string, line: (number | undefined)[]) =>
    line.flatMap((value, i) => (value === undefined ? [] : [{ variant, x: 10 ** i, value }]));
  return crossingsOf([...points('a', a), ...points('b', b)], ['a', 'b'], {}, scales);
}

/** Lines over the places 1, 2, 3, ... */
function lines(all: Record<string, (number | undefined)[]>, scales = linear) {
  const points = Object.entries(all).flatMap(([variant, line]) =>
    line.flatMap((value, i) => (value === undefined ? [] : [{ variant, x: i + 1, value }])),
  );
  return crossingsOf(points, Object.keys(all), {}, scales);
}

const rounded = (value: number) => Number(value.toFixed(9));

test('an axis is logarithmic from eight times on', () => {
  assert.equal(scaleOf([1, 7.99]), 'linear');
  assert.equal(scaleOf([1, 8]), 'log');
  assert.equal(scaleOf([0, 100]), 'linear', '0 has no place on a logarithmic axis');
});

describe('a crossing', () => {
  test('lies where the drawn lines meet: on logarithmic axes, and on linear ones', () => {
    const [one, ...others] = cross([1, 100], [100, 1]);
    assert.ok(Math.abs(one!.x - Math.sqrt(10)) < 1e-9);
    assert.ok(Math.abs(one!.value - 10) < 1e-9);
    assert.deepEqual([one!.below, one!.above, one!.from, one!.to, others.length], ['a', 'b', 1, 10, 0]);
    // From 1 to 10: a rises from 1 to 4, b falls from 3 to 2; they meet half way at 2.5.
    assert.deepEqual(cross([1, 4], [3, 2], linear), [
      { below: 'a', above: 'b', from: 1, to: 10, x: 5.5, value: 2.5 },
    ]);
    assert.equal(
      cross([1, 4], [3, 2])[0]!.x < 5,
      true,
      'the same figures on logarithmic axes meet elsewhere',
    );
  });
  test('is none where lines do not cross or are alike', () => {
    assert.deepEqual(cross([1, 2, 3], [10, 20, 30]), []);
    assert.deepEqual(cross([100, 100], [110, 90]), []);
    assert.deepEqual(cross([0, 0], [1, 2], linear), []);
  });
  test('is between the nearest places at which the lines are told apart', () => {
    // Alike at 10 with the sign of neither side being sure: what is known is from 1 to 100.
    const [one, ...others] = cross([1, 1, 10], [5, 1.1, 1]);
    assert.deepEqual([one!.from, one!.to, others.length], [1, 100, 0]);
    assert.ok(one!.x > 10 && one!.x < 100);
  });
  test('is at a measured place where both have the same figure there', () => {
    assert.deepEqual(
      cross([1, 5, 10], [10, 5, 1], { x: 'log', y: 'linear' }).map(({ from, to, x }) => [
        from,
        to,
        Math.round(x),
      ]),
      [[1, 100, 10]],
    );
  });
  test('follows a line that has a place of its own between two common ones', () => {
    // b goes over 10 at 9, a has no figure there: the straight line of a is at 5 at x = 10.
    const [one] = cross([0, undefined, 99], [90, 90, 0], linear);
    // From 10 to 100 the gap goes from 9 - 90 to 99 - 0: they meet at 81 / 180 of the way, where a is x - 1.
    assert.deepEqual([one!.x, one!.value].map(rounded), [50.5, 49.5]);
    const [turned] = cross([90, 90, 0], [0, undefined, 99], linear);
    assert.deepEqual([turned!.x, turned!.value].map(rounded), [50.5, 49.5]);
  });
  test('follows it on mixed scales', () => {
    // A line over three decades, or over three units, that is 10 + 10 log x, or 10 to the power of x - 1.
    const [one] = cross([10, undefined, 30], [40, 21, 0], { x: 'log', y: 'linear' });
    assert.deepEqual([one!.x, one!.value].map(rounded), [10 ** (1 + 1 / 31), 20 + 10 / 31].map(rounded));
    const [other] = lines({ a: [1, undefined, 100], b: [50, 12, 3] }, { x: 'linear', y: 'log' });
    const share = Math.log(1.2) / Math.log(40); // from 10 / 12 to 100 / 3 in logarithms
    assert.deepEqual([other!.x, other!.value].map(rounded), [2 + share, 10 ** (1 + share)].map(rounded));
  });
  test('is the middle one of several places where the lines meet, and of two the first', () => {
    // At 2 both are 10, then b is 11 and 9, which is alike: they meet at 2, at 3.5, and soon after 4.
    const a = [10, 10, 10, 10, 10];
    assert.deepEqual(lines({ a, b: [5, 10, 11, 9, 20] }), [
      { below: 'b', above: 'a', from: 1, to: 5, x: 3.5, value: 10 },
    ]);
    assert.deepEqual(
      lines({ a: a.slice(1), b: [5, 10, 9, 20] }).map(({ x }) => x),
      [2],
    );
  });
  test('is found of each two of three lines, in whatever order their points come', () => {
    const three = lines({ a: [100, 100], b: [1, 4], c: [3, 2] });
    assert.deepEqual(three, [{ below: 'b', above: 'c', from: 1, to: 2, x: 1.5, value: 2.5 }]);
    const points = [2, 1].flatMap((x) => [
      { variant: 'b', x, value: x === 1 ? 1 : 4 },
      { variant: 'c', x, value: x === 1 ? 3 : 2 },
    ]);
    assert.deepEqual(crossingsOf(points, ['b', 'c'], {}, linear), three);
  });
  test('lies within its places, and is the same whichever line is named first', () => {
    const values = fc.array(fc.double({ min: 0.01, max: 1000, noNaN: true }), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(values, values, fc.constantFrom(log, linear), (a, b, scales) => {
        const found = cross(a, b, scales);
        assert.ok(found.every(({ from, to, x }) => from <= x && x <= to * (1 + 1e-9)));
        assert.deepEqual(
          cross(b, a, scales).map(({ below, from, to }) => [below === 'a' ? 'b' : 'a', from, to]),
          found.map(({ below, from, to }) => [below, from, to]),
        );
      }),
    );
  });
});
