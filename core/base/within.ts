// Waits for work no longer than a limit. The work itself goes on: nothing here can stop it.

import { later } from './clock.ts';

/** Why a wait ended that had a limit: the work was not done by then. */
export class Late extends Error {
  override readonly name = 'Late';
}

/**
 * Ends as `work` does, or before it. Nobody hears of it when the work fails later.
 * @param signal ends the wait too
 * @throws Late after the limit; the signal's reason when it is aborted before
 */
export async function within<T>(work: Promise<T>, limitMs: number, signal?: AbortSignal): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const clear = later(limitMs, () => reject(new Late(`not within ${limitMs} ms`)));
  const onAbort = () => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await Promise.race([work, over]); // handles a later rejection of the loser, too
  } finally {
    clear();
    signal?.removeEventListener('abort', onAbort);
  }
}
