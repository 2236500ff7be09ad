// Counts progressions in a histogram: bin by bin what recording each of their values would, at a cost that
// does not depend on how many values they have.
//
// Whole steps enter in O(1): a difference where a progression begins and one where it ends, in an array for
// each step, which a running sum with that stride turns into counts in the end. Others enter by a count for
// each bin that they touch, in closed form; the same one again is O(1), as a small table keeps the last ones.

import { binOf, bottomOf, rangeUs, type Histogram } from '../../core/result/histogram.ts';
import { lastUs, splitAt, sumUs, valueAt, type Progression } from './progression.ts';

export type Tally = {
  /** Counts every value of a progression, `times` times. */
  add(one: Progression, times?: number): void;
  /** Puts into the histogram what is still on its way; the tally can be used again. */
  close(): void;
};

/** Of all arrays of differences together: 32 MB. */
const mostCells = 2 ** 22;
/** So few values are recorded one by one. */
const few = 4;
/** A power of two. */
const kept = 1024;

/** @param histogram may be recorded into meanwhile; its bins are complete after `close` */
export function newTally(histogram: Histogram): Tally {
  const strides = newStrides(histogram);
  const waiting: (Progression | undefined)[] = Array.from({ length: kept });
  const waitingTimes = new Float64Array(kept);

  function inRange(one: Progression, times: number, last: number): void {
    const { n, firstUs } = one;
    histogram.count += n * times;
    histogram.sumUs += sumUs(one) * times;
    if (firstUs < histogram.minUs) histogram.minUs = firstUs;
    if (last > histogram.maxUs) histogram.maxUs = last;
    if (n <= few) for (let k = 0; k < n; k++) histogram.counts[binOf(valueAt(one, k))]! += times;
    else if (one.rest === 0 && strides.take(one, times)) return;
    else wait(one, times);
  }

  function wait(one: Progression, times: number): void {
    const at = placeOf(one);
    const other = waiting[at];
    if (other && isSame(one, other)) waitingTimes[at]! += times;
    else {
      if (other) enter(other, waitingTimes[at]!);
      waiting[at] = one;
      waitingTimes[at] = times;
    }
  }

  function enter(one: Progression, times: number): void {
    const bins = intoBins(histogram.counts, one, times);
    if (one.rest === 0) strides.entered(one, bins);
  }

  function add(one: Progression, times = 1): void {
    const most = rangeUs(histogram);
    const last = lastUs(one);
    if (one.firstUs >= 0 && last <= most) {
      inRange(one, times, last);
      return;
    }
    const [below, rest] = splitAt(one, 0);
    histogram.negative += (below?.n ?? 0) * times;
    if (!rest) return;
    const [within, above] = splitAt(rest, most + 1);
    histogram.overRange += (above?.n ?? 0) * times;
    if (within) inRange(within, times, lastUs(within));
  }

  return {
    add,
    close() {
      for (const [at, one] of waiting.entries()) if (one) enter(one, waitingTimes[at]!);
      waiting.fill(undefined);
      strides.close();
    },
  };
}

function placeOf({ n, firstUs, stepUs, rest, offset }: Progression): number {
  let hash = Math.imul(firstUs ^ Math.imul(n, 0x9e3779b1), 0x85ebca6b);
  hash = Math.imul(hash ^ stepUs ^ (hash >>> 15), 0xc2b2ae35);
  hash = Math.imul(hash ^ rest ^ Math.imul(offset, 0x27d4eb2f), 0x165667b1);
  return (hash ^ (hash >>> 16)) & (kept - 1);
}

function isSame(a: Progression, b: Progression): boolean {
  return (
    a.firstUs === b.firstUs &&
    a.n === b.n &&
    a.stepUs === b.stepUs &&
    a.rest === b.rest &&
    a.offset === b.offset &&
    a.per === b.per
  );
}

/**
 * A count for each bin that the values fall into.
 * @returns how many bins
 */
function intoBins(counts: Histogram['counts'], one: Progression, times: number): number {
  const { n, firstUs, stepUs, rest, offset, per } = one;
  const fromUs = firstUs + offset / per;
  const perStep = 1 / (stepUs + rest / per);
  let bins = 0;
  for (let k = 0, valueUs = firstUs; k < n; bins++) {
    const bin = binOf(valueUs);
    const endUs = bottomOf(bin + 1);
    // The first value from `endUs` on; a double is wrong by less than 1e-6, so only at a whole number by one.
    const guess = (endUs - fromUs) * perStep;
    let next = Math.ceil(guess);
    if (next >= n + 1) next = n;
    else {
      if (Math.abs(guess - Math.round(guess)) < 1e-6) next = Math.round(guess) - 1;
      while (
        next < n &&
        (valueUs = firstUs + next * stepUs + Math.floor((offset + next * rest) / per)) < endUs
      )
        next++;
      if (next > n) next = n;
    }
    counts[bin]! += (next - k) * times;
    k = next;
  }
  return bins;
}

/** Differences by step. A step gets an array once counting its bins has cost as much as the array does. */
function newStrides(histogram: Histogram) {
  const arrays = new Map<number, Float64Array>();
  const costs = new Map<number, number>();
  let cells = 0;

  /** The array of a step, long enough for `end`; undefined where there is none and no room. */
  function arrayFor(step: number, end: number): Float64Array | undefined {
    const array = arrays.get(step);
    if (array && end < array.length) return array;
    if (!array && (costs.get(step) ?? 0) < end) return undefined;
    const length = 2 ** Math.ceil(Math.log2(end + 1));
    if (cells + length - (array?.length ?? 0) > mostCells) return undefined;
    const longer = new Float64Array(length);
    if (array) longer.set(array);
    cells += length - (array?.length ?? 0);
    arrays.set(step, longer);
    return longer;
  }

  return {
    /** @returns whether it was taken */
    take({ n, firstUs, stepUs }: Progression, times: number): boolean {
      if (stepUs === 0) {
        histogram.counts[binOf(firstUs)]! += n * times;
        return true;
      }
      const end = firstUs + n * stepUs;
      const array = end < mostCells ? arrayFor(stepUs, end) : undefined;
      if (!array) return false;
      array[firstUs]! += times;
      array[end]! -= times;
      return true;
    },
    /** A progression of whole steps went another way, over so many bins. */
    entered({ stepUs }: Progression, bins: number): void {
      if (costs.size < kept || costs.has(stepUs)) costs.set(stepUs, (costs.get(stepUs) ?? 0) + bins);
    },
    close(): void {
      const { counts } = histogram;
      for (const [step, array] of arrays)
        for (let us = 0; us < array.length; us++) {
          if (us >= step) array[us]! += array[us - step]!;
          if (array[us] !== 0) counts[binOf(us)]! += array[us]!;
        }
      arrays.clear();
      costs.clear();
      cells = 0;
    },
  };
}
