// Finds when the faults of a scenario happened, for charts over time and the table of faults.

import type { Completed, TrialFault } from '../../core/result/result.ts';
import { faultEndUs } from '../../core/result/trial-fault.ts';

/** Seconds of the measured phase in which a fault went on; of no length for one of a moment. */
export type FaultSpan = { what: string; fromS: number; toS: number };

/** More than this nobody tells apart in a chart. */
const mostSpans = 40;

/**
 * When each fault happened in the trials that a chart shows. What is the same fault in several trials is one
 * span, from where it began first to where it ended last; one of a moment is where it happened first.
 * @returns at most 40, the earliest
 */
export function faultSpans(trials: readonly Pick<Completed, 'faults'>[]): FaultSpan[] {
  const happened = trials.flatMap(({ faults = [] }) => faults).filter(({ atUs }) => atUs !== null);
  const same = Map.groupBy(happened, ({ did, atMs }) => `${atMs} ${did}`);
  return [...same.values()]
    .map(spanOf)
    .sort((a, b) => a.fromS - b.fromS)
    .slice(0, mostSpans);
}

/** @param all one fault in several trials, at least one */
function spanOf(all: readonly TrialFault[]): FaultSpan {
  const fromS = Math.min(...all.map(startS));
  const { did } = all[0]!;
  // One of a moment stays one, though each trial had it at a slightly different time.
  const isOfAMoment = all.every(({ forMs, tookUs }) => forMs === undefined && tookUs === undefined);
  const toS = isOfAMoment ? fromS : Math.max(...all.map((one) => (faultEndUs(one) ?? 0) / 1e6));
  return { what: did, fromS, toS };
}

function startS({ atUs }: TrialFault): number {
  return (atUs ?? 0) / 1e6;
}
