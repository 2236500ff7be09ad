// Virtual time: nothing waits; the clock jumps to the next thing that is due.

import type { Clock } from '../../core/base/clock.ts';

export type VirtualClock = Clock & { at(atUs: number, run: () => void): void };

export function virtualClock(startUs = 1_000_000_000): VirtualClock {
  let now = startUs;
  let order = 0;
  let pumping = false;
  const due: { atUs: number; order: number; run: () => void; wakes: boolean }[] = [];

  function add(atUs: number, run: () => void, wakes: boolean): void {
    due.push({ atUs, order: order++, run, wakes });
    if (!pumping) {
      pumping = true;
      setImmediate(pump);
    }
  }
  function pump(): void {
    // Events that wake nobody run in one go; whoever is woken gets to act before time goes on.
    for (let next = take(); next; next = take()) {
      now = Math.max(now, next.atUs);
      next.run();
      if (next.wakes) {
        setImmediate(pump);
        return;
      }
    }
    pumping = false;
  }
  function take() {
    due.sort((a, b) => a.atUs - b.atUs || a.order - b.order);
    return due.shift();
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
