// Deletes messages that are done with, up to ten in a request. One that is not deleted comes again, and is
// found to be settled.

import type { SqsApi } from './api.ts';

export type Removals = {
  add(handle: string): void;
  /** Resolves when all are deleted, or were tried to be. */
  done(): Promise<void>;
};

const entriesMost = 10;

/** @param gatherMs how long one waits for others to share its request */
export function createRemovals(
  api: Pick<SqsApi, 'remove'>,
  gatherMs: number,
  report: (error: unknown) => void,
): Removals {
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  const underWay = new Set<Promise<void>>();

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    const handles = waiting;
    waiting = [];
    if (handles.length === 0) return;
    const removing = api
      .remove(handles)
      .catch(report)
      .then(() => void underWay.delete(removing));
    underWay.add(removing);
  }

  return {
    add(handle) {
      waiting.push(handle);
      if (gatherMs === 0 || waiting.length >= entriesMost) flush();
      else timer ??= setTimeout(flush, gatherMs);
    },
    async done() {
      flush();
      await Promise.all(underWay);
    },
  };
}
