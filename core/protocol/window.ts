// Computes the time axis of the measured phase, the same in every process of a trial.

import type { Window } from './control.ts';

/**
 * When every process reports: at each slot boundary from the warm-up on, and at both ends of the measured
 * phase, ascending. Microseconds of the host's monotonic clock.
 */
export function sampleTimesUs(window: Window): number[] {
  const { warmupFromUs, fromUs, toUs, slotUs } = window;
  const times: number[] = [];
  for (let i = Math.ceil((warmupFromUs - fromUs) / slotUs); fromUs + i * slotUs < toUs; i++)
    times.push(fromUs + i * slotUs);
  times.push(toUs);
  return times;
}
