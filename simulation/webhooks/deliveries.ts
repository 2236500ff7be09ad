// Holds the pending deliveries of a simulation of webhooks, 22 bytes each. Each endpoint has a list of
// deliveries never tried, in the order of events, and a pairing heap of deliveries with a time of their own,
// by time and then by number. They are the source that the real dispatch loads from.

import type { Message, Task } from '../../core/policy/webhook/delivery.ts';
import type { Dispatch } from '../../core/policy/webhook/dispatch-loading.ts';
import { createPages, pageSize, placeOf, type Pages } from './pages.ts';

type Page = {
  event: Uint32Array;
  /** The next of the endpoint's list, or the next sibling in its heap; 0 where there is none. */
  next: Uint32Array;
  child: Uint32Array;
  dueMs: Float64Array;
  /** Attempts made. */
  attempts: Uint8Array;
  /** Its receiver has acted upon it. */
  received: Uint8Array;
};

const newPage = (): Page => ({
  event: new Uint32Array(pageSize),
  next: new Uint32Array(pageSize),
  child: new Uint32Array(pageSize),
  dueMs: new Float64Array(pageSize),
  attempts: new Uint8Array(pageSize),
  received: new Uint8Array(pageSize),
});

export type Deliveries = {
  pages: Pages<Page>;
  /** New deliveries of an event, one for each receiver, due at once. @returns the number of the first */
  add(event: number, count: number, nowMs: number): number;
  /** Puts one behind all others of its endpoint that were never tried. */
  queue(endpoint: number, id: number): void;
  /** Takes the first of those, which is begun. */
  begin(endpoint: number, id: number): void;
  /** Puts one where it waits for its time. */
  wait(endpoint: number, id: number, dueMs: number): void;
  /** Takes all that wait in list and heap. */
  cancel(endpoint: number): number[];
  eventOf(id: number): number;
  /** @returns whether it is the first time */
  receive(id: number): boolean;
  fresh(endpoint: number, afterId: number, limit: number): Task[];
  waiting(endpoint: number, limit: number, dispatch: Dispatch): Iterable<Task>;
  /** How many deliveries with a time of their own are due. */
  due(endpoint: number, nowMs: number): number;
};

/** @param messageOf what the dispatch is told of a delivery's event */
export function createDeliveries(endpoints: number, messageOf: (event: number) => Message): Deliveries {
  const pages = createPages(newPage);
  const head = new Uint32Array(endpoints);
  const tail = new Uint32Array(endpoints);
  const root = new Uint32Array(endpoints);

  function nextOf(id: number): number {
    return pages.page(id).next[placeOf(id)]!;
  }

  function setNext(id: number, next: number): void {
    pages.page(id).next[placeOf(id)] = next;
  }

  function dueOf(id: number): number {
    return pages.page(id).dueMs[placeOf(id)]!;
  }

  /** One heap of two; 0 is an empty one. */
  function meld(a: number, b: number): number {
    if (a === 0 || b === 0) return a + b;
    const [aMs, bMs] = [dueOf(a), dueOf(b)];
    const [first, last] = aMs < bMs || (aMs === bMs && a < b) ? [a, b] : [b, a];
    const page = pages.page(first);
    setNext(last, page.child[placeOf(first)]!);
    page.child[placeOf(first)] = last;
    return first;
  }

  /** What is left of a heap without its root: its children in pairs, and the pairs from the last one on. */
  function withoutRoot(top: number): number {
    let paired = 0;
    for (let a = pages.page(top).child[placeOf(top)]!; a !== 0;) {
      const b = nextOf(a);
      const rest = b === 0 ? 0 : nextOf(b);
      const pair = meld(a, b);
      setNext(pair, paired);
      paired = pair;
      a = rest;
    }
    let whole = 0;
    while (paired !== 0) {
      const rest = nextOf(paired);
      whole = meld(whole, paired);
      paired = rest;
    }
    if (whole !== 0) setNext(whole, 0);
    return whole;
  }

  function taskOf(endpoint: number, id: number): Task {
    const page = pages.page(id);
    const place = placeOf(id);
    const attempts = page.attempts[place]!;
    const dueMs = page.dueMs[place]!;
    const message = messageOf(page.event[place]!);
    // When it was made nobody asks: its event knows.
    return { id, endpoint, message, attempts, spent: 0, createdMs: dueMs, dueMs };
  }

  function* inOrder(endpoint: number, limit: number): Generator<Task> {
    for (let left = limit; left > 0 && root[endpoint] !== 0; left--) {
      const id = root[endpoint]!;
      yield taskOf(endpoint, id);
      // A caller that asks for another one has taken it.
      root[endpoint] = withoutRoot(id);
    }
  }

  return {
    pages,
    add(event, count, nowMs) {
      const first = pages.take(count);
      for (let id = first; id < first + count; id++) {
        const page = pages.page(id);
        const place = placeOf(id);
        page.event[place] = event;
        page.dueMs[place] = nowMs;
        page.attempts[place] = 0;
        page.received[place] = 0;
      }
      return first;
    },
    queue(endpoint, id) {
      setNext(id, 0);
      if (head[endpoint] === 0) head[endpoint] = id;
      else setNext(tail[endpoint]!, id);
      tail[endpoint] = id;
    },
    begin(endpoint, id) {
      const page = pages.page(id);
      if (page.attempts[placeOf(id)]!++ > 0) return; // it was taken from the heap
      if (head[endpoint] !== id) throw new Error(`delivery ${id} was begun before an earlier one`);
      head[endpoint] = page.next[placeOf(id)]!;
    },
    wait(endpoint, id, dueMs) {
      const page = pages.page(id);
      page.dueMs[placeOf(id)] = dueMs;
      page.child[placeOf(id)] = 0;
      page.next[placeOf(id)] = 0;
      root[endpoint] = meld(root[endpoint]!, id);
    },
    cancel(endpoint) {
      const ids: number[] = [];
      for (let id = head[endpoint]!; id !== 0; id = nextOf(id)) ids.push(id);
      for (let id = root[endpoint]!; id !== 0; id = withoutRoot(id)) ids.push(id);
      head[endpoint] = 0;
      root[endpoint] = 0;
      return ids;
    },
    eventOf: (id) => pages.page(id).event[placeOf(id)]!,
    receive(id) {
      const { received } = pages.page(id);
      const isFirst = received[placeOf(id)] === 0;
      received[placeOf(id)] = 1;
      return isFirst;
    },
    fresh(endpoint, afterId, limit) {
      const tasks: Task[] = [];
      for (let id = head[endpoint]!; id !== 0 && tasks.length < limit; id = nextOf(id))
        if (id > afterId) tasks.push(taskOf(endpoint, id));
      return tasks;
    },
    waiting: (endpoint, limit, { queues }) =>
      inOrder(endpoint, limit - (queues.get(endpoint)?.loadedWaiting.size ?? 0)),
    due(endpoint, nowMs) {
      let count = 0;
      // A child is due no sooner than its parent.
      const open = root[endpoint] === 0 ? [] : [root[endpoint]!];
      for (let id = open.pop(); id !== undefined; id = open.pop()) {
        const page = pages.page(id);
        const [next, child] = [page.next[placeOf(id)]!, page.child[placeOf(id)]!];
        if (next !== 0) open.push(next);
        if (page.dueMs[placeOf(id)]! > nowMs) continue;
        count++;
        if (child !== 0) open.push(child);
      }
      return count;
    },
  };
}
