// Decides when a failed delivery is tried again, by the policies of webhook senders, as the services document
// them or their code has them: the waits between attempts, the jitter, what Retry-After may do. Pure: clock
// and random numbers are given.

import type { Random } from '../../base/random.ts';
import { isThrottled, type ReceiverAnswer } from './answer.ts';
import { parseRetryAfterMs } from '../client/retry-after.ts';

export type RetryPolicy = {
  /** The wait before each further attempt; as many retries as there are waits. */
  readonly waitsMs: readonly number[];
  /** Each wait differs by up to this share, so that what failed together does not come back together. */
  readonly jitter: number;
  /** Instead of a share: up to this much is added. */
  readonly jitterAddsMs?: number;
  /** After a timeout or a 429 no wait is shorter. */
  readonly throttledLeastMs?: number;
  /**
   * How far a receiver's Retry-After may prolong a wait: up to the schedule's longest wait, or up to so many
   * times the wait itself. No policy lets it shorten a wait or add an attempt.
   */
  readonly retryAfterMost: 'longest-wait' | number;
};

const s = 1000;
const m = 60 * s;
const h = 60 * m;

const doubling = (firstMs: number, retries: number, capMs = Infinity) =>
  Array.from({ length: retries }, (_, i) => Math.min(firstMs * 2 ** i, capMs));

/** What all do but Svix: no other service documents a bound. */
const longestWait = { retryAfterMost: 'longest-wait' } as const;

/**
 * `article-short` and `article-long` are the two schedules that introductions to webhooks name.
 * Stripe publishes its three days and that the waits grow exponentially, not the waits: those of
 * `stripe-like` are invented.
 */
export const retryPolicies = {
  none: { ...longestWait, waitsMs: [], jitter: 0 },
  'article-short': { ...longestWait, waitsMs: [1 * m, 5 * m, 30 * m], jitter: 0.1 },
  'article-long': { ...longestWait, waitsMs: [1 * m, 5 * m, 30 * m, 2 * h, 24 * h], jitter: 0.1 },
  /** The example schedule of the specification, 1.0.0; its first attempt is at once. */
  'standard-webhooks': {
    ...longestWait,
    waitsMs: [5 * s, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h],
    jitter: 0.1,
  },
  svix: {
    waitsMs: [5 * s, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 10 * h],
    jitter: 0.2,
    throttledLeastMs: 60 * s,
    retryAfterMost: 2,
  },
  convoy: {
    ...longestWait,
    waitsMs: [10 * s, 30 * s, 1 * m, 3 * m, 5 * m, 10 * m, 15 * m],
    jitter: 0,
    jitterAddsMs: 5 * s,
  },
  outpost: { ...longestWait, waitsMs: doubling(30 * s, 10), jitter: 0 },
  /** The first retry is at once. */
  slack: { ...longestWait, waitsMs: [0, 1 * m, 5 * m], jitter: 0 },
  github: { ...longestWait, waitsMs: [], jitter: 0 },
  'stripe-like': {
    ...longestWait,
    waitsMs: [
      1 * m,
      5 * m,
      15 * m,
      45 * m,
      ...doubling(1 * h, 3),
      ...Array.from({ length: 7 }, () => 8 * h),
      7 * h,
    ],
    jitter: 0.1,
  },
} as const satisfies Record<string, RetryPolicy>;

export type RetryPolicyName = keyof typeof retryPolicies;
// Its own keys.
export const retryPolicyNames = Object.keys(retryPolicies) as [RetryPolicyName, ...RetryPolicyName[]];

/** The policy that a scenario asks for: a service's by its name, or a list of waits with a jitter. */
export function retryPolicyOf(retries: RetryPolicyName | readonly number[], jitter: number): RetryPolicy {
  return typeof retries === 'string' ? retryPolicies[retries] : { ...longestWait, waitsMs: retries, jitter };
}

/** What an attempt came to, as far as the next wait depends on it. */
export type Failure = {
  /** What Retry-After asked for, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** There was no answer in time, or it was 429. */
  throttled?: boolean;
};

/**
 * The wait after attempt `attempt` (from 1) has failed.
 * A receiver's Retry-After prolongs it, within the policy's bound: a receiver may ask for peace, but not keep
 * deliveries waiting for longer than the schedule's author was ready to. It never shortens it.
 * @returns undefined when that was the last attempt
 */
export function nextWaitMs(
  policy: RetryPolicy,
  attempt: number,
  random: Random,
  { retryAfterMs = 0, throttled = false }: Failure = {},
): number | undefined {
  const waitMs = policy.waitsMs[attempt - 1];
  if (waitMs === undefined) return undefined;
  const { jitter, jitterAddsMs = 0, throttledLeastMs = 0, retryAfterMost } = policy;
  const scheduledMs = waitMs * (1 + jitter * (2 * random() - 1)) + jitterAddsMs * random();
  const mostMs = retryAfterMost === 'longest-wait' ? Math.max(...policy.waitsMs) : waitMs * retryAfterMost;
  // NaN would make a timer fire at once.
  const askedMs = retryAfterMs > 0 ? Math.min(retryAfterMs, mostMs) : 0;
  // Those who are asked to wait equally long are spread too, but only to the later side.
  return Math.max(scheduledMs, askedMs * (1 + jitter * random()), throttled ? throttledLeastMs : 0);
}

/**
 * The wait after attempt `attempt` (from 1) got this answer: `nextWaitMs` with the wait that the answer asks
 * for.
 * @returns undefined when that was the last attempt
 */
export function waitAfterMs(
  policy: RetryPolicy,
  attempt: number,
  answer: ReceiverAnswer,
  nowMs: number,
  random: Random,
): number | undefined {
  const asked = answer.kind === 'answered' ? answer.retryAfter : undefined;
  return nextWaitMs(policy, attempt, random, {
    retryAfterMs: asked === undefined ? undefined : parseRetryAfterMs(asked, nowMs),
    throttled: isThrottled(answer),
  });
}
