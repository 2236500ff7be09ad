// Holds the events of constant delays: what comes last into such a lane is due last, so a ring for each delay
// keeps them in order, and the next of all events is the least of the rings' first.

import { tooMany } from './chunks.ts';

/** So many constant delays at the most; events with others are for the queue. */
export const mostLanes = 32;

/** Places of a ring, a power of two: they double when it is full, and halve when it is an eighth full. */
const fewestPlaces = 64;
const high = 2 ** 32;

export type Lanes = {
  /** @returns the number of the lane with that delay. @throws RangeError where there would be too many */
  open(delayUs: number): number;
  /** @param number of the event, in order of insertion */
  push(lane: number, nowUs: number, handler: number, subject: number, number: number): void;
  /** When the first event of all lanes is due; Infinity where there is none. */
  firstUs(): number;
  /** Of that event. */
  number(): number;
  /** Takes it. @returns its subject */
  take(): number;
  /** Of the event that was taken last. */
  handler(): number;
  pending(): number;
  bytes(): number;
};

type Ring = {
  readonly delayUs: number;
  /** Four words an event, as in wheel.ts. */
  words: Uint32Array;
  places: number;
  first: number;
  size: number;
};

/** @param mostBytes of all rings together, in steps that double */
export function newLanes(mostBytes: number): Lanes {
  const rings: Ring[] = [];
  /** Of each ring's first event. */
  const timesUs = new Float64Array(mostLanes).fill(Infinity);
  const numbers = new Float64Array(mostLanes);
  let least = 0;
  let pending = 0;
  let taken = 0;

  const bytes = () => rings.reduce((sum, { words }) => sum + words.byteLength, 0);

  function resize(ring: Ring, places: number): void {
    if (places > ring.places && bytes() + 16 * (places - ring.places) > mostBytes) throw tooMany(mostBytes);
    const words = new Uint32Array(4 * places);
    const { first, size } = ring;
    const untilEnd = Math.min(size, ring.places - first);
    words.set(ring.words.subarray(4 * first, 4 * (first + untilEnd)));
    words.set(ring.words.subarray(0, 4 * (size - untilEnd)), 4 * untilEnd);
    Object.assign(ring, { words, places, first: 0 });
  }

  /** Takes note of a ring's first event. */
  function look(lane: number): void {
    const { words, first, size } = rings[lane]!;
    if (size === 0) timesUs[lane] = Infinity;
    else {
      const meta = words[4 * first + 1]!;
      timesUs[lane] = (meta >>> 16) * high + words[4 * first]!;
      numbers[lane] = (meta & 255) * high + words[4 * first + 3]!;
    }
  }

  function choose(): void {
    least = 0;
    let leastUs = timesUs[0]!;
    for (let lane = 1; lane < rings.length; lane++) {
      const atUs = timesUs[lane]!;
      if (atUs < leastUs || (atUs === leastUs && numbers[lane]! < numbers[least]!)) {
        least = lane;
        leastUs = atUs;
      }
    }
  }

  return {
    open(delayUs) {
      const known = rings.findIndex((ring) => ring.delayUs === delayUs);
      if (known >= 0) return known;
      if (rings.length === mostLanes)
        throw new RangeError(
          `there are ${mostLanes} lanes already; events of other delays go into the queue`,
        );
      const words = new Uint32Array(4 * fewestPlaces);
      return rings.push({ delayUs, words, places: fewestPlaces, first: 0, size: 0 }) - 1;
    },
    push(lane, nowUs, handler, subject, number) {
      const ring = rings[lane]!;
      if (ring.size === ring.places) resize(ring, 2 * ring.places);
      const { words, places, first, delayUs } = ring;
      const at = 4 * ((first + ring.size) & (places - 1));
      const atUs = nowUs + delayUs;
      const timeHigh = Math.floor(atUs / high);
      words[at] = atUs - timeHigh * high;
      words[at + 1] = (timeHigh << 16) | (handler << 8) | Math.floor(number / high);
      words[at + 2] = subject;
      words[at + 3] = number;
      pending++;
      if (ring.size++ > 0) return;
      look(lane);
      if (atUs < timesUs[least]! || lane === least) choose();
    },
    firstUs: () => timesUs[least]!,
    number: () => numbers[least]!,
    handler: () => taken,
    take() {
      const lane = least;
      const ring = rings[lane]!;
      const subject = ring.words[4 * ring.first + 2]!;
      taken = (ring.words[4 * ring.first + 1]! >>> 8) & 255;
      ring.first = (ring.first + 1) & (ring.places - 1);
      ring.size--;
      pending--;
      if (8 * ring.size < ring.places && ring.places > fewestPlaces) resize(ring, ring.places / 2);
      look(lane);
      choose();
      return subject;
    },
    pending: () => pending,
    bytes,
  };
}
