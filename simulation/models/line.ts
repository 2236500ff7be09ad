// Puts lines of evenly spaced values into a histogram. A few values are recorded as they are; many in O(1),
// as a density over bins, and densities are added up when all lines are in. A single line gives every bin the
// count that its values recorded one by one would; with many lines, less than one value of each may lie one
// bin off.

import { binOf, bottomOf, rangeUs, record, recordMany, type Histogram } from '../../core/result/histogram.ts';

/** Up to so many values are recorded one by one. */
const mostSingle = 128;

export type Lines = {
  add(firstUs: number, stepUs: number, count: number): void;
  /** One value; the same as a line of one. */
  addOne(us: number): void;
  /** What was added since, put into the histogram; the sum of counts is exact. */
  finish(): Histogram;
};

export function createLines(histogram: Histogram): Lines {
  let bins: Bins | undefined;
  const addOne = (us: number) => record(histogram, Math.round(us));
  const mostUs = rangeUs(histogram);
  return {
    addOne,
    add(firstUs, stepUs, all) {
      const count = withinRange(firstUs, stepUs, all, mostUs);
      histogram.overRange += all - count;
      const lastUs = firstUs + stepUs * (count - 1);
      if (count <= mostSingle) {
        for (let k = 0; k < count; k++) addOne(firstUs + k * stepUs);
      } else if (stepUs <= 0) {
        recordMany(histogram, Math.round(firstUs), count);
      } else {
        bins ??= newBins(histogram.counts.length);
        addDensity(bins, firstUs, stepUs, count);
        histogram.count += count;
        histogram.sumUs += Math.round(count * firstUs + (stepUs * count * (count - 1)) / 2);
        histogram.minUs = Math.min(histogram.minUs, Math.round(firstUs));
        histogram.maxUs = Math.max(histogram.maxUs, Math.round(lastUs));
      }
    },
    finish() {
      if (bins) pour(bins, histogram);
      bins = undefined;
      return histogram;
    },
  };
}

/** How many of a line a histogram can hold. */
function withinRange(firstUs: number, stepUs: number, count: number, mostUs: number): number {
  if (firstUs + stepUs * count < mostUs) return count;
  return firstUs >= mostUs ? 0 : Math.min(count, Math.floor((mostUs - 1 - firstUs) / stepUs));
}

type Bins = {
  /** Where a density begins or, negative, ends: values a microsecond, in whole bins from this one on. */
  change: Float64Array;
  /** In bins that a line fills in part. */
  part: Float64Array;
  count: number;
  lastBin: number;
};

function newBins(length: number): Bins {
  return { change: new Float64Array(length + 1), part: new Float64Array(length), count: 0, lastBin: 0 };
}

/**
 * Each value as spread over half a step before and behind it, so that what lines are off by cancels out: of a
 * line, as many lie below the end of a bin, rounded, as do of the values. Half a microsecond is what rounding
 * adds to values.
 */
function addDensity(bins: Bins, firstUs: number, stepUs: number, count: number): void {
  const { change, part } = bins;
  const fromUs = firstUs - stepUs / 2 + 0.5;
  const toUs = firstUs + stepUs * (count - 0.5) + 0.5;
  const density = 1 / stepUs;
  // What would lie before 0 is in the first bin.
  const first = binOf(Math.max(0, Math.floor(fromUs)));
  const last = binOf(Math.floor(toUs));
  bins.count += count;
  bins.lastBin = Math.max(bins.lastBin, last);
  if (first === last) {
    part[first]! += count;
    return;
  }
  part[first]! += (bottomOf(first + 1) - fromUs) * density;
  part[last]! += (toUs - bottomOf(last)) * density;
  change[first + 1]! += density;
  change[last]! -= density;
}

/**
 * Rounds to whole values so that the error never adds up from bin to bin; the last bin has the rest. A
 * value at the very end of a bin belongs to the next one.
 */
function pour({ change, part, count, lastBin }: Bins, { counts }: Histogram): void {
  let density = 0;
  let all = 0;
  let poured = 0;
  for (let i = 0; i < lastBin; i++) {
    density += change[i]!;
    all += part[i]! + density * (bottomOf(i + 1) - bottomOf(i));
    const whole = Math.min(count, Math.floor(all + 0.5 - 1e-6)) - poured;
    if (whole <= 0) continue;
    counts[i]! += whole;
    poured += whole;
  }
  counts[lastBin]! += count - poured;
}
