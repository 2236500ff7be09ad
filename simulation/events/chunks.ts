// Keeps lists of entries in blocks of memory: no object for an entry, entries of a list side by side, and
// pages given back as they empty.
//
// An entry is four words of 32 bits: the time's low bits; its high bits, the handler and the number's high
// bits; the subject; the number's low bits.

import { formatNumber } from '../../core/base/units.ts';

/** A block has one word for the number of the next one, and room for 31 entries. */
export const chunkWords = 128;
export const entryWords = 4;
/** The first entry's place in a block; its first word is the next block's number. */
export const firstEntry = 4;
export const chunkEntries = (chunkWords - firstEntry) / entryWords;
const pageBits = 11;
/** Blocks on a page, which is 1 MB. */
const pageChunks = 2 ** pageBits;

/** Where block `chunk` lies: its page, and its first word there. */
export const pageOf = (chunk: number): number => chunk >> pageBits;
export const wordOf = (chunk: number): number => (chunk & (pageChunks - 1)) * chunkWords;

/** No block. */
export const none = -1;

export type Chunks = {
  /** By number; read and written directly, since that is the hot path. */
  readonly pages: Int32Array[];
  /** @throws RangeError where it would be more than `mostBytes` */
  take(): number;
  give(chunk: number): void;
  bytes(): number;
};

const noPage = new Int32Array(0);

export function tooMany(mostBytes: number): RangeError {
  return new RangeError(
    `more events are pending than fit into ${formatNumber(mostBytes / 2 ** 20)} MiB: ` +
      'simulate fewer clients one by one, or in groups',
  );
}

/** @param mostBytes of all pages together */
export function newChunks(mostBytes: number): Chunks {
  const pages: Int32Array[] = [];
  /** Of each page: its first free block, and how many are in use. */
  const free: number[] = [];
  const used: number[] = [];
  /** Pages that may have a free block, the one to take from next last; and numbers of pages given back. */
  const open: number[] = [];
  /** Whether a page is among them. A full page stays there until its turn to be taken from comes. */
  const isOpen: boolean[] = [];
  const gaps: number[] = [];
  let held = 0;

  function addPage(): number {
    if ((held + 1) * pageChunks * chunkWords * 4 > mostBytes) throw tooMany(mostBytes);
    const page = gaps.pop() ?? pages.length;
    const words = new Int32Array(pageChunks * chunkWords);
    for (let i = 0; i < pageChunks - 1; i++) words[i * chunkWords] = page * pageChunks + i + 1;
    words[(pageChunks - 1) * chunkWords] = none;
    pages[page] = words;
    free[page] = page * pageChunks;
    used[page] = 0;
    open.push(page);
    isOpen[page] = true;
    held++;
    return page;
  }

  return {
    pages,
    take() {
      let page = open.at(-1) ?? addPage();
      while (free[page] === none) {
        open.pop();
        isOpen[page] = false;
        page = open.at(-1) ?? addPage();
      }
      const chunk = free[page]!;
      free[page] = pages[page]![wordOf(chunk)]!;
      used[page]!++;
      return chunk;
    },
    give(chunk) {
      const page = pageOf(chunk);
      if (!isOpen[page]) open.push(page);
      isOpen[page] = true;
      pages[page]![wordOf(chunk)] = free[page]!;
      free[page] = chunk;
      // The last page in turn stays, so that a list that comes and goes does not make and drop a page each
      // time.
      if (--used[page]! > 0 || open.at(-1) === page) return;
      open.splice(open.indexOf(page), 1);
      isOpen[page] = false;
      pages[page] = noPage;
      gaps.push(page);
      held--;
    },
    bytes: () => held * pageChunks * chunkWords * 4,
  };
}
