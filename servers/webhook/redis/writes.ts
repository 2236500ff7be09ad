// Tracks writes on their way to Redis, so that code that depends on them can wait for all that began before.

export type Writes = {
  add(write: Promise<unknown>): void;
  /** Resolves when the writes now under way are done; rejects when one of them fails. */
  done(): Promise<void>;
};

export function createWrites(): Writes {
  let all: Promise<unknown> = Promise.resolve();
  return {
    add(write) {
      const withIt = Promise.all([all, write]).then(() => {}); // the results of all before would hang on it
      all = withIt;
      withIt.catch(() => {
        if (all === withIt) all = Promise.resolve();
      });
    },
    done: async () => void (await all),
  };
}
