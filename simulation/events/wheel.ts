// Holds pending events by time: a radix queue of six levels with 256 buckets each, over whole microseconds.
//
// An event lies in the bucket of the highest of its time's six bytes that differs from the queue's base, a
// time not above any event's. The lowest bucket that holds something is opened when its turn comes, and the
// base moves to its beginning: a short one is sorted into a run that is then read from one end to the other,
// a long one is spread over the levels below, in order. So an event is written down two or three times, at
// most six, however many are pending. Events of one time are always in one list, one behind the other: a herd
// of a million is a list that is walked, and ties keep the order of insertion by themselves. The price is
// that time must not go back, which it does not.

import { sortEntries } from './sort.ts';
import { chunkWords, entryWords, firstEntry, newChunks, none, pageOf, wordOf } from './chunks.ts';

/** Times lie below it: nearly nine years. */
export const endOfTimeUs = 2 ** 48;
export const mostHandlers = 256;

const digits = 256;
const levels = 6;
/** A longer bucket is spread instead of sorted. */
const longestRun = 4096;
/** Of levels 1 to 4, whose times differ in their low 32 bits alone. */
const mostRuns = 4;
/** Words of 32 bits that say which of a level's buckets hold something. */
const maskWords = digits / 32;
const high = 2 ** 32;
/** Places of times in a wheel's `bounds`. */
const soonestUs = 0;
const lowestUs = 1;

/**
 * Entries have four words: the time's low bits; its high bits, the handler and the number's high bits; the
 * subject; the number's low bits.
 */
export type Wheel = {
  /**
   * @param number of the event, in order of insertion
   * @param nowUs no later event that is pushed will be due earlier
   */
  push(atUs: number, handler: number, subject: number, number: number, nowUs: number): void;
  /**
   * The time of the first event, if that is `limitUs` at the most; Infinity if not. No event may be pushed
   * before the smaller of the two any more.
   */
  find(limitUs: number): number;
  /** Of the event that was found. */
  number(): number;
  /** Takes it. @returns its subject */
  take(): number;
  /** Of the event that was taken last. */
  handler(): number;
  pending(): number;
  bytes(): number;
};

export function newWheel(mostBytes: number): Wheel {
  const chunks = newChunks(mostBytes);
  const { pages } = chunks;
  const head = new Int32Array(levels * digits).fill(none);
  const tail = new Int32Array(levels * digits).fill(none);
  const sizes = new Int32Array(levels * digits);
  /**
   * The place in the last block where the next entry goes; `chunkWords` where there is no room or no block.
   */
  const tailAt = new Int32Array(levels * digits).fill(chunkWords);
  const masks = new Int32Array(levels * maskWords);
  let filledLevels = 0;
  let baseLow = 0;
  let baseHigh = 0;
  let pending = 0;
  /** No event is earlier than `bounds[soonestUs]`. In an array no number takes an object. */
  const bounds = new Float64Array(2).fill(Infinity);
  /** The lowest bucket and its time, if known; the place of its next event in its first block. */
  let isKnown = false;
  let lowest = none;
  let headAt = firstEntry;
  /** By level: sorted events, the next and the end of them, and the next one's time. */
  const runs = Array.from({ length: mostRuns + 1 }, (_, i) => new Uint32Array(i && longestRun * entryWords));
  let spare = new Uint32Array(longestRun * entryWords);
  const runAt = new Int32Array(mostRuns + 1);
  const runEnd = new Int32Array(mostRuns + 1);
  const runUs = new Float64Array(mostRuns + 1).fill(Infinity);
  /** The level of the first run, and whether the event that was found is in it. */
  let run = mostRuns;
  let isInRun = false;
  let handler = 0;

  function append(into: number, low: number, meta: number, subject: number, number: number): void {
    let place = tailAt[into]!;
    if (place === chunkWords) {
      link(into);
      place = firstEntry;
    }
    const last = tail[into]!;
    const words = pages[pageOf(last)]!;
    const word = wordOf(last) + place;
    words[word] = low;
    words[word + 1] = meta;
    words[word + 2] = subject;
    words[word + 3] = number;
    tailAt[into] = place + entryWords;
    sizes[into]!++;
  }

  /** A new last block. */
  function link(into: number): void {
    const chunk = chunks.take();
    const last = tail[into]!;
    if (last === none) {
      head[into] = chunk;
      masks[into >> 5]! |= 1 << (into & 31);
      filledLevels |= 1 << (into >> 8);
      isKnown = false;
    } else pages[pageOf(last)]![wordOf(last)] = chunk;
    tail[into] = chunk;
  }

  function empty(from: number): void {
    head[from] = none;
    tail[from] = none;
    tailAt[from] = chunkWords;
    sizes[from] = 0;
    isKnown = false;
    masks[from >> 5]! &= ~(1 << (from & 31));
    const level = from >> 8;
    for (let i = level * maskWords; i < (level + 1) * maskWords; i++) if (masks[i] !== 0) return;
    filledLevels &= ~(1 << level);
  }

  function bucketOf(low: number, timeHigh: number): number {
    const differs = timeHigh ^ baseHigh;
    if (differs !== 0) return differs < 256 ? (4 << 8) | (timeHigh & 255) : (5 << 8) | (timeHigh >>> 8);
    const lower = low ^ baseLow;
    if (lower >>> 8 === 0) return low & 255;
    if (lower >>> 16 === 0) return (1 << 8) | ((low >>> 8) & 255);
    if (lower >>> 24 === 0) return (2 << 8) | ((low >>> 16) & 255);
    return (3 << 8) | (low >>> 24);
  }

  /** The lowest bucket that holds something. */
  function lowestBucket(): number {
    const level = 31 - Math.clz32(filledLevels & -filledLevels);
    let i = level * maskWords;
    while (masks[i] === 0) i++;
    const mask = masks[i]!;
    return (i << 5) + 31 - Math.clz32(mask & -mask);
  }

  /** Where a bucket's stretch of time begins. */
  function beginOf(from: number): number {
    const level = from >> 8;
    const digit = from & 255;
    if (level === 0) return baseHigh * high + (((baseLow & ~255) | digit) >>> 0);
    if (level < 4) {
      const above = level === 3 ? 0 : baseLow & (-1 << (8 * level + 8));
      return baseHigh * high + ((above | (digit << (8 * level))) >>> 0);
    }
    return (level === 4 ? (baseHigh & ~255) | digit : digit << 8) * high;
  }

  /** Opens a bucket above the lowest level: a short one is sorted into a run, a long one spread below. */
  function open(from: number, beginUs: number): void {
    const level = from >> 8;
    const first = head[from]!;
    const last = tail[from]!;
    const lastEnd = tailAt[from]!;
    const entries = sizes[from]!;
    empty(from);
    baseHigh = Math.floor(beginUs / high);
    baseLow = beginUs | 0;
    const run = entries <= longestRun && level <= mostRuns ? runs[level]! : undefined;
    let to = 0;
    for (let chunk = first; ;) {
      const words = pages[pageOf(chunk)]!;
      const word = wordOf(chunk);
      const end = word + (chunk === last ? lastEnd : chunkWords);
      if (run) {
        for (let i = word + firstEntry; i < end; i++) run[to++] = words[i]!;
      } else {
        for (let i = word + firstEntry; i < end; i += entryWords) {
          const [low, meta] = [words[i]!, words[i + 1]!];
          append(bucketOf(low, meta >>> 16), low, meta, words[i + 2]!, words[i + 3]!);
        }
      }
      const next = words[word]!;
      chunks.give(chunk);
      if (chunk === last) break;
      chunk = next;
    }
    if (run) begin(level, entries);
  }

  function begin(level: number, entries: number): void {
    const sorted = sortEntries(runs[level]!, entries, level, spare);
    if (sorted === spare) [spare, runs[level]] = [runs[level]!, spare];
    runAt[level] = 0;
    runEnd[level] = entries * entryWords;
    runUs[level] = baseHigh * high + sorted[0]!;
    choose();
  }

  /**
   * Finds the first run. Of runs with the same time it is that of the highest level, whose events were put
   * before all others.
   */
  function choose(): void {
    run = mostRuns;
    for (let level = mostRuns - 1; level > 0; level--) if (runUs[level]! < runUs[run]!) run = level;
  }

  function takeOfRun(): number {
    const words = runs[run]!;
    const at = runAt[run]!;
    const next = at + entryWords;
    runAt[run] = next;
    handler = (words[at + 1]! >>> 8) & 255;
    if (next < runEnd[run]!) runUs[run]! += words[next]! - words[at]!;
    else runUs[run] = Infinity;
    choose();
    return words[at + 2]!;
  }

  function takeOfBucket(): number {
    const first = head[lowest]!;
    const words = pages[pageOf(first)]!;
    const word = wordOf(first);
    const subject = words[word + headAt + 2]!;
    handler = (words[word + headAt + 1]! >>> 8) & 255;
    headAt += entryWords;
    if (first === tail[lowest]) {
      if (headAt < tailAt[lowest]!) return subject;
      empty(lowest);
    } else {
      if (headAt < chunkWords) return subject;
      head[lowest] = words[word]!;
    }
    chunks.give(first);
    headAt = firstEntry;
    return subject;
  }

  return {
    push(atUs, own, subject, number, nowUs) {
      const timeHigh = Math.floor(atUs / high);
      const low = atUs - timeHigh * high;
      if (pending === 0) {
        baseHigh = Math.floor(nowUs / high);
        baseLow = nowUs | 0;
      }
      if (atUs < bounds[soonestUs]!) bounds[soonestUs] = atUs;
      pending++;
      const numberHigh = Math.floor(number / high);
      append(bucketOf(low, timeHigh), low, (timeHigh << 16) | (own << 8) | numberHigh, subject, number);
    },
    find(limitUs) {
      if (bounds[soonestUs]! > limitUs) return Infinity;
      for (;;) {
        if (!isKnown) {
          isKnown = true;
          lowest = filledLevels === 0 ? none : lowestBucket();
          bounds[lowestUs] = lowest === none ? Infinity : beginOf(lowest);
        }
        const firstUs = runUs[run]!;
        // What is in a bucket now was put when the run had begun.
        isInRun = firstUs <= bounds[lowestUs]!;
        bounds[soonestUs] = isInRun ? firstUs : bounds[lowestUs]!;
        if (bounds[soonestUs]! > limitUs) return Infinity;
        if (isInRun || lowest < digits) return bounds[soonestUs]!;
        open(lowest, bounds[lowestUs]!);
      }
    },
    number() {
      if (isInRun) {
        const words = runs[run]!;
        return (words[runAt[run]! + 1]! & 255) * high + words[runAt[run]! + 3]!;
      }
      const first = head[lowest]!;
      const words = pages[pageOf(first)]!;
      const word = wordOf(first) + headAt;
      return (words[word + 1]! & 255) * high + words[word + 3]!;
    },
    handler: () => handler,
    take() {
      pending--;
      return isInRun ? takeOfRun() : takeOfBucket();
    },
    pending: () => pending,
    bytes: chunks.bytes,
  };
}
