// Remembers in memory which deliveries a receiver has processed; they are forgotten when the process ends.
// Senders deliver at least once, so repetitions are normal: the 200 was lost, or came too late.
//
// Number and age are limited; deliveries that were not seen for the longest time are removed first. A
// repetition of a removed delivery is taken for new and processed a second time; nothing is lost by that. So
// `maxAgeMs` should cover the sender's whole retry schedule, and `maxKeys` the deliveries of that time. If
// processing twice would do harm, remember ids in the database that a delivery changes, in one transaction.

import { requireFunction, requireNames, requireNumber } from '../core/base/checked-options.ts';
import type { Claim, DeliveryStore } from './store.ts';

export type SeenOptions = {
  /** 1 to 10,000,000. */
  maxKeys: number;
  /** More than 0; `Infinity` if only `maxKeys` should limit. */
  maxAgeMs: number;
  /** Any clock that does not go back. */
  nowMs?: () => number;
};

export type Seen = {
  /**
   * Claims a delivery for processing.
   * @throws TypeError or RangeError when the lease is invalid or the clock returns no number
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

/** @throws TypeError or RangeError for options that are invalid or limit nothing */
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
