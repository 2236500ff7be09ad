// Decides what came of a run as a whole, from its result: what a script, a gate and a test go by.

import type { exitCodes } from '../base/errors.ts';
import { figureOf } from '../metrics/registry.ts';
import type { Expectation, Result, Trial } from '../result/result.ts';
import { allVoid } from '../result/voids.ts';
import { verdictOf } from './expectations.ts';

export type RunVerdict = Exclude<keyof typeof exitCodes, 'usage' | 'slower' | 'inconclusive'>;

/**
 * What came of a run, the gravest thing first: a name of an exit code (core/base/errors.ts), which says what
 * it means.
 */
export function runVerdict(result: Result): RunVerdict {
  if (result.state.kind === 'interrupted') return 'interrupted';
  if (result.state.kind === 'failed') return 'failed';
  // The process that writes it is always further than this; of a stored one a gate asks requireFinished.
  if (result.state.kind === 'unfinished') return 'invalid';
  if (result.trials.some(({ outcome }) => outcome.status === 'failed')) return 'failed';
  const verdicts = result.expectations.map((one) => verdictOf(one, trialOf(one, result)));
  if (verdicts.includes('failed')) return 'expectation';
  return verdicts.includes('not-judged') || unanswered(result) ? 'invalid' : 'ok';
}

function trialOf({ variant, repetition }: Expectation, { trials }: Result): Trial | undefined {
  return trials.find((one) => one.variant.label === variant && one.repetition === repetition);
}

/** What the first sentence of a report is about where the scenario does not say. */
const askedByDefault = ['latency.p50', 'requests-per-delivery'];

/** Whether something that the scenario asks for is void in some trial, or a search found nothing. */
function unanswered({ searches, trials, scenario: { answer, curves } }: Result): boolean {
  // The load side may end a search; then what had held until there is its answer.
  if (searches) return searches.some(({ limit }) => limit.kind === 'none');
  const asked = [...(answer ?? []), ...(curves ?? [])];
  return trials.some(({ outcome }) => {
    // Whatever was asked, a trial in which nothing arrived answers nothing.
    if (outcome.status === 'failed' || allVoid(outcome) || outcome.ledger.delivered === 0) return true;
    return (asked.length > 0 ? asked : askedByDefault).some((name) => {
      const figure = figureOf(name, outcome);
      return figure.value === undefined && figure.voided !== undefined;
    });
  });
}
