// Waits for a Redis that is away or full, for what a delivery depends on: nothing is decided because Redis
// does not answer for a while.

import { isPassing } from './link.ts';

/** When what Redis did not do for a delivery is tried again. */
export const againMs = 500;

export type Patience = {
  /** No longer: the server closes. */
  readonly isCut: boolean;
  readonly report: (error: unknown) => void;
};

/** @throws what does not pass, or anything once it is cut */
export async function patiently<T>(patience: Patience, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (patience.isCut || !isPassing(error)) throw error;
      patience.report(error);
      await new Promise((resolve) => setTimeout(resolve, againMs));
    }
  }
}
