// Computes the time axis of the measured phase, the same in every process of a trial, and at which of its
// moments servers are asked.

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

/**
 * Whether servers are asked at one of these moments. A sample costs a server about a millisecond of CPU, so
 * one is asked once a second, and at both ends of the measured phase. One that queues is asked each time: its
 * backlog is of the moment.
 */
export function asksServers({ fromUs, toUs, slotUs }: Window, atUs: number, queues: boolean): boolean {
  const everyUs = serverSampleUs(slotUs, queues);
  return atUs === toUs || (atUs - fromUs) % everyUs === 0;
}

/** The time between two samples of a server. */
export function serverSampleUs(slotUs: number, queues: boolean): number {
  return queues ? slotUs : Math.ceil(leastSampleUs / slotUs) * slotUs;
}

const leastSampleUs = 1_000_000;
