// Remembers in memory which deliveries a receiver has acted upon; a process that ends forgets them. Senders
// deliver at least once, so a repetition is ordinary: the 200 was lost, or came too late.
//
// It is bounded by count and by age, and what was longest not seen goes first. What happens past the bound: a
// repetition of a delivery that was given up is taken for new and acted upon a second time. Nothing is ever
// lost by it. So let `maxAgeMs` reach over the sender's whole retry schedule, and `maxKeys` over the
// deliveries of that time; where acting twice would be harm, the place to remember ids is the database that
// is acted upon, in one transaction.

import { requireFunction, requireNames, requireNumber } from '../core/base/checked-options.ts';
import type { Claim, DeliveryStore } from './store.ts';

export type SeenOptions = {
  /** 1 to 10,000,000. */
  maxKeys: number;
  /** More than 0; `Infinity` where only `maxKeys` is to count. */
  maxAgeMs: number;
  /** Any clock that does not go back. */
  nowMs?: () => number;
};

export type Seen = {
  /**
   * Begins to act upon a delivery.
   * @throws TypeError or RangeError when the lease is none or the clock gives no number
   */
  begin(key: string, leaseMs: number): Claim;
  finish(key: string): void;
  forget(key: string): void;
  size(): number;
  /**
   * Keys that were removed to keep within the limits; those in `count` may have been too young to be
   * removed.
   */
  givenUp(): { count: number; age: number };
};

type Entry = {
  key: string;
  state: 'done' | 'under-way';
  /** When it was last seen. */
  atMs: number;
  leaseEndsMs: number;
  older: Entry | undefined;
  younger: Entry | undefined;
};

/** @throws TypeError or RangeError for options that are none or would bound nothing */
export function createSeen(options: SeenOptions): Seen {
  requireNames('the dedupe store', options, ['maxKeys', 'maxAgeMs', 'nowMs']);
  const { maxKeys, maxAgeMs, nowMs = () => performance.now() } = options;
  requireNumber('maxKeys', maxKeys, { least: 1, most: 10_000_000, whole: true });
  requireNumber('maxAgeMs', maxAgeMs, { least: Number.MIN_VALUE, most: Infinity });
  requireFunction('nowMs', nowMs);
  const entries = new Map<string, Entry>();
  // A list of its own: a Map that gives up its first entry one at a time walks over the gaps of all before.
  let oldest: Entry | undefined;
  let youngest: Entry | undefined;
  const givenUp = { count: 0, age: 0 };

  function append(entry: Entry): void {
    entry.older = youngest;
    entry.younger = undefined;
    if (youngest) youngest.younger = entry;
    else oldest = entry;
    youngest = entry;
  }

  function add(key: string, state: Entry['state'], atMs: number, leaseEndsMs: number): void {
    const entry: Entry = { key, state, atMs, leaseEndsMs, older: undefined, younger: undefined };
    entries.set(key, entry);
    append(entry);
  }

  function timeMs(): number {
    const now = nowMs();
    requireNumber('what nowMs returns', now, { least: -Number.MAX_VALUE, most: Number.MAX_VALUE });
    return now;
  }

  function unlink({ older, younger }: Entry): void {
    if (older) older.younger = younger;
    else oldest = younger;
    if (younger) younger.older = older;
    else youngest = older;
  }

  function drop(entry: Entry): void {
    unlink(entry);
    entries.delete(entry.key);
  }

  function keepWithinBounds(now: number): void {
    while (oldest && now - oldest.atMs > maxAgeMs) {
      drop(oldest);
      givenUp.age++;
    }
    while (oldest && entries.size > maxKeys) {
      drop(oldest);
      givenUp.count++;
    }
  }

  return {
    begin(key, leaseMs) {
      requireNumber('leaseMs', leaseMs, { least: 0, most: Infinity });
      const now = timeMs();
      keepWithinBounds(now);
      const known = entries.get(key);
      if (known) {
        unlink(known);
        append(known);
        known.atMs = now;
        if (known.state === 'done' || now < known.leaseEndsMs) return known.state;
        known.leaseEndsMs = now + leaseMs;
        return 'new';
      }
      add(key, 'under-way', now, now + leaseMs);
      keepWithinBounds(now);
      return 'new';
    },
    finish(key) {
      const entry = entries.get(key);
      if (entry) entry.state = 'done';
      // It was given back or given up meanwhile, and was acted upon all the same.
      else add(key, 'done', timeMs(), 0);
    },
    forget(key) {
      const entry = entries.get(key);
      if (entry?.state === 'under-way') drop(entry);
    },
    size: () => entries.size,
    givenUp: () => ({ ...givenUp }),
  } satisfies Seen & DeliveryStore;
}
