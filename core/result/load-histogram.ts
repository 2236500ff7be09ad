// Reads histograms back from a result: HdrHistogram's V2 encoding, looked at before it is decoded, since a
// file may be anybody's.

import { inflateSync } from 'node:zlib';
import { decodeFromCompressedBase64, JsHistogram } from 'hdr-histogram-js';
import {
  maxSimulatedUs,
  newHistogram,
  newSimulatedHistogram,
  type Histogram,
  type StoredHistogram,
} from './histogram.ts';

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
  const highest = requireOurs(stored.v2);
  const decoded = decodeFromCompressedBase64(stored.v2, 64);
  if (!(decoded instanceof JsHistogram))
    throw new Error('hdr-histogram-js decoded into a histogram without bins');
  const histogram = highest === maxSimulatedUs ? newSimulatedHistogram() : newHistogram();
  const { counts } = histogram;
  for (let i = 0; i < Math.min(counts.length, decoded.countsArrayLength); i++) {
    const n = decoded.getCountAtIndex(i);
    counts[i] = n;
    histogram.count += n;
  }
  if (histogram.count !== stored.count) {
    throw new Error(`the histogram holds ${histogram.count} values where its record says ${stored.count}`);
  }
  const { sumUs, minUs, maxUs, overRange, negative, lowestUs } = stored;
  return Object.assign(histogram, {
    sumUs,
    maxUs,
    overRange,
    negative,
    minUs: stored.count === 0 ? Infinity : minUs,
    ...(lowestUs === undefined ? {} : { lowestUs }),
  });
}

/** Of the encoding: a head, then a number of up to 9 bytes for each filled bin and each run of empty ones. */
const headBytes = 40;
/** Twice what the most bins take that any value needs. */
const mostContentBytes = 1024 ** 2;
const mostBins = 2 ** 17;

/**
 * Looks at an encoding before the library does, which inflates whatever there is and counts through any run.
 * @returns the highest value that it has a bin for
 * @throws when it is none, is damaged, or has other bins than ours
 */
function requireOurs(v2: string): number {
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
  return Number(highest);
}
