// Finds the trials in which the load side came nearest to its limits, for the strip and the terminal.

import { loadLimits, roomOf, type LoadLimit } from '../../core/metrics/headroom.ts';
import type { Trial } from '../../core/result/result.ts';
import type { VariantTrials } from './variants.ts';

/** What one trial used of one limit. */
export type LoadUse = LoadLimit & {
  /** `sse`, or `sse (trial 2)` where the variant has several. */
  who: string;
  /** Limit over use; below 1 the trial measured the load side. */
  headroom: number;
  /** Events that the publisher sent. */
  events: number;
};

/**
 * How much of each limit every trial used. Left out are trials that were overloaded on purpose (the last ones
 * of a search), the lag of a publisher that the scenario froze, and uses that were not measured.
 */
export function loadUses(variants: readonly VariantTrials[]): LoadUse[] {
  return variants.flatMap(({ label, result, trials }) =>
    trials.flatMap((trial) => {
      const { outcome, repetition } = trial;
      if (outcome.status === 'failed' || (result.searches !== undefined && !outcome.valid)) return [];
      const who = trials.length > 1 ? `${label} (trial ${repetition})` : label;
      return loadLimits(outcome)
        .filter(({ name, seen }) => seen && (name !== 'publisher-lag' || !frozen(trial)))
        .map((limit) => ({
          ...limit,
          who,
          headroom: roomOf(limit),
          events: outcome.latency.publisherLag?.count ?? 0,
        }));
    }),
  );
}

/** The use nearest to its limit. */
export function nearestUse(uses: readonly LoadUse[]): LoadUse | undefined {
  return uses.toSorted((a, b) => b.used / b.limit - a.used / a.limit)[0];
}

/** The trial counts although its publisher was late: the scenario stopped it. */
function frozen({ warnings }: Trial): boolean {
  return warnings.some(({ code, level }) => code === 'publisher-late' && level === 'note');
}
