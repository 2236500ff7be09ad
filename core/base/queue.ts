// Holds items first in, first out, at the same cost however many there are: `Array.shift` moves all that is
// left of a long one.

export type Queue<T> = {
  push(item: T): void;
  /** Puts it before all others: an item that was taken out comes back. */
  unshift(item: T): void;
  peek(): T | undefined;
  shift(): T | undefined;
  size(): number;
  /** Takes all. */
  drain(): T[];
};

export function newQueue<T>(): Queue<T> {
  let items: T[] = [];
  let first = 0;
  return {
    push: (item) => void items.push(item),
    unshift(item) {
      if (first > 0) items[--first] = item;
      else items.unshift(item);
    },
    peek: () => items[first],
    shift() {
      const item = items[first];
      if (item === undefined) return undefined;
      first++;
      if (first * 2 >= items.length) {
        items = items.slice(first);
        first = 0;
      }
      return item;
    },
    size: () => items.length - first,
    drain() {
      const all = items.slice(first);
      items = [];
      first = 0;
      return all;
    },
  };
}
