// Reads the one clock: CLOCK_MONOTONIC in microseconds, which is the same in every process of a host. Load
// processes on other machines are shifted to it (harness/workers/clock-offset.ts).
// Results carry the wall-clock time once, as `createdAt`.

// Whatever comes between the two readings makes the offset smaller, and on a busy machine that can be a turn
// of other processes, milliseconds long: the largest of several is the truest.
const readings = 32;
let offsetUs = Math.max(
  ...Array.from(
    { length: readings },
    () => Number(process.hrtime.bigint()) / 1000 - performance.now() * 1000,
  ),
);

/**
 * Microseconds of the host's monotonic clock, as an integer.
 * `performance.now()` reads the same clock as `process.hrtime` without allocating a BigInt;
 * only its origin differs from process to process, which the offset removes.
 */
export function nowUs(): number {
  return Math.round(performance.now() * 1000 + offsetUs);
}

/**
 * Puts this process's clock forward, for a load process on another machine: from then on it reads the clock
 * of the machine that it is shifted to. To be called before anything has read the clock.
 * @param us how far; negative puts it back
 */
export function shiftClock(us: number): void {
  offsetUs += us;
}

/** What code that must also run in virtual time is given instead of the real clock and timers. */
export type Clock = {
  nowUs(): number;
  /**
   * Resolves when the clock has reached `atUs` (at once when it has already).
   * @param over ends the wait and clears its timer
   * @throws the signal's reason when it is aborted before
   */
  until(atUs: number, over?: AbortSignal): Promise<void>;
};

/** Above this Node's timers fire at once. */
export const longestTimerMs = 2 ** 31 - 1;

/**
 * `setTimeout` for waits of any length.
 * @returns clears the timer
 */
export function later(ms: number, action: () => void): () => void {
  let timer: NodeJS.Timeout;
  const wait = (leftMs: number) => {
    const stepMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > stepMs ? wait(leftMs - stepMs) : action()), stepMs);
  };
  wait(ms);
  return () => clearTimeout(timer);
}

/**
 * As `later`, and never earlier: a timer of Node counts from when the turn of the event loop began, which may
 * be a while ago where many clients are served in one turn.
 */
export function notBefore(ms: number, action: () => void): () => void {
  const dueMs = performance.now() + ms;
  let clear = later(ms, check);
  function check(): void {
    const leftMs = dueMs - performance.now();
    if (leftMs > 0) clear = later(Math.ceil(leftMs), check);
    else action();
  }
  return () => clear();
}

export const realClock: Clock = {
  nowUs,
  async until(atUs, over) {
    over?.throwIfAborted();
    // A timer may fire up to 1 ms early against the cached loop time, so the clock is read again.
    for (let leftUs = atUs - nowUs(); leftUs > 0; leftUs = atUs - nowUs()) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const clear = later(Math.ceil(leftUs / 1000), resolve);
      const onAbort = () => reject(over?.reason);
      over?.addEventListener('abort', onAbort, { once: true });
      try {
        await promise;
      } finally {
        clear();
        over?.removeEventListener('abort', onAbort);
      }
    }
  },
};
