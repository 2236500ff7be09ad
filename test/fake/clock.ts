// Makes virtual time: nothing waits; the clock jumps to the next thing that is due.

import type { Clock } from '../../core/base/clock.ts';

export type VirtualClock = Clock & { at(atUs: number, run: () => void): void };

export function virtualClock(startUs = 1_000_000_000): VirtualClock {
  let now = startUs;
  let pumping = false;
  /** In the order of time. */
  const due: { atUs: number; run: () => void; wakes: boolean }[] = [];

  function add(atUs: number, run: () => void, wakes: boolean): void {
    // Behind whatever is due at the same time or before; most of what is added is due last.
    let place = due.length;
    while (place > 0 && due[place - 1]!.atUs > atUs) place--;
    due.splice(place, 0, { atUs, run, wakes });
    if (!pumping) {
      pumping = true;
      setImmediate(pump);
    }
  }
  function pump(): void {
    // Events that wake nobody run in one go; those who are woken get to act before time goes on.
    for (let next = due.shift(); next; next = due.shift()) {
      now = Math.max(now, next.atUs);
      next.run();
      if (next.wakes) {
        setImmediate(pump);
        return;
      }
    }
    pumping = false;
  }
  return {
    nowUs: () => now,
    until: (atUs, over) =>
      new Promise((resolve, reject) => {
        if (over?.aborted) return reject(over.reason);
        over?.addEventListener('abort', () => reject(over.reason), { once: true });
        add(atUs, resolve, true);
      }),
    at: (atUs, run) => add(atUs, run, false),
  };
}
