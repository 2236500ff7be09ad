// Holds the events of constant delays. An event that comes last into such a lane is due last, so a ring for
// each delay keeps them in order, and the next of all events is the earliest of the rings' first ones. If two
// are due at the same time, the one with the longer delay was put earlier.

import { entryWords as importedEntryWords, tooMany } from './chunks.ts';
import * as clocks from './clock.ts';
import type { Clock } from './clock.ts';

/** V8 looks an imported name up at each use, and knows what a module's own constant is. */
const entryWords = importedEntryWords;
const { endOfTimeUs, highUs } = clocks;

/** So many constant delays at most; events with others are for the queue. */
const mostLanes = 32;

/**
 * Words of a ring, a power of two: they double when it has room for one entry, which stays free, and halve
 * when less than an eighth is in use.
 */
const fewestWords = 64 * entryWords;

export type Lanes = {
  readonly clock: Clock;
  count: number;
  readonly delaysUs: Float64Array;
  /** Of each lane: entries as in chunks.ts. */
  readonly rings: Int32Array[];
  /** Of each lane, by words: where its first entry lies, and where the next one will. */
  readonly firsts: Int32Array;
  readonly ends: Int32Array;
  /** When each lane's first event is due; Infinity where it is empty. */
  readonly timesUs: Float64Array;
  /** The lane whose first event is due first. */
  least: number;
  readonly mostBytes: number;
};

/** @param mostBytes of all rings together, in steps that double */
export function newLanes(clock: Clock, mostBytes: number): Lanes {
  return {
    clock,
    count: 0,
    delaysUs: new Float64Array(mostLanes),
    rings: [],
    firsts: new Int32Array(mostLanes),
    ends: new Int32Array(mostLanes),
    timesUs: new Float64Array(mostLanes).fill(Infinity),
    least: 0,
    mostBytes,
  };
}

/** @returns the number of the lane with that delay. @throws RangeError where there would be too many */
export function openLane(lanes: Lanes, delayUs: number): number {
  const known = lanes.delaysUs.subarray(0, lanes.count).indexOf(delayUs);
  if (known >= 0) return known;
  if (lanes.count === mostLanes)
    throw new RangeError(`there are ${mostLanes} lanes already; events of other delays go into the queue`);
  lanes.delaysUs[lanes.count] = delayUs;
  lanes.rings.push(new Int32Array(fewestWords));
  return lanes.count++;
}

/** @throws RangeError for a time after the end of times */
export function pushBehind(lanes: Lanes, lane: number, handler: number, subject: number): void {
  const { clock, ends, timesUs } = lanes;
  const atUs = clock.nowUs + lanes.delaysUs[lane]!;
  if (atUs >= endOfTimeUs)
    throw new RangeError(`an event cannot be put at ${atUs} us: times are whole numbers to 2^48`);
  const ring = lanes.rings[lane]!;
  const end = ends[lane]!;
  const next = (end + entryWords) & (ring.length - 1);
  if (next === lanes.firsts[lane]) {
    resize(lanes, lane, 2 * ring.length);
    pushBehind(lanes, lane, handler, subject);
    return;
  }
  ring[end] = atUs; // its low 32 bits
  ring[end + 1] = ((atUs / highUs) << 16) | (handler << 8) | clock.putHigh;
  ring[end + 2] = subject;
  ring[end + 3] = clock.putLow;
  ends[lane] = next;
  if (timesUs[lane] !== Infinity) return;
  timesUs[lane] = atUs;
  if (atUs <= clock.laneUs) choose(lanes);
}

/** Where the first event of all lies, and in which ring. */
export const leastRing = ({ rings, least }: Lanes): Int32Array => rings[least]!;
export const leastPlace = ({ firsts, least }: Lanes): number => firsts[least]!;

/** Lets the first event of all go. */
export function dropLeast(lanes: Lanes): void {
  const { firsts, timesUs, least } = lanes;
  const ring = lanes.rings[least]!;
  const words = ring.length;
  const end = lanes.ends[least]!;
  const first = (firsts[least]! + entryWords) & (words - 1);
  firsts[least] = first;
  timesUs[least] = first === end ? Infinity : (ring[first + 1]! >>> 16) * highUs + (ring[first]! >>> 0);
  if (words > fewestWords && 8 * ((end - first) & (words - 1)) < words) resize(lanes, least, words / 2);
  choose(lanes);
}

function choose(lanes: Lanes): void {
  const { clock, timesUs, delaysUs, count } = lanes;
  let least = 0;
  let leastUs = timesUs[0]!;
  for (let lane = 1; lane < count; lane++) {
    const atUs = timesUs[lane]!;
    if (atUs < leastUs || (atUs === leastUs && delaysUs[lane]! > delaysUs[least]!)) {
      least = lane;
      leastUs = atUs;
    }
  }
  lanes.least = least;
  clock.laneUs = leastUs;
}

/** Gives a ring so many words. */
function resize(lanes: Lanes, lane: number, words: number): void {
  const { firsts, ends, rings } = lanes;
  const from = rings[lane]!;
  if (words > from.length && bytesOf(lanes) + 4 * (words - from.length) > lanes.mostBytes)
    throw tooMany(lanes.mostBytes);
  const first = firsts[lane]!;
  const end = ends[lane]!;
  const to = new Int32Array(words);
  if (first <= end) to.set(from.subarray(first, end));
  else {
    to.set(from.subarray(first));
    to.set(from.subarray(0, end), from.length - first);
  }
  rings[lane] = to;
  firsts[lane] = 0;
  ends[lane] = first <= end ? end - first : from.length - first + end;
}

export function pendingIn({ rings, firsts, ends, count }: Lanes): number {
  let words = 0;
  for (let lane = 0; lane < count; lane++) words += (ends[lane]! - firsts[lane]!) & (rings[lane]!.length - 1);
  return words / entryWords;
}

export const bytesOf = ({ rings }: Lanes): number => rings.reduce((sum, ring) => sum + ring.byteLength, 0);
