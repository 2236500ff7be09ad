// Decides whether an endpoint's queue takes another delivery. If the endpoint is too far behind, its server's
// policy `slow` applies. Pure.

import type { SlowPolicy } from '../server/slow-subscriber.ts';

/** Deliveries that may be pending over all endpoints; one more is dropped. */
export const pendingMost = 10_000_000;

/**
 * Whether a body fits into the endpoint's queue. A body larger than the bound still fits where nothing else
 * is pending.
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
