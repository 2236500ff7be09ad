// Gives the clock of webhook delivery to everything that waits, so that tests run days of retries at once
// and a scenario runs them scaled.

import { later } from '../../../core/base/clock.ts';

export type Timers = {
  /** Milliseconds since 1970 on the clock that schedules run on. */
  nowMs(): number;
  /**
   * Milliseconds since 1970 that a signature is stamped with: a receiver holds them against its own clock.
   */
  stampMs(): number;
  /** Calls once, `ms` from now. @returns the function that takes it back */
  after(ms: number, call: () => void): () => void;
};

export const realTimers: Timers = { nowMs: Date.now, stampMs: Date.now, after: later };

/** A clock that runs `scale` times as fast from now on; signatures are still stamped with the real time. */
export function scaledTimers(base: Timers, scale: number): Timers {
  if (scale === 1) return base;
  const fromMs = base.nowMs();
  return {
    nowMs: () => fromMs + (base.nowMs() - fromMs) * scale,
    stampMs: base.stampMs,
    after: (ms, call) => base.after(ms / scale, call),
  };
}
