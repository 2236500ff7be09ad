// When a webhook is tried again: the schedule with its jitter, what a receiver may ask for with Retry-After,
// and the clock and timers it all runs on. Pure but for `realTimers`.

import type { Random } from '../../core/random.ts';

/** What the delivery of webhooks knows of time, given to it so that tests can run days of retries at once. */
export type Timers = {
  /** Wall-clock milliseconds since 1970: a signature's timestamp is read on another machine. */
  nowMs(): number;
  /** Calls once, `ms` from now. @returns the function that takes it back */
  after(ms: number, call: () => void): () => void;
};

export type RetryPolicy = {
  /** The wait before each further attempt; as many retries as there are waits. */
  readonly waitsMs: readonly number[];
  /** Each wait differs by up to this share, so that what failed together does not come back together. */
  readonly jitter: number;
};

/**
 * The wait after attempt `attempt` (from 1) has failed.
 * A receiver's Retry-After prolongs it, up to the schedule's longest wait: a receiver may ask for peace, but not
 * keep deliveries waiting for longer than the schedule's author was ready to. It never shortens it.
 * @returns undefined when that was the last attempt
 */
export function nextWaitMs(policy: RetryPolicy, attempt: number, random: Random, retryAfterMs = 0): number | undefined {
  const waitMs = policy.waitsMs[attempt - 1];
  if (waitMs === undefined) return undefined;
  const scheduledMs = waitMs * (1 + policy.jitter * (2 * random() - 1));
  const askedMs = Math.min(retryAfterMs, Math.max(...policy.waitsMs));
  // Those who are asked to wait equally long are spread too, but only to the later side.
  return Math.max(scheduledMs, askedMs * (1 + policy.jitter * random()));
}

/**
 * A Retry-After header in milliseconds from `nowMs`: seconds, or a date (RFC 9110, 10.2.3).
 * @returns undefined when it is neither; 0 for a date that has passed
 */
export function parseRetryAfterMs(header: string, nowMs: number): number | undefined {
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const atMs = header.endsWith(' GMT') ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - nowMs);
}

/** setTimeout takes 31 bits of milliseconds and fires at once on more. */
const longestTimerMs = 2 ** 31 - 1;

export const realTimers: Timers = {
  nowMs: Date.now,
  after(ms, call) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number) => {
      timer = setTimeout(() => (leftMs > longestTimerMs ? arm(leftMs - longestTimerMs) : call()), Math.min(leftMs, longestTimerMs));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
};
