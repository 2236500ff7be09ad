// Decides when a client comes back after a failure: never earlier than the server asked, spread by a bounded
// random wait, and not at all where the server asked for too long. Numbers in, numbers out: the same rule
// serves subscribers over sockets and simulated ones in virtual time. Webhook senders have policies of their
// own (retry-policy.ts).

import type { Random } from '../../base/random.ts';
import { parseRetryAfterMs } from './retry-after.ts';

/** How a client waits by itself, in milliseconds: `base` doubles with each failure, up to `cap`. */
export type Backoff = { readonly base: number; readonly cap: number };

/** What a client remembers until it comes back. */
export type Comeback = {
  /** Failures since the last success. */
  failures: number;
  /** The server asked for at least this wait before the next attempt; forgotten with the attempt. */
  leastMs: number;
  /** The reconnection time that the server gave for all further attempts; -1 while it has given none. */
  reconnectionMs: number;
};

/** More of them would only overflow: 0 times Infinity is no wait. */
const mostDoublings = 50;

/** A client that is asked to stay away for longer gives up: it would not be back before any trial is over. */
export const longestAskedMs = 10 * 60_000;

export function newComeback(): Comeback {
  return { failures: 0, leastMs: 0, reconnectionMs: -1 };
}

/**
 * Takes the Retry-After of an answer that is no success, whatever its status. One that cannot be read asks
 * for nothing.
 * @param header the field's value, undefined where the answer has none
 * @param nowMs the wall clock, in milliseconds since 1970
 */
export function noteRetryAfter(client: Comeback, header: string | undefined, nowMs: number): void {
  if (header !== undefined) noteAsked(client, parseRetryAfterMs(header, nowMs) ?? 0);
}

/** The server asked for at least this wait before the next attempt. */
export function noteAsked(client: Comeback, leastMs: number): void {
  client.leastMs = Math.max(client.leastMs, leastMs);
}

/**
 * The server named its reconnection time: what EventSource waits before each further attempt (HTML standard,
 * section 9.2.3). It takes the place of the client's own base.
 */
export function noteReconnectionTime(client: Comeback, ms: number): void {
  client.reconnectionMs = ms;
}

/** The client got what it had asked for: a stream that was opened, or a whole answer. */
export function noteSuccess(client: Comeback): void {
  client.failures = 0;
  client.leastMs = 0;
}

/**
 * The client has failed: when it tries again. It waits for as long as the server asked, and then for its own
 * backoff, whose base is no shorter than what the server asked for: so clients that it sent away together do
 * not come back together.
 * @returns the wait in milliseconds, from what the server asked to that and `min(cap, longestAskedMs)`;
 *   undefined when the client gives up, since the server asked for more than `longestAskedMs`
 */
export function takeWaitMs(client: Comeback, { base, cap }: Backoff, random: Random): number | undefined {
  const { failures, reconnectionMs } = client;
  const leastMs = Math.max(client.leastMs, reconnectionMs, 0);
  client.failures++;
  client.leastMs = 0;
  if (leastMs > longestAskedMs) return undefined;
  // A base of 0 would never grow.
  const ownBase = reconnectionMs < 0 ? base : Math.max(1, reconnectionMs);
  const jitter = { base: Math.max(ownBase, leastMs), cap: Math.min(cap, longestAskedMs) };
  return leastMs + backoffMs(jitter, failures, random);
}

/**
 * Exponential backoff with full jitter, evenly from 0 to `min(cap, base * 2^failures)` (Brooker, "Exponential
 * Backoff And Jitter", AWS Architecture Blog, 2015).
 * @param failures in a row before this one, from 0
 */
export function backoffMs({ base, cap }: Backoff, failures: number, random: Random): number {
  return random() * Math.min(cap, base * 2 ** Math.min(failures, mostDoublings));
}
