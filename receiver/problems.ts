// Reports what went wrong with a delivery: to the application's hook, or to standard error where it is ours.

import { refusal, type Answer } from './answer.ts';
import type { Problem } from './delivery.ts';

export type Problems = {
  report(problem: Problem): void;
  /** Reports it, and answers the sender with it, or with `told` where the sender should not see it all. */
  refuse(problem: Problem, more?: { headers?: Record<string, string>; told?: string }): Answer;
};

export function createProblems(onProblem: ((problem: Problem) => unknown) | undefined): Problems {
  function report(problem: Problem): void {
    if (!onProblem) {
      if (problem.status >= 500 || problem.error !== undefined)
        console.error(problem.error ?? problem.message);
      return;
    }
    // What the hook throws must not change the answer.
    new Promise((resolve) => resolve(onProblem(problem))).catch((error: unknown) => console.error(error));
  }
  return {
    report,
    refuse(problem, { headers, told = problem.message } = {}) {
      report(problem);
      return refusal(problem.status, problem.code, told, headers);
    },
  };
}
