// Holds what waits for something that has to come within a time, the same for all. One timer serves them.

/** `done`: it came. `late`: it did not come in time. `ended`: nobody waits any more. */
export type Outcome = 'done' | 'late' | 'ended';

export type Deadlines<Key> = {
  /** @param settle is called once */
  add(key: Key, settle: (outcome: Outcome) => void): void;
  /** What this one waits for has come. @returns false when none waits for it */
  done(key: Key): boolean;
  /** The same for all from the oldest on, until one is still to wait. */
  doneWhile(hasCome: (key: Key) => boolean): void;
  end(): void;
};

export function createDeadlines<Key>(withinMs: number): Deadlines<Key> {
  const waiting = new Map<Key, { dueMs: number; settle: (outcome: Outcome) => void }>();
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;

  function settle(key: Key, outcome: Outcome): boolean {
    const one = waiting.get(key);
    if (!one) return false;
    waiting.delete(key);
    one.settle(outcome);
    return true;
  }

  function sweep(): void {
    timer = undefined;
    const nowMs = performance.now();
    for (const [key, { dueMs }] of waiting) {
      if (dueMs > nowMs) {
        timer = setTimeout(sweep, dueMs - nowMs);
        return;
      }
      settle(key, 'late');
    }
  }

  return {
    add(key, settle) {
      if (isOver) return settle('ended');
      waiting.set(key, { dueMs: performance.now() + withinMs, settle });
      timer ??= setTimeout(sweep, withinMs);
    },
    done: (key) => settle(key, 'done'),
    doneWhile(hasCome) {
      for (const key of waiting.keys()) {
        if (!hasCome(key)) return;
        settle(key, 'done');
      }
    },
    end() {
      isOver = true;
      clearTimeout(timer);
      for (const key of waiting.keys()) settle(key, 'ended');
    },
  };
}
