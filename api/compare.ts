// Compares results for another program, as `pushbench compare` does.

import { compare as compareRuns } from '../core/comparison/compare-runs.ts';
import { comparisonExitCode, type Comparison, type FailOn } from '../core/comparison/comparison-result.ts';
import { ruleOf } from '../core/comparison/judge.ts';
import { runSetOf } from '../core/comparison/run-set.ts';
import { exitCodes, UserError } from '../core/base/errors.ts';
import type { Result } from '../core/result/result.ts';
import { readResults } from '../reports/read/read-many.ts';
import type { Outcome } from './outcome.ts';

/** A path of results (a file, a run's folder, or a folder of such), results, or outcomes of `run`. */
export type Side = string | Result | Outcome | readonly (Result | Outcome)[];

export type CompareInput = {
  baseline: Side;
  candidate: Side;
  /** Asks for more evidence before it says that something is worse. */
  strict?: boolean;
  /** What else makes it fail, in addition to a metric that is proven worse. */
  failOn?: readonly FailOn[];
  /** Labels of variants to compare, if they differ: `[['sse @old', 'sse @new']]`. */
  match?: readonly (readonly [baseline: string, candidate: string])[];
  /** Also compares simulated results with measured ones. */
  simulatedToo?: boolean;
};

export type ComparisonOutcome = {
  /** Whether nothing is worse, and everything that was asked for could be judged. */
  passed: boolean;
  /** As `pushbench compare --json` prints it. */
  comparison: Comparison;
  /** Draws the self-contained HTML page. */
  report(): Promise<string>;
};

/** @throws UserError if the two cannot be compared */
export async function compare({
  baseline,
  candidate,
  strict = false,
  failOn = [],
  match,
  simulatedToo = false,
}: CompareInput): Promise<ComparisonOutcome> {
  const behind = {
    baseline: await resultsOf(baseline, 'baseline'),
    candidate: await resultsOf(candidate, 'candidate'),
  };
  const comparison = compareRuns(
    runSetOf('baseline', behind.baseline),
    runSetOf('candidate', behind.candidate),
    {
      createdAt: new Date(),
      rule: ruleOf({ strict }),
      simulatedToo,
      ...(match && { labels: match }),
    },
  );
  return {
    passed: comparisonExitCode(comparison, failOn) === exitCodes.ok,
    comparison,
    async report() {
      const { renderComparisonPage } = await import('../reports/comparison/page.ts');
      return renderComparisonPage(comparison, behind);
    },
  };
}

async function resultsOf(side: Side, name: string): Promise<[Result, ...Result[]]> {
  if (typeof side === 'string') return readResults(side);
  const [first, ...others] = [side].flat().map((one) => ('result' in one ? one.result : one));
  if (!first) throw new UserError('api', `${name} is an empty list; give at least one result.`);
  return [first, ...others];
}
