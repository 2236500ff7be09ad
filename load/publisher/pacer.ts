// Wakes the publisher at exact times. A timer alone is 1 to 2 ms late; spinning for the last of it would take
// a core from the server under test. So: a timer until shortly before, then sleep in the kernel (a futex wait
// with a timeout is good to some 60 us) in slices short enough that answers are still read in between.

import { longestTimerMs, nowUs } from '../../core/base/clock.ts';

export type Pacer = {
  /** Takes the next step now, whatever the time. */
  wake(): void;
  stop(): void;
};

/** Timers are left this long before the time. */
const earlyUs = 2000;
/** Longest time that the event loop stands still. */
const sliceUs = 250;
/**
 * How much later than asked the kernel ends a sleep, as a rule; the rest is spent in turns of the event loop.
 */
const oversleepUs = 60;

// Nobody ever notifies it; it is there to be waited for.
const cell = new Int32Array(new SharedArrayBuffer(4));

/**
 * Takes steps until stopped.
 * @param step does the work that is due, and returns when it wants to be called next: a time of the monotonic
 *   clock in microseconds, or `Infinity` to wait for `wake`; it may be called earlier
 */
export function startPacer(step: () => number): Pacer {
  let timer: NodeJS.Timeout | undefined;
  let immediate: NodeJS.Immediate | undefined;
  let stopped = false;

  function turn(): void {
    const atUs = step();
    if (stopped || atUs === Infinity) return;
    const leftUs = atUs - nowUs();
    if (leftUs > earlyUs) {
      timer = setTimeout(turn, Math.min((leftUs - earlyUs / 2) / 1000, longestTimerMs));
      return;
    }
    if (leftUs > oversleepUs) Atomics.wait(cell, 0, 0, Math.min(leftUs - oversleepUs, sliceUs) / 1000);
    immediate = setImmediate(turn);
  }

  function cancel(): void {
    clearTimeout(timer);
    clearImmediate(immediate);
  }

  return {
    wake() {
      cancel();
      turn();
    },
    stop() {
      stopped = true;
      cancel();
    },
  };
}
