// Goes through virtual time while real requests are made.

import { type VirtualTimers } from '../virtual-timers.ts';

/** Goes through time until `holds`, a pause of the event loop between two timers. */
export async function pass(timers: VirtualTimers, holds: () => boolean | Promise<boolean>): Promise<void> {
  const limitMs = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > limitMs) throw new Error('not within 20 s of real time');
    if (timers.waiting() > 0) timers.next();
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}
