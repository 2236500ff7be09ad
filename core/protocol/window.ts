// Computes when the processes of a trial sample themselves, the same moments in each of them.

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
