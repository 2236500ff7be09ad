// Holds events by time in lists that nothing sorts: six levels of 256, over whole microseconds.
//
// An event lies in the list of the highest of its time's six bytes that differs from the wheel's base, a time
// not above any event's. Only the lowest list is ever taken out. Events of one time are always in one list,
// one behind the other, so ties keep the order of insertion by themselves. The price is that time must not go
// back, which it does not.

import * as chunk from './chunks.ts';
import type { Chunks } from './chunks.ts';
import * as clock from './clock.ts';

/** V8 looks an imported name up at each use, and knows what a module's own constant is. */
const { chunkEntries, chunkWords, entryWords, firstEntry, newChunks, none, pageOf, wordOf } = chunk;
const { highUs } = clock;

const digits = 256;
const levels = 6;
/** Words of 32 bits that say which of a level's lists hold something. */
const maskWords = digits / 32;
/** Words of a list: its first block, its last, where the next entry goes in that, how many entries. */
const listWords = 4;

export type Wheel = {
  readonly chunks: Chunks;
  readonly lists: Int32Array;
  readonly masks: Int32Array;
  filledLevels: number;
  baseLow: number;
  baseHigh: number;
  count: number;
};

export function newWheel(mostBytes: number): Wheel {
  const lists = new Int32Array(levels * digits * listWords);
  for (let list = 0; list < levels * digits; list++) lists.set([none, none, chunkWords, 0], list * listWords);
  return {
    chunks: newChunks(mostBytes),
    lists,
    masks: new Int32Array(levels * maskWords),
    filledLevels: 0,
    baseLow: 0,
    baseHigh: 0,
    count: 0,
  };
}

export function setBase(wheel: Wheel, baseUs: number): void {
  wheel.baseHigh = Math.floor(baseUs / highUs);
  wheel.baseLow = baseUs | 0;
}

export const levelOf = (list: number): number => list >> 8;
export const sizeOf = (wheel: Wheel, list: number): number => wheel.lists[list * listWords + 3]!;

function listOf(wheel: Wheel, low: number, timeHigh: number): number {
  const differs = timeHigh ^ wheel.baseHigh;
  if (differs !== 0) return differs < 256 ? (4 << 8) | (timeHigh & 255) : (5 << 8) | (timeHigh >>> 8);
  const lower = low ^ wheel.baseLow;
  if (lower >>> 8 === 0) return low & 255;
  if (lower >>> 16 === 0) return (1 << 8) | ((low >>> 8) & 255);
  if (lower >>> 24 === 0) return (2 << 8) | ((low >>> 16) & 255);
  return (3 << 8) | (low >>> 24);
}

/** Puts an entry behind all of its list. */
export function append(wheel: Wheel, low: number, meta: number, subject: number, number: number): void {
  const { lists } = wheel;
  const list = listOf(wheel, low, meta >>> 16);
  const at = list * listWords;
  let place = lists[at + 2]!;
  if (place === chunkWords) {
    addChunk(wheel, list);
    place = firstEntry;
  }
  const last = lists[at + 1]!;
  const words = wheel.chunks.pages[pageOf(last)]!;
  const word = wordOf(last) + place;
  words[word] = low;
  words[word + 1] = meta;
  words[word + 2] = subject;
  words[word + 3] = number;
  lists[at + 2] = place + entryWords;
  lists[at + 3]!++;
  wheel.count++;
}

function addChunk(wheel: Wheel, list: number): void {
  const { lists, chunks } = wheel;
  const chunk = chunks.take();
  const last = lists[list * listWords + 1]!;
  if (last === none) {
    lists[list * listWords] = chunk;
    wheel.masks[list >> 5]! |= 1 << (list & 31);
    wheel.filledLevels |= 1 << levelOf(list);
  } else chunks.pages[pageOf(last)]![wordOf(last)] = chunk;
  lists[list * listWords + 1] = chunk;
}

/** The lowest list that holds something; -1 where none does. */
export function lowestList(wheel: Wheel): number {
  const { filledLevels, masks } = wheel;
  if (filledLevels === 0) return -1;
  const level = 31 - Math.clz32(filledLevels & -filledLevels);
  let i = level * maskWords;
  while (masks[i] === 0) i++;
  const mask = masks[i]!;
  return (i << 5) + 31 - Math.clz32(mask & -mask);
}

/** Where a list's stretch of time begins. */
export function beginOf(wheel: Wheel, list: number): number {
  const { baseLow, baseHigh } = wheel;
  const level = levelOf(list);
  const digit = list & (digits - 1);
  if (level === 0) return baseHigh * highUs + (((baseLow & ~255) | digit) >>> 0);
  if (level < 4) {
    const above = level === 3 ? 0 : baseLow & (-1 << (8 * level + 8));
    return baseHigh * highUs + ((above | (digit << (8 * level))) >>> 0);
  }
  return (level === 4 ? (baseHigh & ~255) | digit : digit << 8) * highUs;
}

/** Takes a list's first block out: it is the caller's, who gives it back. All but the last are full. */
export function takeChunk(wheel: Wheel, list: number): number {
  const { lists, chunks } = wheel;
  const at = list * listWords;
  const chunk = lists[at]!;
  const entries = Math.min(chunkEntries, lists[at + 3]!);
  wheel.count -= entries;
  lists[at + 3]! -= entries;
  if (lists[at + 3] === 0) setEmpty(wheel, list);
  else lists[at] = chunks.pages[pageOf(chunk)]![wordOf(chunk)]!;
  return chunk;
}

function setEmpty(wheel: Wheel, list: number): void {
  const { lists, masks } = wheel;
  const at = list * listWords;
  lists[at] = none;
  lists[at + 1] = none;
  lists[at + 2] = chunkWords;
  masks[list >> 5]! &= ~(1 << (list & 31));
  const level = levelOf(list);
  for (let i = level * maskWords; i < (level + 1) * maskWords; i++) if (masks[i] !== 0) return;
  wheel.filledLevels &= ~(1 << level);
}
