// Runs the trials of a step search one after another: each depends on what the one before it showed. Which
// value comes next is core/scenario/search.ts.

import { messageOf, UserError } from '../../core/base/errors.ts';
import { parseExpectation } from '../../core/metrics/check.ts';
import { figureOf } from '../../core/metrics/registry.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Result, Trial } from '../../core/result/result.ts';
import {
  limitOf,
  nextValue,
  resolutionOf,
  writeLike,
  type Search,
  type Tried,
} from '../../core/scenario/search.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { saying, stepOf, type RunPlan, type Step } from '../plan/cells.ts';
import type { PlannedTrial, TrialPlan } from '../plan/plan.ts';

export type Turn<P extends PlannedTrial = TrialPlan> = Step<P> & { repetition: number };
type SearchResult = NonNullable<Result['searches']>[number];

/** A trial without a figure that decides may be a hiccup of the machine: it is tried once more. */
const tries = 2;

/**
 * Every search of the scenario for each of its variants. Yields what to run and is given the trial.
 * @param source the YAML as run
 * @param into where the outcome of each search is put, complete after each of its trials
 */
export function* searchTrials<P extends PlannedTrial>(
  plan: RunPlan<P>,
  registry: PatternRegistry,
  source: string,
  into: SearchResult[],
): Generator<Turn<P>, void, Trial> {
  for (const search of plan.scenario.search) {
    for (const variant of plan.scenario.variants)
      yield* searchOne(plan, registry, source, search, variant, into);
  }
}

/**
 * Plans the first step of each search, so that an impossible step is refused before anything starts.
 * @throws UserError that names the step
 */
export function planFirstSteps(
  { name, search }: Pick<Scenario, 'name' | 'search'>,
  registry: PatternRegistry,
  source: string,
  plan: (scenario: Scenario) => unknown,
): void {
  for (const [i, { what, from }] of search.entries()) {
    const first = scenarioAt({ name }, registry, source, `${what}=${from}`);
    saying(`search[${i}]: with ${what}=${from}: `, () => plan(first));
  }
}

/** The scenario of one step. */
function scenarioAt(
  { name }: Pick<Scenario, 'name'>,
  registry: PatternRegistry,
  source: string,
  override: string,
): Scenario {
  return parseScenario(source, { file: `${name}.yaml`, registry, overrides: [override], inCell: true })
    .scenario;
}

function* searchOne<P extends PlannedTrial>(
  plan: RunPlan<P>,
  registry: PatternRegistry,
  source: string,
  search: Search,
  variant: Variant,
  into: SearchResult[],
): Generator<Turn<P>, void, Trial> {
  const { what, keep, from } = search;
  const tried: (Tried & { measured: number | null; why: string })[] = [];
  const found: SearchResult = {
    variant: variant.label,
    what,
    keep,
    resolution: resolutionOf(search),
    like: from,
    over: false,
    steps: tried,
    limit: limitOf(tried),
  };
  into.push(found);
  for (let value = nextValue(search, tried); value !== undefined; value = nextValue(search, tried)) {
    const text = writeLike(from, value);
    let step: Step<P>;
    try {
      const scenario = scenarioAt(plan.scenario, registry, source, `${what}=${text}`);
      step = stepOf({ parameters: { [what]: text }, scenario }, variant, plan.planOf(scenario));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      tried.push({ value, verdict: 'ended', measured: null, why: inOneLine(messageOf(error)) });
      break;
    }
    for (let repetition = 1; repetition <= tries; repetition++) {
      const judged = judge(yield { ...step, repetition }, keep);
      if (judged.verdict === 'ended' && repetition < tries) continue;
      tried.push({ value, ...judged });
      break;
    }
    found.limit = limitOf(tried);
  }
  found.limit = limitOf(tried);
  found.over = true;
}

/** A list of reasons as a part of a sentence. */
function inOneLine(message: string): string {
  return message
    .replace(/\s*\n\s*- /, ' ')
    .replaceAll(/\.?\s*\n\s*- /g, '; ')
    .replace(/\.$/, '');
}

function judge(
  { outcome }: Trial,
  keep: string,
): Omit<Tried, 'value'> & { measured: number | null; why: string } {
  const check = parseExpectation(keep);
  if ('problem' in check) throw new Error(`the check of a checked search cannot be read: ${keep}`);
  if (outcome.status === 'failed') return { verdict: 'ended', measured: null, why: outcome.message };
  const figure = figureOf(check.metric, outcome);
  const measured = figure.value ?? null;
  if (figure.value === undefined && figure.voided?.includes('saturated'))
    return { verdict: 'broken', measured, why: 'the server is saturated' };
  if (figure.value === undefined && figure.voided)
    return { verdict: 'ended', measured, why: figure.voided.join(', ') };
  const losses = figureOf('missed', outcome);
  if (losses.value === undefined) return { verdict: 'ended', measured, why: losses.why };
  if (losses.value > 0) return { verdict: 'broken', measured, why: `${losses.value} missed` };
  if (figure.value === undefined) return { verdict: 'ended', measured, why: figure.why };
  return { verdict: check.holds(figure.value) ? 'held' : 'broken', measured, why: '' };
}
