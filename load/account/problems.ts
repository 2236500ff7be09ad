// Counts problems by kind, for people to read.

import type { Problem } from '../../core/protocol/control.ts';
import { isTooLarge } from '../../core/result/too-large.ts';

/**
 * Characters kept of a message. Quotes of peers are cut here and not before: secrets
 * are taken out of the whole.
 */
const longestMessage = 400;
/** Kinds kept; a peer that words each problem differently must not fill the memory. */
const keptKinds = 49;

export type ProblemLog = {
  add(code: string, message: string): void;
  /** In the order in which they first came. */
  list(): Problem[];
};

export function createProblemLog(): ProblemLog {
  const problems = new Map<string, Problem>();
  const others: Problem = { code: 'others', message: 'problems of more kinds than are kept', count: 0 };
  return {
    add(code, whole) {
      const message = whole.length > longestMessage ? `${whole.slice(0, longestMessage)}...` : whole;
      const key = `${code} ${message}`;
      const known = problems.get(key);
      if (known) known.count++;
      // What voids the trial is kept in any case; our own limits have few messages.
      else if (problems.size < keptKinds || isTooLarge({ code }))
        problems.set(key, { code, message, count: 1 });
      else others.count++;
    },
    list: () =>
      (others.count > 0 ? [...problems.values(), others] : [...problems.values()]).map((problem) => ({
        ...problem,
      })),
  };
}
