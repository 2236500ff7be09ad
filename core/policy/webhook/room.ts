// Decides whether an endpoint's queue takes another delivery: one that is too far behind meets the policy
// `slow` of its server. Pure.

import type { SlowPolicy } from '../server/slow-subscriber.ts';

/** Deliveries that may be pending over all endpoints; one more is dropped. */
export const pendingMost = 10_000_000;

/**
 * Whether a body fits behind what is pending for an endpoint. One body may be larger than the bound: alone it
 * may wait.
 */
export function fitsBehind(pendingBytes: number, bodyBytes: number, slowBufferBytes: number): boolean {
  return pendingBytes === 0 || pendingBytes + bodyBytes <= slowBufferBytes;
}

/** What is done where a body does not fit. */
export const noRoom: Record<SlowPolicy, 'disable' | 'coalesce' | 'drop'> = {
  disconnect: 'disable',
  coalesce: 'coalesce',
  drop: 'drop',
};
