// Holds pending events by time: events due soon in a front that is kept in order, all others in a wheel. The
// front takes over the wheel's lowest list when its turn comes.

import * as chunks from './chunks.ts';
import * as clocks from './clock.ts';
import type { Clock } from './clock.ts';
import * as fronts from './front.ts';
import type { Front } from './front.ts';
import * as wheels from './wheel.ts';
import type { Wheel } from './wheel.ts';

/** V8 looks an imported name up at each use, and knows what a module's own constant is. */
const { chunkEntries, entryWords, firstEntry, pageOf, wordOf } = chunks;
const { highUs } = clocks;
const { cut, firstNode, insert, isOver, leave, newFront } = fronts;
const { append, beginOf, levelOf, lowestList, newWheel, setBase, sizeOf, takeChunk } = wheels;

/** A longer list is not taken over but spread over the levels below. */
const mostTaken = 4096;
/** Of the highest level whose lists are taken over: the front then covers 16.8 s. */
const highestTaken = 3;

export type Queue = { readonly clock: Clock; readonly front: Front; readonly wheel: Wheel };

export function newQueue(clock: Clock, mostBytes: number): Queue {
  return { clock, front: newFront(), wheel: newWheel(mostBytes) };
}

export function push(queue: Queue, atUs: number, handler: number, subject: number): void {
  const { clock, front, wheel } = queue;
  const low = atUs | 0; // its low 32 bits
  const meta = ((atUs / highUs) << 16) | (handler << 8) | clock.putHigh;
  if (atUs >= clock.frontEndUs && front.count + wheel.count === 0) start(queue);
  if (atUs < clock.frontEndUs && isOver(front)) close(queue, clock.nowUs);
  if (atUs < clock.frontEndUs) {
    if (front.count === 0 || atUs < clock.queueUs) clock.queueUs = atUs;
    insert(front, low, meta, subject, clock.putLow);
  } else {
    append(wheel, low, meta, subject, clock.putLow);
    if (atUs < clock.queueUs) clock.queueUs = atUs;
  }
}

/** Of an empty queue: what comes next is put into the front at once. */
function start({ clock, front, wheel }: Queue): void {
  const beginUs = clock.nowUs - (clock.nowUs % 2 ** (8 * highestTaken));
  setBase(wheel, beginUs);
  openFront(clock, front, beginUs, highestTaken);
  clock.queueUs = Infinity;
}

function openFront(clock: Clock, front: Front, beginUs: number, level: number): void {
  cut(front, 8 * level);
  // A list of the lowest level has one time. What is put at that time meanwhile goes behind the rest of it.
  clock.frontEndUs = level === 0 ? 0 : beginUs + 2 ** (8 * level);
  clock.frontHighUs = Math.floor(beginUs / highUs) * highUs;
}

/**
 * Gives all that is in the front to the wheel, in order.
 * @param baseUs within what the front covers; no event is earlier or will be
 */
function close({ clock, front, wheel }: Queue, baseUs: number): void {
  setBase(wheel, baseUs);
  clock.frontEndUs = 0;
  const { nodes } = front;
  while (front.count > 0) {
    const node = leave(front);
    append(wheel, nodes[node]!, nodes[node + 1]!, nodes[node + 2]!, nodes[node + 3]!);
  }
}

/**
 * Brings events due until `limitUs` into the front, unless it has some. From then on no event may be pushed
 * before `limitUs`, nor before the first one.
 */
export function ready(queue: Queue, limitUs: number): void {
  const { clock, front, wheel } = queue;
  while (front.count === 0) {
    const list = lowestList(wheel);
    const beginUs = list < 0 ? Infinity : beginOf(wheel, list);
    clock.queueUs = beginUs;
    if (beginUs > limitUs) return;
    open(queue, list, beginUs);
  }
}

function open(queue: Queue, list: number, beginUs: number): void {
  const { clock, front, wheel } = queue;
  const level = levelOf(list);
  const size = sizeOf(wheel, list);
  let isTaken = level === 0 || (level <= highestTaken && size <= mostTaken);
  if (level > 0) setBase(wheel, beginUs);
  if (isTaken) openFront(clock, front, beginUs, level);
  const { pages } = wheel.chunks;
  for (let left = level === 0 ? Math.min(size, chunkEntries) : size; left > 0; left -= chunkEntries) {
    if (isTaken && isOver(front)) {
      close(queue, beginUs);
      isTaken = false;
    }
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
  if (isTaken) clock.queueUs = clock.frontHighUs + (front.nodes[firstNode(front)]! >>> 0);
}

/** Takes the first event, where the front has one. @returns its place in the front's nodes */
export function take({ clock, front }: Queue): number {
  const node = leave(front);
  clock.queueUs =
    front.count === 0
      ? Math.max(clock.queueUs, clock.frontEndUs)
      : clock.frontHighUs + (front.nodes[firstNode(front)]! >>> 0);
  return node;
}

export const pendingIn = ({ front, wheel }: Queue): number => front.count + wheel.count;

export const bytesOf = ({ front, wheel }: Queue): number => front.nodes.byteLength + wheel.chunks.bytes();
