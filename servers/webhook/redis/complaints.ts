// Says on standard error what is wrong with Redis, and not more often than it helps.

const sayAgainAfterMs = 60_000;
const sentencesRemembered = 100;

export type Complaints = {
  say(sentence: string): void;
  /** The same sentence once a minute at most. */
  sayOnce(sentence: string): void;
  close(): void;
};

/** @param count is called for each sentence that is said */
export function createComplaints(count: () => void): Complaints {
  const saidMs = new Map<string, number>();
  let closed = false;
  function say(sentence: string): void {
    if (closed) return;
    count();
    console.error(sentence);
  }
  return {
    say,
    sayOnce(sentence) {
      const nowMs = performance.now();
      if (nowMs - (saidMs.get(sentence) ?? -Infinity) < sayAgainAfterMs) return;
      saidMs.delete(sentence);
      saidMs.set(sentence, nowMs);
      // The oldest; there is one.
      if (saidMs.size > sentencesRemembered) saidMs.delete(saidMs.keys().next().value!);
      say(sentence);
    },
    close: () => void (closed = true),
  };
}
