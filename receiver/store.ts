// Defines where a receiver remembers which deliveries it has processed. seen.ts is the store in memory; a
// database can be shared by several processes, and lasts.

import { requireFunction, kindOf } from '../core/base/checked-options.ts';

const claims = ['new', 'done', 'under-way'] as const;

/**
 * `new`: this call has claimed it, so process it.
 * `under-way`: somebody is processing it right now, so the outcome is not known yet.
 */
export type Claim = (typeof claims)[number];

export type DeliveryStore = {
  /**
   * Claims a delivery, in one atomic step.
   * @param leaseMs how long the claim lasts. If `finish` or `forget` was not called by then, the process has
   *   died or hangs, and the next attempt is new
   */
  begin(id: string, leaseMs: number): Claim | Promise<Claim>;
  /** It was processed: from now on it is `done`, for as long as the sender may try again. */
  finish(id: string): unknown;
  /** It failed: the next attempt is new. Does nothing to a delivery that is `done`. */
  forget(id: string): unknown;
};

/** @throws TypeError when a part is missing */
export function requireStore(store: unknown): void {
  if (typeof store !== 'object' || store === null)
    throw new TypeError(`store must be an object with begin, finish and forget; it is ${kindOf(store)}`);
  const parts = store as Partial<DeliveryStore>; // each is looked at next
  for (const name of ['begin', 'finish', 'forget'] as const) requireFunction(`store.${name}`, parts[name]);
}

/**
 * The answer of a store. @throws TypeError for an invalid answer, since nothing may be processed on a guess
 */
export function claimOf(answered: unknown): Claim {
  const claim = claims.find((one) => one === answered);
  if (claim === undefined)
    throw new TypeError(`store.begin must give ${claims.join(', ')}; it gave ${kindOf(answered)}`);
  return claim;
}
