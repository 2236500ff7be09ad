// Mishaps, counted by kind, for people to read.

import type { Problem } from '../core/control.ts';

/** Kinds kept; a peer that words each mishap anew must not fill the memory. */
const keptKinds = 50;

export type ProblemLog = {
  add(code: string, message: string): void;
  /** In the order in which they first came. */
  list(): Problem[];
};

export function createProblemLog(): ProblemLog {
  const problems = new Map<string, Problem>();
  return {
    add(code, message) {
      const key = `${code} ${message}`;
      const known = problems.get(key);
      if (known) known.count++;
      else if (problems.size < keptKinds) problems.set(key, { code, message, count: 1 });
      else problems.get(others.code)!.count++;
      if (problems.size === keptKinds - 1) problems.set(others.code, { ...others });
    },
    list: () => [...problems.values()].filter(({ count }) => count > 0),
  };
}

const others: Problem = { code: 'others', message: `mishaps of more kinds than ${keptKinds}`, count: 0 };
