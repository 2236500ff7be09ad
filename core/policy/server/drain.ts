// Decides how a server that is about to be replaced sends its clients away: when each is told, which wait it
// is advised, and when the connections that stay are closed. Unlike a goodbye for good (goodbye.ts) it sends
// them to another server, or to its own successor. Pure: the caller has the clock and the connections.

import type { Random } from '../../base/random.ts';
import { goodbyeAtMs } from './goodbye.ts';

export type DrainPlan = {
  /** Over how long the goodbyes are spread; 0 says all in one turn. */
  readonly windowMs: number;
  /** When those who are still there are closed, counted from the beginning like the window. */
  readonly limitMs: number;
  /** Advises each client to wait for a random part of this before it comes back; 0 advises nothing. */
  readonly adviseMs?: number | undefined;
};

/** What became of those who were there when the drain began: `left` and `closedAtLimit` are all of them. */
export type DrainCount = {
  /** Said goodbye to; the others went before it was their turn, or never asked. */
  told: number;
  /** Gone before the limit. */
  left: number;
  closedAtLimit: number;
};

export type Drained = DrainCount & { tookMs: number };

/** What a server's process reports when nobody is left of those who were there as its drain began. */
export type DrainedReport = { kind: 'drained'; act: number; atUs: number } & Drained;

/**
 * When each of `count` subscribers is told, from the beginning of the drain, in the order in which they came.
 * They are spread evenly: in batches, all clients of a batch would reach the other servers at once.
 */
export function drainTimesMs({ windowMs, limitMs }: DrainPlan, count: number): Float64Array {
  const spreadMs = Math.min(windowMs, limitMs); // everybody is told before the limit closes them
  return Float64Array.from({ length: count }, (_, index) => goodbyeAtMs(index, count, spreadMs));
}

/** The wait that one client is advised, in whole milliseconds; undefined where nothing is advised. */
export function drawAdviceMs({ adviseMs = 0 }: DrainPlan, random: Random): number | undefined {
  return adviseMs > 0 ? Math.floor(random() * adviseMs) : undefined;
}

/** How long a poller has to come and be told, once it was everybody's turn. */
const lastPollMs = 1000;

/**
 * When idle connections are closed on which no poll has come to be told, from the beginning of the drain.
 * A poll under way then is answered first.
 */
export function idleCloseMs({ windowMs, limitMs }: DrainPlan): number {
  return Math.min(windowMs + lastPollMs, limitMs);
}
