// Records latencies in HdrHistogram's layout: 3 significant digits from 1 us to 2^31-1 us (35 minutes).
// Recording is ours because it is in the hot path (a shift and an increment, no allocation); the
// interchange format is HdrHistogram's V2 compressed encoding, written and read by hdr-histogram-js.

import { inflateSync } from 'node:zlib';
import { build, JsHistogram, decodeFromCompressedBase64, encodeIntoCompressedBase64 } from 'hdr-histogram-js';

/** Values above this are counted in `overRange`, never clamped. */
export const maxValueUs = 2 ** 31 - 1;

const subBucketBits = 11; // 2^11 = 2048 >= 2 * 10^3: three significant digits
const halfBits = subBucketBits - 1;
const half = 1 << halfBits;
const subBucketMask = (1 << subBucketBits) - 1;
const length = indexOf(maxValueUs) + 1;

export type Histogram = {
  readonly counts: Uint32Array;
  /** Values recorded, without those out of range. */
  count: number;
  sumUs: number;
  minUs: number;
  maxUs: number;
  /** Values above `maxValueUs`, and values below zero: a clock or a stamp is wrong when there are any. */
  overRange: number;
  negative: number;
};

/** The bins that hold something, for messages between processes. */
export type SparseHistogram = Omit<Histogram, 'counts'> & {
  readonly bins: Uint32Array;
  readonly values: Uint32Array;
};

export function newHistogram(): Histogram {
  return {
    counts: new Uint32Array(length),
    count: 0,
    sumUs: 0,
    minUs: Infinity,
    maxUs: 0,
    overRange: 0,
    negative: 0,
  };
}

/** Records one latency. @param valueUs an integer number of microseconds */
export function record(histogram: Histogram, valueUs: number): void {
  if (valueUs < 0) {
    histogram.negative++;
  } else if (valueUs > maxValueUs) {
    histogram.overRange++;
  } else {
    histogram.counts[indexOf(valueUs)]!++;
    histogram.count++;
    histogram.sumUs += valueUs;
    if (valueUs < histogram.minUs) histogram.minUs = valueUs;
    if (valueUs > histogram.maxUs) histogram.maxUs = valueUs;
  }
}

/**
 * The smallest bin value with at least `quantile` of the samples at or below it (nearest rank), in
 * microseconds: the top of its bin, as HdrHistogram reports it, but never above the largest value recorded.
 * @param quantile 0 to 1
 * @returns `undefined` for an empty histogram
 */
export function quantileUs(histogram: Histogram, quantile: number): number | undefined {
  if (histogram.count === 0) return undefined;
  // Rounding may put a whole rank a little above itself, and ceil would take the next one.
  let left = Math.max(1, Math.ceil(quantile * histogram.count * (1 - 2 * Number.EPSILON)));
  for (let i = 0; i < length; i++) {
    left -= histogram.counts[i]!;
    if (left <= 0) return Math.min(topOf(i), histogram.maxUs);
  }
  return histogram.maxUs;
}

/** How many samples are above `us`, in bins that lie above that of `us`. */
export function countAbove(histogram: Histogram, us: number): number {
  let above = 0;
  for (let i = indexOf(Math.min(us, maxValueUs)) + 1; i < length; i++) above += histogram.counts[i]!;
  return above;
}

/** The lowest value of the bin that a latency lies in. */
export function bottomOfBinUs(us: number): number {
  return bottomOf(indexOf(us));
}

export function meanUs(histogram: Histogram): number | undefined {
  return histogram.count === 0 ? undefined : histogram.sumUs / histogram.count;
}

/**
 * Adds `from` to `into`. Percentiles of several histograms come from their merged
 * bins, never from an average.
 */
export function merge(into: Histogram, from: Histogram | SparseHistogram): void {
  if ('counts' in from) {
    for (let i = 0; i < length; i++) into.counts[i]! += from.counts[i]!;
  } else {
    for (let i = 0; i < from.bins.length; i++) into.counts[from.bins[i]!]! += from.values[i]!;
  }
  into.count += from.count;
  into.sumUs += from.sumUs;
  into.minUs = Math.min(into.minUs, from.minUs);
  into.maxUs = Math.max(into.maxUs, from.maxUs);
  into.overRange += from.overRange;
  into.negative += from.negative;
}

export function toSparse(histogram: Histogram): SparseHistogram {
  const { counts, ...rest } = histogram;
  const bins: number[] = [];
  if (rest.count > 0) for (let i = 0; i < length; i++) if (counts[i] !== 0) bins.push(i);
  return { ...rest, bins: Uint32Array.from(bins), values: Uint32Array.from(bins, (i) => counts[i]!) };
}

export function fromSparse(sparse: SparseHistogram): Histogram {
  const histogram = newHistogram();
  merge(histogram, sparse);
  return histogram;
}

/** The bins from the lowest to the highest that hold something: `[top of the bin in us, count]`. */
export function* filledBins(histogram: Histogram): Generator<[topUs: number, count: number]> {
  for (let i = 0; i < length; i++) {
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
};

export function storeHistogram(histogram: Histogram): StoredHistogram {
  const encoder = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: maxValueUs,
    numberOfSignificantValueDigits: 3,
  });
  for (let i = 0; i < length; i++) {
    if (histogram.counts[i] !== 0) encoder.recordValueWithCount(bottomOf(i), histogram.counts[i]!);
  }
  const { counts: _, minUs, ...rest } = histogram;
  return { v2: encodeIntoCompressedBase64(encoder), ...rest, minUs: rest.count === 0 ? 0 : minUs };
}

// Decoding costs a millisecond; a report reads the same histogram a dozen times.
const decoded = new WeakMap<StoredHistogram, Histogram>();

/** The histogram, decoded once however often it is asked for. @throws as {@link loadHistogram} does */
export function histogramOf(stored: StoredHistogram): Histogram {
  let histogram = decoded.get(stored);
  if (!histogram) decoded.set(stored, (histogram = loadHistogram(stored)));
  return histogram;
}

/**
 * @throws when `stored.v2` is not an HdrHistogram encoding with bins like ours, or its
 *   count is not the stored one
 */
export function loadHistogram(stored: StoredHistogram): Histogram {
  requireOurs(stored.v2);
  const decoded = decodeFromCompressedBase64(stored.v2);
  if (!(decoded instanceof JsHistogram))
    throw new Error('hdr-histogram-js decoded into a histogram without bins');
  const histogram = newHistogram();
  for (let i = 0; i < Math.min(length, decoded.countsArrayLength); i++) {
    const n = decoded.getCountAtIndex(i);
    histogram.counts[i] = n;
    histogram.count += n;
  }
  if (histogram.count !== stored.count) {
    throw new Error(`the histogram holds ${histogram.count} values where its record says ${stored.count}`);
  }
  const { sumUs, minUs, maxUs, overRange, negative } = stored;
  return Object.assign(histogram, {
    sumUs,
    maxUs,
    overRange,
    negative,
    minUs: stored.count === 0 ? Infinity : minUs,
  });
}

/** Of the encoding: a head, then a number of up to 9 bytes for each filled bin and each run of empty ones. */
const headBytes = 40;
/** Twice what the most bins take that any value needs. */
const mostContentBytes = 1024 ** 2;
const mostBins = 2 ** 17;

/**
 * Looks at an encoding before the library does, which inflates whatever there is and counts through any run.
 * @throws when it is none, is damaged, or has other bins than ours
 */
function requireOurs(v2: string): void {
  if (v2.length > 2 * mostContentBytes) throw new Error('the histogram is larger than any of ours');
  const bytes = Buffer.from(v2, 'base64');
  if (bytes.length < 8) throw new Error('the histogram is cut off');
  const content = inflateSync(bytes.subarray(8), { maxOutputLength: mostContentBytes });
  if (content.length < headBytes || content.readInt32BE(4) !== content.length - headBytes) {
    throw new Error('the histogram is not as long as it says');
  }
  if (content.readInt32BE(12) !== 3 || content.readBigInt64BE(16) !== 1n) {
    throw new Error('the histogram is not one of 3 significant digits from 1 us, so its bins are others');
  }
  const highest = content.readBigInt64BE(24);
  if (highest < 2n || highest > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new Error('the histogram reaches further than any of ours');
  }
  let bins = 0;
  for (let at = headBytes; at < content.length;) {
    // ZigZag in LEB128: seven bits a byte, the ninth byte whole. Odd numbers are runs of empty bins.
    let value = 0;
    for (let i = 0, factor = 1; i < 9; i++, factor *= 128) {
      const byte = content[at++] ?? 0;
      value += (i < 8 ? byte & 0x7f : byte) * factor;
      if (byte < 0x80) break;
    }
    bins += value % 2 === 1 ? (value + 1) / 2 : 1;
    // Above 2^53 parity is lost; no count of ours is as large.
    if (bins > mostBins || value > Number.MAX_SAFE_INTEGER) {
      throw new Error('the histogram has more bins than any of ours');
    }
  }
}

function indexOf(value: number): number {
  const bucket = 31 - halfBits - Math.clz32(value | subBucketMask);
  return ((bucket + 1) << halfBits) + (value >>> bucket) - half;
}

function bottomOf(index: number): number {
  const bucket = (index >> halfBits) - 1;
  return bucket < 0 ? index : ((index & (half - 1)) + half) * 2 ** bucket;
}

function topOf(index: number): number {
  return bottomOf(index) + 2 ** Math.max(0, (index >> halfBits) - 1) - 1;
}
