// Puts lines of values, evenly spaced, into a histogram: a few as they are, many in O(1) as what a line is to
// bins that are wider than its step, a density. Densities are summed over the bins when all lines are in.

import { maxValueUs, record, type Histogram } from '../../core/result/histogram.ts';

/** Up to so many values are recorded one by one. */
const mostSingle = 1024;

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
  return {
    addOne,
    add(firstUs, stepUs, all) {
      const count = withinRange(firstUs, stepUs, all);
      histogram.overRange += all - count;
      const lastUs = firstUs + stepUs * (count - 1);
      if (count <= mostSingle) {
        for (let k = 0; k < count; k++) addOne(firstUs + k * stepUs);
      } else if (stepUs <= 0) {
        addMany(histogram, Math.round(firstUs), count);
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
function withinRange(firstUs: number, stepUs: number, count: number): number {
  if (firstUs + stepUs * count < maxValueUs) return count;
  return firstUs >= maxValueUs ? 0 : Math.min(count, Math.floor((maxValueUs - 1 - firstUs) / stepUs));
}

type Bins = {
  /** Where a density begins or, negative, ends: values a microsecond, in whole bins from this one on. */
  change: Float64Array;
  /** In bins that a line fills in part. */
  part: Float64Array;
};

function newBins(length: number): Bins {
  return { change: new Float64Array(length + 1), part: new Float64Array(length) };
}

/** Each value as spread over half a step to both sides. */
function addDensity({ change, part }: Bins, firstUs: number, stepUs: number, count: number): void {
  const fromUs = Math.max(0, firstUs - stepUs / 2);
  const toUs = firstUs + stepUs * (count - 0.5);
  const density = count / (toUs - fromUs);
  const first = binOf(fromUs);
  const last = binOf(toUs);
  if (first === last) {
    part[first]! += count;
    return;
  }
  part[first]! += (bottomOf(first + 1) - fromUs) * density;
  part[last]! += (toUs - bottomOf(last)) * density;
  change[first + 1]! += density;
  change[last]! -= density;
}

/** Rounds so that the error never adds up from bin to bin. */
function pour({ change, part }: Bins, { counts }: Histogram): void {
  let density = 0;
  let carried = 0;
  for (let i = 0; i < part.length; i++) {
    density += change[i]!;
    carried += part[i]! + density * (bottomOf(i + 1) - bottomOf(i));
    const whole = Math.round(carried);
    if (whole <= 0) continue;
    counts[i]! += whole;
    carried -= whole;
  }
}

/** As many times the same value. */
function addMany(histogram: Histogram, us: number, count: number): void {
  record(histogram, us);
  const more = count - 1;
  histogram.counts[binOf(us)]! += more;
  histogram.count += more;
  histogram.sumUs += us * more;
}

// The layout of core/result/histogram.ts: 2,048 bins of a microsecond, then 1,024 for each doubling.
const half = 1024;

function binOf(us: number): number {
  if (us < 2 * half) return Math.floor(us);
  const doublings = Math.floor(Math.log2(us)) - 10;
  return (doublings + 1) * half + Math.floor(us / 2 ** doublings) - half;
}

function bottomOf(bin: number): number {
  if (bin < 2 * half) return bin;
  const doublings = Math.floor(bin / half) - 1;
  return ((bin % half) + half) * 2 ** doublings;
}
