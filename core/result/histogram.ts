// Records latencies in HdrHistogram's layout: 3 significant digits from 1 us on, up to 2^31-1 us (35 minutes)
// where they are measured, up to 30 days and in any number where they are simulated. Recording is ours
// because it is in the hot path (a shift and an increment, no allocation); the interchange format is
// HdrHistogram's V2 compressed encoding, written by hdr-histogram-js and read back by it in
// load-histogram.ts. Browsers can run this file.

import { build, encodeIntoCompressedBase64 } from 'hdr-histogram-js';

/** Measured values above this are counted in `overRange`, never clamped. */
export const maxValueUs = 2 ** 31 - 1;
/** The same of simulated values: 30 days. */
export const maxSimulatedUs = 30 * 86_400e6;

const subBucketBits = 11; // 2^11 = 2048 >= 2 * 10^3: three significant digits
const halfBits = subBucketBits - 1;
const half = 1 << halfBits;
const subBucketMask = (1 << subBucketBits) - 1;
/** Of two: `**` takes ten times as long. */
const powers = Float64Array.from({ length: 42 }, (_, i) => 2 ** i);
const length = indexOf(maxValueUs) + 1;
const simulatedLength = binOf(maxSimulatedUs) + 1;

export type Histogram = {
  /** Measured: up to 2^32 - 1 in a bin. Simulated: a larger range, and up to 2^53 in a bin. */
  counts: Uint32Array | Float64Array;
  /** Values recorded, without those out of range. */
  count: number;
  sumUs: number;
  minUs: number;
  maxUs: number;
  /** Values above the range; values below zero: a clock or a stamp is wrong when there are any. */
  overRange: number;
  negative: number;
  /** The value that is furthest below zero, where there is one. */
  lowestUs?: number;
};

/** The bins that hold something, for messages between processes. */
export type SparseHistogram = Omit<Histogram, 'counts'> & {
  readonly bins: Uint32Array;
  readonly values: Histogram['counts'];
};

export function newHistogram(): Histogram {
  return emptyOf(new Uint32Array(length));
}

/** One with the range and the large counts of a simulation. */
export function newSimulatedHistogram(): Histogram {
  return emptyOf(new Float64Array(simulatedLength));
}

/** The largest value that a histogram has a bin for. */
export function rangeUs({ counts }: Histogram): number {
  return isSimulated(counts) ? maxSimulatedUs : maxValueUs;
}

function isSimulated(counts: Histogram['counts']): counts is Float64Array {
  return counts instanceof Float64Array;
}

function emptyOf(counts: Histogram['counts']): Histogram {
  return {
    counts,
    count: 0,
    sumUs: 0,
    minUs: Infinity,
    maxUs: 0,
    overRange: 0,
    negative: 0,
  };
}

/** An empty histogram in the memory of one that is no longer needed. */
export function emptied({ counts }: Histogram): Histogram {
  return emptyOf(counts.fill(0));
}

/** Records one latency. @param valueUs an integer number of microseconds */
export function record(histogram: Histogram, valueUs: number): void {
  if (valueUs < 0) {
    recordMany(histogram, valueUs, 1);
  } else if (valueUs > maxValueUs) {
    recordMany(histogram, valueUs, 1);
  } else {
    histogram.counts[indexOf(valueUs)]!++;
    histogram.count++;
    histogram.sumUs += valueUs;
    if (valueUs < histogram.minUs) histogram.minUs = valueUs;
    if (valueUs > histogram.maxUs) histogram.maxUs = valueUs;
  }
}

/** Records one latency `times` times; at least once. */
export function recordMany(histogram: Histogram, valueUs: number, times: number): void {
  if (valueUs < 0) {
    histogram.negative += times;
    histogram.lowestUs = Math.min(histogram.lowestUs ?? 0, valueUs);
  } else if (valueUs > rangeUs(histogram)) histogram.overRange += times;
  else {
    histogram.counts[binOf(valueUs)]! += times;
    histogram.count += times;
    histogram.sumUs += valueUs * times;
    if (valueUs < histogram.minUs) histogram.minUs = valueUs;
    if (valueUs > histogram.maxUs) histogram.maxUs = valueUs;
  }
}

/** Samples that quantiles are of: those above the range took longer than all others, so they count. */
export function samplesOf({ count, overRange }: Histogram): number {
  return count + overRange;
}

/**
 * The smallest bin value with at least `quantile` of the samples at or below it (nearest rank), in
 * microseconds: the top of its bin, as HdrHistogram reports it, but never above the largest value recorded.
 * @param quantile 0 to 1
 * @returns `undefined` for an empty histogram; `Infinity` where the quantile lies among the samples above the
 *   range ({@link rangeUs}): it is longer than that, and nobody knows by how much
 */
export function quantileUs(histogram: Histogram, quantile: number): number | undefined {
  const samples = samplesOf(histogram);
  if (samples === 0) return undefined;
  // Rounding may put a whole rank a little above itself, and ceil would take the next one.
  let left = Math.max(1, Math.ceil(quantile * samples * (1 - 2 * Number.EPSILON)));
  if (left > histogram.count) return Infinity;
  const { counts, maxUs } = histogram;
  for (let i = 0; i < counts.length; i++) {
    left -= counts[i]!;
    if (left <= 0) return Math.min(topOf(i), maxUs);
  }
  return maxUs;
}

/** The end of the histogram's range, where a figure of it lies above. */
export function endBelow(histogram: Histogram, figureUs: number | undefined): number | undefined {
  return figureUs === Infinity ? rangeUs(histogram) : undefined;
}

/** How many samples lie in bins above the bin of `us`, or above the range. */
export function countAbove(histogram: Histogram, us: number): number {
  const { counts, overRange } = histogram;
  let above = overRange;
  for (let i = binOf(Math.min(us, rangeUs(histogram))) + 1; i < counts.length; i++) above += counts[i]!;
  return above;
}

/** The lowest value of the bin that a latency lies in. */
export function bottomOfBinUs(us: number): number {
  return bottomOf(binOf(us));
}

/** @returns `undefined` for an empty histogram; `Infinity` where samples above the range would raise it */
export function meanUs(histogram: Histogram): number | undefined {
  if (histogram.overRange > 0) return Infinity;
  return histogram.count === 0 ? undefined : histogram.sumUs / histogram.count;
}

/**
 * Adds `from` to `into`, which takes the range of a simulation where `from` has it. Percentiles of several
 * histograms come from their merged bins, never from an average.
 */
export function merge(into: Histogram, from: Histogram | SparseHistogram): void {
  // What is simulated has more bins and larger counts, so it takes such a histogram to hold it.
  if (isSimulated('counts' in from ? from.counts : from.values) && !isSimulated(into.counts)) widen(into);
  if ('counts' in from) {
    for (let i = 0; i < from.counts.length; i++) into.counts[i]! += from.counts[i]!;
  } else {
    for (let i = 0; i < from.bins.length; i++) into.counts[from.bins[i]!]! += from.values[i]!;
  }
  into.count += from.count;
  into.sumUs += from.sumUs;
  into.minUs = Math.min(into.minUs, from.minUs);
  into.maxUs = Math.max(into.maxUs, from.maxUs);
  into.overRange += from.overRange;
  into.negative += from.negative;
  if (from.lowestUs !== undefined) into.lowestUs = Math.min(into.lowestUs ?? 0, from.lowestUs);
}

function widen(histogram: Histogram): void {
  const counts = new Float64Array(simulatedLength);
  counts.set(histogram.counts);
  histogram.counts = counts;
}

export function toSparse(histogram: Histogram): SparseHistogram {
  const { counts, ...rest } = histogram;
  const bins: number[] = [];
  if (rest.count > 0) for (let i = 0; i < counts.length; i++) if (counts[i] !== 0) bins.push(i);
  const values = isSimulated(counts) ? new Float64Array(bins.length) : new Uint32Array(bins.length);
  for (const [i, bin] of bins.entries()) values[i] = counts[bin]!;
  return { ...rest, bins: Uint32Array.from(bins), values };
}

export function fromSparse(sparse: SparseHistogram): Histogram {
  const histogram = isSimulated(sparse.values) ? newSimulatedHistogram() : newHistogram();
  merge(histogram, sparse);
  return histogram;
}

/** The bins from the lowest to the highest that hold something: `[top of the bin in us, count]`. */
export function* filledBins(histogram: Histogram): Generator<[topUs: number, count: number]> {
  for (let i = 0; i < histogram.counts.length; i++) {
    if (histogram.counts[i] !== 0) yield [Math.min(topOf(i), histogram.maxUs), histogram.counts[i]!];
  }
}

/**
 * How a histogram stands in a result file: the encoding, and exactly what the encoding rounds or leaves out.
 */
export type StoredHistogram = {
  /** HdrHistogram V2, compressed, base64. */
  v2: string;
  count: number;
  sumUs: number;
  minUs: number;
  maxUs: number;
  overRange: number;
  negative: number;
  lowestUs?: number | undefined;
};

export function storeHistogram(histogram: Histogram): StoredHistogram {
  const encoder = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: rangeUs(histogram),
    numberOfSignificantValueDigits: 3,
    bitBucketSize: 64,
  });
  const { counts: bins } = histogram;
  for (let i = 0; i < bins.length; i++) {
    if (bins[i] !== 0) encoder.recordValueWithCount(bottomOf(i), bins[i]!);
  }
  const { counts: _, minUs, ...rest } = histogram;
  return { v2: encodeIntoCompressedBase64(encoder), ...rest, minUs: rest.count === 0 ? 0 : minUs };
}

/** The bin of any value of the range that is measured; of a larger one see {@link binOf}. */
function indexOf(value: number): number {
  const bucket = 31 - halfBits - Math.clz32(value | subBucketMask);
  return ((bucket + 1) << halfBits) + (value >>> bucket) - half;
}

/** The bin of any value, of either range. */
export function binOf(value: number): number {
  if (value <= maxValueUs) return indexOf(value);
  // As above, where bit operations cannot reach.
  const bucket = (value < 2 ** 32 ? 31 : 63 - Math.clz32(value / 2 ** 32)) - halfBits;
  return ((bucket + 1) << halfBits) + Math.floor(value / powers[bucket]!) - half;
}

/** The lowest value of a bin. */
export function bottomOf(index: number): number {
  const bucket = (index >> halfBits) - 1;
  return bucket < 0 ? index : ((index & (half - 1)) + half) * powers[bucket]!;
}

function topOf(index: number): number {
  return bottomOf(index) + powers[Math.max(0, (index >> halfBits) - 1)]! - 1;
}
