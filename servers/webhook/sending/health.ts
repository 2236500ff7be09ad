// How an endpoint fares: the circuit breaker that spares it and us further attempts, and the rules that
// disable it for good. Pure; attempts are told, times are given.

import type { disableRuleNames } from '../../../core/policy/retry-policy.ts';

export const breakerDefaults = {
  /**
   * Convoy's: of at least 10 attempts in 5 minutes 70 % failed; then 30 s of peace, then
   * one attempt that decides.
   */
  windowMs: 5 * 60_000,
  leastAttempts: 10,
  failedShare: 0.7,
  openMs: 30_000,
} as const;

/** The window moves in steps of a tenth. */
const slots = 10;

export type Breaker = {
  state(): 'closed' | 'open' | 'half-open';
  /**
   * When an attempt may be made: `nowMs` or earlier for at once; undefined while the one
   * that decides is under way.
   */
  fromMs(nowMs: number): number | undefined;
  /** An attempt begins. */
  begin(nowMs: number): void;
  /** It ended. @returns what that changed */
  end(ok: boolean, nowMs: number): 'opened' | 'closed' | undefined;
  /** Closes it and forgets what failed. */
  reset(): void;
};

/** A breaker that is closed until enough has failed. */
export function createBreaker(
  { windowMs, leastAttempts, failedShare, openMs } = breakerDefaults as {
    windowMs: number;
    leastAttempts: number;
    failedShare: number;
    openMs: number;
  },
): Breaker {
  const made = new Float64Array(slots);
  const failed = new Float64Array(slots);
  let latestSlot = -Infinity;
  let openUntilMs: number | undefined;
  let probing = false;

  function turn(nowMs: number): number {
    const slot = Math.floor(nowMs / (windowMs / slots));
    for (let past = Math.max(latestSlot + 1, slot - slots + 1); past <= slot; past++)
      made[past % slots] = failed[past % slots] = 0;
    latestSlot = Math.max(latestSlot, slot);
    return slot % slots;
  }

  function forget(): void {
    made.fill(0);
    failed.fill(0);
    openUntilMs = undefined;
    probing = false;
  }

  return {
    state: () => (openUntilMs === undefined ? 'closed' : probing ? 'half-open' : 'open'),
    fromMs: (nowMs) => (openUntilMs === undefined ? nowMs : probing ? undefined : openUntilMs),
    begin() {
      if (openUntilMs !== undefined) probing = true;
    },
    end(ok, nowMs) {
      if (openUntilMs !== undefined) {
        // Attempts that began before it opened decide nothing.
        if (!probing) return undefined;
        if (ok) {
          forget();
          return 'closed';
        }
        probing = false;
        openUntilMs = nowMs + openMs;
        return undefined;
      }
      const slot = turn(nowMs);
      made[slot]!++;
      if (ok) return undefined;
      failed[slot]!++;
      const attempts = made.reduce((sum, n) => sum + n, 0);
      if (attempts < leastAttempts || failed.reduce((sum, n) => sum + n, 0) < attempts * failedShare)
        return undefined;
      openUntilMs = nowMs + openMs;
      return 'opened';
    },
    reset: forget,
  };
}

/** The rules that disable an endpoint: Svix's by time, Outpost's by count. */
export const disableRules = {
  never: () => undefined,
  'after-5-days': ({ failingSinceMs }, nowMs) =>
    failingSinceMs !== undefined && nowMs - failingSinceMs >= 5 * 86_400_000
      ? 'every attempt of five days failed'
      : undefined,
  'after-100-failures': ({ failures }) => (failures >= 100 ? '100 attempts in a row failed' : undefined),
} as const satisfies Record<
  (typeof disableRuleNames)[number],
  (health: Health, nowMs: number) => string | undefined
>;

/** Failures since the last success, and when the first of them was. */
export type Health = { failures: number; failingSinceMs: number | undefined };
