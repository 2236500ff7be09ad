// Timers that go off when the test says so, so that hours of retries take no time.

import type { Timers } from '../../servers/webhook/sending/timers.ts';

export type VirtualTimers = Timers & {
  /** Calls that are still to be made. */
  waiting(): number;
  /**
   * Goes to the moment when the next call is due, and makes it.
   * @returns how long that was from now, in milliseconds
   */
  next(): number;
};

export function virtualTimers(): VirtualTimers {
  let nowMs = 1_700_000_000_000;
  const calls = new Set<{ atMs: number; call: () => void }>();
  return {
    nowMs: () => nowMs,
    stampMs: () => nowMs,
    after(ms, call) {
      const entry = { atMs: nowMs + ms, call };
      calls.add(entry);
      return () => void calls.delete(entry);
    },
    waiting: () => calls.size,
    next() {
      const [first] = [...calls].sort((a, b) => a.atMs - b.atMs);
      if (!first) throw new Error('nothing is due, ever');
      calls.delete(first);
      const waitedMs = first.atMs - nowMs;
      nowMs = first.atMs;
      first.call();
      return waitedMs;
    },
  };
}
