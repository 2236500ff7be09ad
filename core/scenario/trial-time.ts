// Estimates how long trials take: at first by their phases, then by how long the finished trials took.

import type { Phases } from './scenario.ts';

/**
 * How long a trial takes besides its phases: to start processes, to read them idle, to warm the server up
 * with bursts, and to drain. 3.8 and 4.2 s a trial with the shipped scenarios `compare` and `ten-thousand`.
 */
export const aroundTrialMs = 3500;

/** How long one trial takes, in about. */
export function trialMs({ connect, warmup, measure }: Phases): number {
  return connect + warmup + measure + aroundTrialMs;
}

/**
 * How long the remaining trials take.
 * @param plannedMs of each trial, in their order, by `trialMs`
 * @param tookMs of the finished trials, in the same order
 */
export function timeLeftMs(plannedMs: readonly number[], tookMs: readonly number[]): number {
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const over = plannedMs.slice(0, tookMs.length);
  const later = plannedMs.slice(tookMs.length);
  // By how much a trial differs from the estimate: the time around the phases is alike in all trials.
  const offMs = tookMs.length === 0 ? 0 : (sum(tookMs) - sum(over)) / tookMs.length;
  return Math.max(0, sum(later) + later.length * offMs);
}
