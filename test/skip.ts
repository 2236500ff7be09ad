// Skips a test that this machine cannot run, with the reason, which the end of the run lists.

import type { TestContext } from 'vitest';

/** Ends the test as skipped when there is a reason to. */
export function skipWhen(t: TestContext, reason: string | false | undefined): void {
  if (reason) t.skip(reason);
}
