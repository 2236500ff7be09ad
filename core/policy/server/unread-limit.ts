// Decides when a client does not read: bytes that wait for it do not leave within a time. It is not watched
// all the time but checked now and then. Pure: the caller checks, counts and cuts.

/** Looks within the time in which bytes must leave. */
const looks = 4;

/** The time between two looks at one outlet. */
export function lookEveryMs(unreadMs: number): number {
  return unreadMs / looks;
}

export type Look =
  /** Nothing waits: count from 0 again. */
  | 'nothing-waits'
  /** Something waits for the first time. Count from 0 again when all that waits now has left. */
  | 'begins-to-wait'
  /** It waits still. */
  | 'still-waits'
  /** It has waited for the whole time. */
  | 'cut-off';

/**
 * @param waits whether something that was written has not left
 * @param waited looks since which the same bytes wait: one more after each look that found some
 */
export function judgeLook(waits: boolean, waited: number): Look {
  if (!waits) return 'nothing-waits';
  if (waited >= looks) return 'cut-off';
  return waited === 0 ? 'begins-to-wait' : 'still-waits';
}
