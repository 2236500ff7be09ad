// Decides when polls are due and how long their answers may take. Numbers in, numbers out: the same schedule
// serves pollers over sockets and simulated ones in virtual time.

import type { Random } from '../../base/random.ts';

/** Milliseconds between two polls, and the share of it by which each may be earlier or later. */
export type PollPace = { readonly every: number; readonly jitter: number };

/** A server that takes longer over an answer that it need not wait for is stuck. */
export const pollAnswerWithinMs = 30_000;
/** How much longer than the hold the answer to a long poll may take. */
const holdSlackMs = 10_000;
/** A system of others may hold a request for as long as a proxy lets it. */
const unknownHoldWithinMs = 120_000;

/**
 * When the next poll is due, on the clock of `nowMs`. A client's first poll, which fetches the cursor, goes
 * out at once. The second is due after a random share of the interval, so that clients spread evenly over it
 * however fast they connected. From then on each is due one interval after the last one was due, so neither
 * the time of an answer nor a late timer lowers the rate. If a poll fell due while the one before it was
 * under way, it goes out now; if several did, one goes out and the others are left out.
 * @param lastDueMs what this function returned last; undefined after the first poll
 */
export function nextPollDueMs(
  lastDueMs: number | undefined,
  nowMs: number,
  { every, jitter }: PollPace,
  random: Random,
): number {
  if (lastDueMs === undefined) return nowMs + random() * every;
  return Math.max(nowMs, lastDueMs + every * (1 + jitter * (2 * random() - 1)));
}

/**
 * How long after an answer a client of long polling asks again: at once, since an event that is published
 * between two requests waits for the next.
 */
export const longPollAgainMs = 0;

/**
 * How long the answer to a long poll may take.
 * @param holdMs how long the server was asked to hold the request; undefined where nobody knows
 */
export function longPollAnswerWithinMs(holdMs: number | undefined): number {
  return holdMs === undefined ? unknownHoldWithinMs : holdMs + holdSlackMs;
}

/** Whether a request that was sent at `askedMs` has waited for its answer for too long. */
export function isOverdue(askedMs: number, nowMs: number, withinMs: number): boolean {
  return nowMs - askedMs >= withinMs;
}
