// Estimates how long trials take: by their phases at first, then by how long the trials took that are over.

import type { Phases } from './scenario.ts';

/**
 * What a trial takes besides its phases: processes start, the idle readings, the bursts that warm the server
 * up, what is left drains. 3.8 and 4.2 s a trial with the shipped scenarios `compare` and `ten-thousand`.
 */
export const aroundTrialMs = 3500;

/** How long one trial takes, in about. */
export function trialMs({ connect, warmup, measure }: Phases): number {
  return connect + warmup + measure + aroundTrialMs;
}

/**
 * How long the trials take that are not over.
 * @param plannedMs of each trial, in their order, by `trialMs`
 * @param tookMs of those that are over, in the same order
 */
export function timeLeftMs(plannedMs: readonly number[], tookMs: readonly number[]): number {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const over = plannedMs.slice(0, tookMs.length);
  const later = plannedMs.slice(tookMs.length);
  // By how much each trial differs from the estimate: what is around the phases is alike in all.
  const offMs = tookMs.length === 0 ? 0 : (sum(tookMs) - sum(over)) / tookMs.length;
  return Math.max(0, sum(later) + later.length * offMs);
}
