// Numbers things from 1 on and holds what is known of them in pages of typed arrays, each given back when
// nothing of it is left: so millions that come and go take what those take that are there.

const pageBits = 12;
export const pageSize = 1 << pageBits;
const mask = pageSize - 1;

/** Numbers lie below it. */
const endOfNumbers = 2 ** 32;

export type Pages<Page> = {
  /** @returns the first of `count` new numbers, one behind the other. @throws RangeError beyond 2^32 */
  take(count: number): number;
  page(number: number): Page;
  /** Lets go of a number; of its page when that was the last of it. */
  give(number: number): void;
  live(): number;
  /** The least that is there; undefined where nothing is. */
  oldest(): number | undefined;
  /** All that are there, ascending. */
  each(visit: (number: number) => void): void;
};

/** The place of a number in its page. */
export function placeOf(number: number): number {
  return number & mask;
}

/** @param newPage makes a page of `pageSize` places */
export function createPages<Page>(newPage: () => Page): Pages<Page> {
  const pages: (Page | undefined)[] = [];
  /** Of each page, which of its numbers are there, and how many those are. */
  const present: (Uint8Array | undefined)[] = [];
  const counts: number[] = [];
  const spare: { page: Page; present: Uint8Array }[] = [];
  let next = 1;
  let firstPage = 0;
  let live = 0;

  function add(number: number): void {
    const i = number >>> pageBits;
    if (pages[i] === undefined) {
      const own = spare.pop() ?? { page: newPage(), present: new Uint8Array(pageSize) };
      pages[i] = own.page;
      present[i] = own.present;
      counts[i] = 0;
    }
    present[i]![number & mask] = 1;
    counts[i]!++;
  }

  return {
    take(count) {
      if (next + count > endOfNumbers)
        throw new RangeError(`there are more than ${endOfNumbers} of them: simulate a shorter time`);
      const first = next;
      for (let i = 0; i < count; i++) add(next++);
      live += count;
      return first;
    },
    page: (number) => pages[number >>> pageBits]!,
    give(number) {
      const i = number >>> pageBits;
      present[i]![number & mask] = 0;
      live--;
      // The last page is still being filled.
      if (--counts[i]! > 0 || next >>> pageBits === i) return;
      spare.push({ page: pages[i]!, present: present[i]! });
      pages[i] = undefined;
      present[i] = undefined;
    },
    live: () => live,
    oldest() {
      if (live === 0) return undefined;
      while (!counts[firstPage]) firstPage++;
      return firstPage * pageSize + present[firstPage]!.indexOf(1);
    },
    each(visit) {
      for (let i = firstPage; i < pages.length; i++) {
        if (!counts[i]) continue;
        for (let place = 0; place < pageSize; place++)
          if (present[i]?.[place] === 1) visit(i * pageSize + place);
      }
    },
  };
}
