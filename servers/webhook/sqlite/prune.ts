// Removes settled deliveries that are old or too many, with their attempts, and what nobody refers to then: a
// few at a time, in rounds over all rows.

import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { stateNumbers } from './schema.ts';

export type PruneRound = {
  /** The round goes on behind this id. */
  afterId: number;
  /** Deliveries up to this id are too many. */
  keptFrom: number;
  /** Those created earlier are too old. */
  beforeMs: number;
  /** How many are looked at. */
  limit: number;
};

type Prunable = {
  id: number;
  event: number;
  endpoint: number;
  state: number;
  createdMs: number;
  /** Its endpoint is registered no more. */
  removed: number;
};
type PruneStatements = Record<
  'prunable' | 'pruneAttempts' | 'pruneDelivery' | 'pruneEvent' | 'pruneEndpoint',
  StatementSync
>;

/**
 * @param tidy writes what may be forgotten
 * @param counts dead letters that go are counted no more
 * @returns how many went, and where the next round goes on
 */
export function pruneWith(
  run: PruneStatements,
  tidy: (apply: () => void) => void,
  counts: { dead: number },
  { afterId, keptFrom, beforeMs, limit }: PruneRound,
): { gone: number; afterId: number } {
  const given: SQLInputValue[] = [afterId, limit];
  const found = run.prunable.all(...given) as Prunable[]; // its columns are named so
  const old = found.filter(({ id, createdMs }) => id <= keptFrom || createdMs < beforeMs);
  const gone = old.filter(({ state }) => state > stateNumbers.waiting);
  // Pending rows are passed over until the next round begins at the first row again.
  const next = old.length < found.length || found.length < limit ? 0 : found.at(-1)!.id;
  if (gone.length > 0) {
    tidy(() => {
      for (const { id, state, removed } of gone) {
        run.pruneAttempts.run(id);
        run.pruneDelivery.run(id);
        if (state === stateNumbers.exhausted && removed === 0) counts.dead--;
      }
      for (const event of new Set(gone.map((one) => one.event))) run.pruneEvent.run(event, event);
      for (const endpoint of new Set(gone.map((one) => one.endpoint)))
        run.pruneEndpoint.run(endpoint, endpoint);
    });
  }
  return { gone: gone.length, afterId: next };
}
