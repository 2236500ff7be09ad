// Decides when an endpoint that fails gets a rest: a circuit breaker over a moving window of attempts, after
// Convoy's. Pure: state and functions, attempts are told, times are given.

export type BreakerRules = {
  /** How far back attempts count. */
  readonly windowMs: number;
  /** With fewer attempts in the window it stays closed. */
  readonly leastAttempts: number;
  /** It opens when at least this share of them failed. */
  readonly failedShare: number;
  /** How long it stays open before one attempt decides. */
  readonly openMs: number;
};

/** Convoy's: 70 % of at least 10 attempts within 5 minutes failed; then 30 s of rest. */
export const breakerDefaults: BreakerRules = {
  windowMs: 5 * 60_000,
  leastAttempts: 10,
  failedShare: 0.7,
  openMs: 30_000,
};

/** The window moves in steps of a tenth. */
const steps = 10;

export type Breaker = {
  readonly rules: BreakerRules;
  /** Attempts and failures of each step of the window. */
  readonly made: Float64Array;
  readonly failed: Float64Array;
  latestStep: number;
  /** Undefined while it is closed. */
  openUntilMs: number | undefined;
  /** The attempt that decides is under way. */
  isProbing: boolean;
};

/** A breaker that is closed until enough has failed. */
export function newBreaker(rules: BreakerRules = breakerDefaults): Breaker {
  return {
    rules,
    made: new Float64Array(steps),
    failed: new Float64Array(steps),
    latestStep: -Infinity,
    openUntilMs: undefined,
    isProbing: false,
  };
}

export function breakerState({ openUntilMs, isProbing }: Breaker): 'closed' | 'open' | 'half-open' {
  return openUntilMs === undefined ? 'closed' : isProbing ? 'half-open' : 'open';
}

/** When an attempt may be made: `nowMs` for at once; undefined while the probing attempt is under way. */
export function breakerAllowsAtMs({ openUntilMs, isProbing }: Breaker, nowMs: number): number | undefined {
  return openUntilMs === undefined ? nowMs : isProbing ? undefined : openUntilMs;
}

/** An attempt begins. */
export function beginInBreaker(breaker: Breaker): void {
  if (breaker.openUntilMs !== undefined) breaker.isProbing = true;
}

/** An attempt ended. @returns what that changed */
export function endInBreaker(breaker: Breaker, ok: boolean, nowMs: number): 'opened' | 'closed' | undefined {
  const { leastAttempts, failedShare, openMs } = breaker.rules;
  if (breaker.openUntilMs !== undefined) {
    // Attempts that began before it opened decide nothing.
    if (!breaker.isProbing) return undefined;
    if (ok) {
      resetBreaker(breaker);
      return 'closed';
    }
    breaker.isProbing = false;
    breaker.openUntilMs = nowMs + openMs;
    return undefined;
  }
  const step = moveWindow(breaker, nowMs);
  breaker.made[step]!++;
  if (ok) return undefined;
  breaker.failed[step]!++;
  const attempts = sumOf(breaker.made);
  if (attempts < leastAttempts || sumOf(breaker.failed) < attempts * failedShare) return undefined;
  breaker.openUntilMs = nowMs + openMs;
  return 'opened';
}

/** Closes it and forgets what failed. */
export function resetBreaker(breaker: Breaker): void {
  breaker.made.fill(0);
  breaker.failed.fill(0);
  breaker.openUntilMs = undefined;
  breaker.isProbing = false;
}

/** Empties the steps that have left the window. @returns the index of the step of `nowMs` */
function moveWindow(breaker: Breaker, nowMs: number): number {
  const step = Math.floor(nowMs / (breaker.rules.windowMs / steps));
  for (let past = Math.max(breaker.latestStep + 1, step - steps + 1); past <= step; past++)
    breaker.made[past % steps] = breaker.failed[past % steps] = 0;
  breaker.latestStep = Math.max(breaker.latestStep, step);
  return step % steps;
}

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, n) => sum + n, 0);
}
