// Accounts for every delivery. One slot for each pair of a subscriber and a topic holds which sequence
// numbers have arrived, as intervals: a subscriber that misses nothing costs two integers, one with gaps a
// few more.

/** What one arrival was. */
export type Arrival = 'first' | 'late' | 'duplicate';

export type Ledger = {
  /** The highest interval of each slot, [from, to], empty while from > to. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  /** The intervals below the highest one, ascending and apart, of slots that have a gap. */
  readonly lower: Map<number, [from: number, to: number][]>;
};

/** Sequence numbers that a slot should have received but did not, as intervals. */
export type Missing = readonly [from: number, to: number][];

/** @param slots how many (subscriber, topic) pairs; slots count from 0 */
export function newLedger(slots: number): Ledger {
  return { from: new Int32Array(slots).fill(1), to: new Int32Array(slots), lower: new Map() };
}

/**
 * Enters one arrival.
 * @returns `first` for a sequence number above all seen before; `late` for a first arrival below a number
 *   already seen (it was reordered); `duplicate` for a number that had arrived before
 */
export function enter(ledger: Ledger, slot: number, seq: number): Arrival {
  const from = ledger.from[slot]!;
  const to = ledger.to[slot]!;
  if (seq === to + 1) {
    ledger.to[slot] = seq;
    return 'first';
  }
  if (seq > to) {
    if (from <= to) lowerOf(ledger, slot).push([from, to]);
    ledger.from[slot] = seq;
    ledger.to[slot] = seq;
    return 'first';
  }
  if (seq >= from) return 'duplicate';
  return enterBelow(ledger, slot, seq);
}

/**
 * Closes one slot: how many of the sequence numbers `first`..`last` arrived, and which did not.
 * An empty range (`first > last`) is complete.
 */
export function close(
  ledger: Ledger,
  slot: number,
  first: number,
  last: number,
): { delivered: number; missing: Missing } {
  const missing: [number, number][] = [];
  let next = first;
  const intervals = [...(ledger.lower.get(slot) ?? []), [ledger.from[slot]!, ledger.to[slot]!] as const];
  for (const [from, to] of intervals) {
    if (to < next || from > last || from > to) continue;
    if (from > next) missing.push([next, from - 1]);
    next = to + 1;
  }
  if (next <= last) missing.push([next, last]);
  const missed = missing.reduce((sum, [from, to]) => sum + to - from + 1, 0);
  return { delivered: Math.max(0, last - first + 1) - missed, missing };
}

function enterBelow(ledger: Ledger, slot: number, seq: number): Arrival {
  const lower = lowerOf(ledger, slot);
  let i = lower.length;
  while (i > 0 && lower[i - 1]![0] > seq) i--;
  const before = lower[i - 1];
  if (before && seq <= before[1]) return 'duplicate';

  // Join with the neighbours it touches, so that a filled gap leaves no trace.
  const after = lower[i];
  const start = before && before[1] + 1 === seq ? before[0] : seq;
  const first = start === seq ? i : i - 1;
  if (seq + 1 === ledger.from[slot]) {
    ledger.from[slot] = start;
    lower.splice(first);
  } else if (after && seq + 1 === after[0]) {
    lower.splice(first, i - first + 1, [start, after[1]]);
  } else {
    lower.splice(first, i - first, [start, seq]);
  }
  if (lower.length === 0) ledger.lower.delete(slot);
  return 'late';
}

function lowerOf(ledger: Ledger, slot: number): [number, number][] {
  let intervals = ledger.lower.get(slot);
  if (!intervals) ledger.lower.set(slot, (intervals = []));
  return intervals;
}
