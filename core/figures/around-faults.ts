// Splits the latencies of a trial by its faults: those of events planned before the first, and those planned
// while a fault lasted or a client that it had cut off was still away.

import { merge, newHistogram, storeHistogram, type Histogram } from '../result/histogram.ts';
import type { Completed } from '../result/result.ts';
import { faultEndUs } from '../result/trial-fault.ts';

/**
 * @param slots latencies by the slot that their events were planned in
 * @returns nothing where no fault happened
 */
export function aroundFaults(
  slots: ReadonlyMap<number, Histogram>,
  slotUs: number,
  { faults = [], recovery }: Pick<Completed, 'faults' | 'recovery'>,
): Pick<Completed, 'latencyAroundFaults'> {
  const begins = faults.flatMap(({ atUs }) => atUs ?? []);
  if (begins.length === 0) return {};
  const fromUs = Math.min(...begins);
  const ends = faults.flatMap((fault) => faultEndUs(fault) ?? []);
  const toUs = Math.max(...ends, recovery?.cut?.lastBackUs ?? 0);
  const [before, during] = [newHistogram(), newHistogram()];
  for (const [slot, histogram] of slots) {
    if ((slot + 1) * slotUs <= fromUs) merge(before, histogram);
    else if (slot * slotUs <= toUs) merge(during, histogram);
  }
  return { latencyAroundFaults: { before: storeHistogram(before), during: storeHistogram(during), toUs } };
}
