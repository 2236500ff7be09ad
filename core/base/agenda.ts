// Holds items by the time at which each is due and gives the earliest first: a binary heap.

export type Agenda<T> = {
  add(atMs: number, item: T): void;
  /** When the earliest is due; Infinity when there is none. */
  nextMs(): number;
  /** The earliest. */
  peek(): T | undefined;
  shift(): T | undefined;
};

export function newAgenda<T>(): Agenda<T> {
  const heap: { readonly atMs: number; readonly item: T }[] = [];

  function swap(i: number, j: number): void {
    const one = heap[i]!; // both are indices of the heap
    heap[i] = heap[j]!;
    heap[j] = one;
  }

  function rise(from: number): void {
    for (let i = from; i > 0;) {
      const parent = (i - 1) >> 1;
      if (heap[parent]!.atMs <= heap[i]!.atMs) return;
      swap(i, parent);
      i = parent;
    }
  }

  function sink(): void {
    for (let i = 0; ;) {
      let least = i;
      for (const child of [2 * i + 1, 2 * i + 2])
        if (child < heap.length && heap[child]!.atMs < heap[least]!.atMs) least = child;
      if (least === i) return;
      swap(i, least);
      i = least;
    }
  }

  return {
    add(atMs, item) {
      heap.push({ atMs, item });
      rise(heap.length - 1);
    },
    nextMs: () => heap[0]?.atMs ?? Infinity,
    peek: () => heap[0]?.item,
    shift() {
      const first = heap[0];
      const last = heap.pop();
      if (last && heap.length > 0) {
        heap[0] = last;
        sink();
      }
      return first?.item;
    },
  };
}
