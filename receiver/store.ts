// Defines where a receiver remembers which deliveries it has acted upon. seen.ts is the one in memory; a
// database makes several processes know of each other's, and lasts.

import { requireFunction, kindOf } from '../core/base/checked-options.ts';

const claims = ['new', 'done', 'under-way'] as const;

/**
 * `new`: it is claimed by this call, so act upon it.
 * `under-way`: somebody is acting upon it right now, so how it ends is not known yet.
 */
export type Claim = (typeof claims)[number];

export type DeliveryStore = {
  /**
   * Claims a delivery, in one step that no other process comes between.
   * @param leaseMs how long the claim lasts: whoever has not called `finish` or `forget` by then has
   *   died or hangs, and the next attempt is new
   */
  begin(id: string, leaseMs: number): Claim | Promise<Claim>;
  /** It was acted upon: from now on it is `done`, for as long as the sender may try again. */
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

/** What a store answered. @throws TypeError for anything else: nothing may be acted upon by guess */
export function claimOf(answered: unknown): Claim {
  const claim = claims.find((one) => one === answered);
  if (claim === undefined)
    throw new TypeError(`store.begin must give ${claims.join(', ')}; it gave ${kindOf(answered)}`);
  return claim;
}
