// Holds pending events by time: those that are due soon in a front that is kept in order, all others in a
// wheel. The front takes over the wheel's lowest list when its turn comes.

import { chunkEntries, entryWords, firstEntry, pageOf, wordOf } from './chunks.ts';
import { frontEnd, frontHigh, highUs, now, queueFirst, type Clock } from './clock.ts';
import { cut, firstNode, insert, isOver, leave, newFront, type Front } from './front.ts';
import { append, beginOf, levelOf, lowestList, newWheel, setBase, sizeOf, takeChunk } from './wheel.ts';
import type { Wheel } from './wheel.ts';

/** A longer list is not taken over but spread over the levels below. */
const mostTaken = 4096;
/** Of the highest level whose lists are taken over: the front then covers 16.8 s. */
const highestTaken = 3;

export type Queue = { readonly clock: Clock; readonly front: Front; readonly wheel: Wheel };

export function newQueue(clock: Clock, mostBytes: number): Queue {
  return { clock, front: newFront(), wheel: newWheel(mostBytes) };
}

/**
 * @param order which event it is in order of insertion, below 2^40
 */
export function push(
  queue: Queue,
  atUs: number,
  handler: number,
  subject: number,
  order: Int32Array,
): void {
  const { clock, front, wheel } = queue;
  const low = atUs | 0;
  const meta = (Math.floor(atUs / highUs) << 16) | (handler << 8) | order[1]!;
  if (atUs >= clock[frontEnd]! && front.count + wheel.count === 0) start(queue);
  if (atUs < clock[frontEnd]! && isOver(front)) close(queue);
  if (atUs < clock[frontEnd]!) {
    if (front.count === 0 || atUs < clock[queueFirst]!) clock[queueFirst] = atUs;
    insert(front, low, meta, subject, order[0]!);
  } else {
    append(wheel, low, meta, subject, order[0]!);
    if (atUs < clock[queueFirst]!) clock[queueFirst] = atUs;
  }
}

/** Of an empty queue: what comes next is put into the front at once. */
function start({ clock, front, wheel }: Queue): void {
  const beginUs = clock[now]! - (clock[now]! % 2 ** (8 * highestTaken));
  setBase(wheel, beginUs);
  openFront(clock, front, beginUs, highestTaken);
  clock[queueFirst] = Infinity;
}

function openFront(clock: Clock, front: Front, beginUs: number, level: number): void {
  cut(front, 8 * level);
  // A list of the lowest level has one time. What is put at that time meanwhile goes behind the rest of it.
  clock[frontEnd] = level === 0 ? 0 : beginUs + 2 ** (8 * level);
  clock[frontHigh] = Math.floor(beginUs / highUs) * highUs;
}

/** Gives all that is in the front to the wheel, in order. */
function close({ clock, front, wheel }: Queue): void {
  setBase(wheel, clock[now]!);
  clock[frontEnd] = 0;
  const { nodes } = front;
  while (front.count > 0) {
    const node = leave(front);
    append(wheel, nodes[node]!, nodes[node + 1]!, nodes[node + 2]!, nodes[node + 3]!);
  }
}

/**
 * Brings what is due until `limitUs` into the front, unless it has something. No event may be pushed before
 * `limitUs` any more, nor before the first.
 */
export function ready(queue: Queue, limitUs: number): void {
  const { clock, front, wheel } = queue;
  while (front.count === 0) {
    const list = lowestList(wheel);
    const beginUs = list < 0 ? Infinity : beginOf(wheel, list);
    clock[queueFirst] = beginUs;
    if (beginUs > limitUs) return;
    open(queue, list, beginUs);
  }
}

function open({ clock, front, wheel }: Queue, list: number, beginUs: number): void {
  const level = levelOf(list);
  const size = sizeOf(wheel, list);
  const isTaken = level === 0 || (level <= highestTaken && size <= mostTaken);
  if (level > 0) setBase(wheel, beginUs);
  if (isTaken) openFront(clock, front, beginUs, level);
  const { pages } = wheel.chunks;
  for (let left = level === 0 ? Math.min(size, chunkEntries) : size; left > 0; left -= chunkEntries) {
    const chunk = takeChunk(wheel, list);
    const words = pages[pageOf(chunk)]!;
    const first = wordOf(chunk) + firstEntry;
    const end = first + Math.min(left, chunkEntries) * entryWords;
    for (let i = first; i < end; i += entryWords) {
      if (isTaken) insert(front, words[i]!, words[i + 1]!, words[i + 2]!, words[i + 3]!);
      else append(wheel, words[i]!, words[i + 1]!, words[i + 2]!, words[i + 3]!);
    }
    wheel.chunks.give(chunk);
  }
  if (isTaken) clock[queueFirst] = clock[frontHigh]! + (front.nodes[firstNode(front)]! >>> 0);
}

/** Takes the first event, where the front has one. @returns its place in the front's nodes */
export function take({ clock, front }: Queue): number {
  const node = leave(front);
  clock[queueFirst] =
    front.count === 0
      ? Math.max(clock[queueFirst]!, clock[frontEnd]!)
      : clock[frontHigh]! + (front.nodes[firstNode(front)]! >>> 0);
  return node;
}

export const pendingIn = ({ front, wheel }: Queue): number => front.count + wheel.count;

export const bytesOf = ({ front, wheel }: Queue): number => front.nodes.byteLength + wheel.chunks.bytes();
