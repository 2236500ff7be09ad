// Makes the outcome of a run for programs from its result: whether it passed, the figures, what went wrong.

import { withFigures } from '../core/metrics/trial-figures.ts';
import type { Expectation, Result } from '../core/result/result.ts';
import type { TrialFigures } from '../core/result/trial-figures.ts';
import { runVerdict, type RunVerdict } from '../core/scenario/run-verdict.ts';
import { suitesOf } from '../reports/export/junit.ts';

export type Outcome = {
  /**
   * `ok`; `expectation`: an expectation failed; `invalid`: something that was asked for could not be judged;
   * `failed`: the run or one of its trials failed.
   */
  verdict: RunVerdict;
  /** Whether every trial completed, and every expectation was judged and none failed. */
  passed: boolean;
  /** Why it did not pass, a sentence each, for the message of an assertion. */
  problems: string[];
  /** Whether everything else that the scenario asks for could be judged too, such as latencies. */
  valid: boolean;
  /** What to know about the figures, and why some are void: a sentence each. */
  warnings: string[];
  /** Each expectation of the scenario for each trial that it is for. */
  expectations: readonly Expectation[];
  /** The figures of each trial, by the names of the metrics: `figures[0].figures['latency.p99']`. */
  figures: readonly TrialFigures[];
  /** Everything that is in `result.json`. */
  result: Result;
  /** Draws the self-contained HTML report. */
  report(): Promise<string>;
};

export function outcomeOf(measured: Result): Outcome {
  const result = withFigures(measured);
  const verdict = runVerdict(result);
  const problems = problemsOf(result);
  return {
    verdict,
    passed: problems.length === 0,
    problems,
    valid: verdict === 'ok' || verdict === 'expectation',
    warnings: result.trials.flatMap(({ variant, warnings }) =>
      warnings.map(({ message }) => `${variant.label}: ${message}`),
    ),
    expectations: result.expectations,
    figures: result.figures,
    result,
    async report() {
      const { renderHtml } = await import('../reports/page/report.ts');
      return renderHtml([result], { interactive: false });
    },
  };
}

/** A message may begin with what it is about. */
function toldOnce(what: string, message: string): string {
  return message.startsWith(what) ? message : `${what}: ${message}`;
}

function problemsOf(result: Result): string[] {
  const { state } = result;
  const ended = state.kind === 'failed' ? [state.why] : [];
  const found = suitesOf([result]).flatMap(({ name, cases }) =>
    cases.flatMap(({ name: what, verdict }) =>
      verdict.kind === 'failure' || verdict.kind === 'error'
        ? [`${name}: ${toldOnce(what, verdict.message)}`]
        : [],
    ),
  );
  return [...ended, ...found];
}
