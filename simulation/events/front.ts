// Keeps the events that are due next in order: a stretch of time cut into 4,096 buckets, each a sorted list
// that nearly always has one event or none. So putting an event and taking the next one are both immediate.

import { entryWords as importedEntryWords } from './chunks.ts';

/** V8 looks an imported name up at each use, and knows what a module's own constant is. */
const entryWords = importedEntryWords;

/** Bits of a time that tell a bucket. */
const bucketBits = 12;
const buckets = 2 ** bucketBits;
/** More than they are wait in the wheel. */
const mostNodes = 8192;
/** A node is an entry and the next node of its bucket. */
const nodeWords = entryWords + 1;
const link = entryWords;
/** The first node is none. */
const none = 0;
/** So many steps past events of the same bucket show that buckets are too wide. */
const mostSteps = 8 * mostNodes;

export type Front = {
  /** Two words a bucket: its first node, and its last one or `none`. */
  readonly ends: Int32Array;
  /** A bit for each bucket that holds something. */
  readonly filled: Int32Array;
  readonly nodes: Int32Array;
  /** How far to the right the bits of a time lie that tell its bucket. */
  shift: number;
  /** No lower bucket holds anything. */
  lowest: number;
  free: number;
  count: number;
  /** What `insert` took in sorted lists since the front was opened. */
  steps: number;
};

export function newFront(): Front {
  const nodes = new Int32Array((mostNodes + 1) * nodeWords);
  for (let i = 1; i < mostNodes; i++) nodes[i * nodeWords + link] = (i + 1) * nodeWords;
  return {
    ends: new Int32Array(2 * buckets),
    filled: new Int32Array(buckets / 32),
    nodes,
    shift: 0,
    lowest: buckets,
    free: nodeWords,
    count: 0,
    steps: 0,
  };
}

/** Cuts `2 ** bits` microseconds into buckets, of an empty front. */
export function cut(front: Front, bits: number): void {
  front.shift = Math.max(0, bits - bucketBits);
  front.lowest = buckets;
  front.steps = 0;
}

/** Whether it takes no more, because it is full or because its buckets are too wide. */
export const isOver = (front: Front): boolean => front.free === none || front.steps > mostSteps;

/** Puts an entry behind all that are not later. There must be a free node. */
export function insert(front: Front, low: number, meta: number, subject: number, number: number): void {
  const { nodes, ends } = front;
  const node = front.free;
  front.free = nodes[node + link]!;
  nodes[node] = low;
  nodes[node + 1] = meta;
  nodes[node + 2] = subject;
  nodes[node + 3] = number;
  front.count++;
  const bucket = (low >>> front.shift) & (buckets - 1);
  const last = ends[2 * bucket + 1]!;
  if (last === none) {
    nodes[node + link] = none;
    ends[2 * bucket] = node;
    ends[2 * bucket + 1] = node;
    front.filled[bucket >> 5]! |= 1 << (bucket & 31);
    if (bucket < front.lowest) front.lowest = bucket;
  } else if (nodes[last]! <= low) {
    nodes[node + link] = none;
    nodes[last + link] = node;
    ends[2 * bucket + 1] = node;
  } else insertWithin(front, bucket, node, low);
}

/** Into a list whose last is later. */
function insertWithin(front: Front, bucket: number, node: number, low: number): void {
  const { nodes, ends } = front;
  let before = none;
  let after = ends[2 * bucket]!;
  let steps = 0;
  while (nodes[after]! <= low) {
    before = after;
    after = nodes[after + link]!;
    steps++;
  }
  nodes[node + link] = after;
  if (before === none) ends[2 * bucket] = node;
  else nodes[before + link] = node;
  front.steps += steps;
}

/** The first entry's place in `nodes`, of a front that is not empty. */
export const firstNode = (front: Front): number => front.ends[2 * front.lowest]!;

/** Lets the first entry go. @returns its place, where it stays until another is put */
export function leave(front: Front): number {
  const { nodes, ends } = front;
  const bucket = front.lowest;
  const node = ends[2 * bucket]!;
  const following = nodes[node + link]!;
  nodes[node + link] = front.free;
  front.free = node;
  front.count--;
  if (following !== none) ends[2 * bucket] = following;
  else {
    ends[2 * bucket + 1] = none;
    front.filled[bucket >> 5]! &= ~(1 << (bucket & 31));
    front.lowest = front.count === 0 ? buckets : filledFrom(front, bucket >> 5);
  }
  return node;
}

/** The lowest bucket that holds something, which is in that word of bits or above. */
function filledFrom({ filled }: Front, word: number): number {
  while (filled[word] === 0) word++;
  const mask = filled[word]!;
  return (word << 5) + 31 - Math.clz32(mask & -mask);
}
