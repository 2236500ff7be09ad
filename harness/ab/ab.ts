// Runs two arms against each other: pairs of trials that take turns under one schedule, and a comparison of
// the two. arms.ts makes arms; core/comparison/compare-runs.ts judges the figures. Nothing here depends on
// the measured figures, except whether the one declared extension is run.

import { compare } from '../../core/comparison/compare-runs.ts';
import type { Comparison } from '../../core/comparison/comparison-result.ts';
import { counted } from '../../core/base/counted.ts';
import { exitCodes, UserError } from '../../core/base/errors.ts';
import { gatesOfSource } from '../../core/comparison/gate.ts';
import { mayExtend, ruleOf } from '../../core/comparison/judge.ts';
import { planPairs, type PairPlan } from '../../core/comparison/pairs.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { cutShortText } from '../../core/result/missing.ts';
import { runSetOf } from '../../core/comparison/run-set.ts';
import type { Planned, Result, Trial } from '../../core/result/result.ts';
import { writeDuration } from '../../core/base/units.ts';
import { timeLeftMs, trialMs } from '../../core/scenario/trial-time.ts';
import type { RunPlan } from '../plan/cells.ts';
import type { Fleet } from '../trial/fleet.ts';
import { balancedBlocks } from '../plan/order.ts';
import { newResult } from '../run/new-result.ts';
import { endedBy, type RunOptions } from '../run/run.ts';
import { watchStart } from '../trial/start.ts';
import { runTrial } from '../trial/trial.ts';

/** One side: its name, and what runs. */
export type Arm = {
  name: string;
  /** As many as the other arm has, each the other's counterpart. */
  variants: readonly Variant[];
  fleet: Fleet;
  /** Of the checkout that its servers are from, where that is not this one. */
  commit?: string | null;
};

export type AbOptions = Omit<RunOptions, 'save' | 'fleet'> & {
  /** Called with both sides and their comparison so far after each pair that counts. */
  keep?(outcome: Required<AbOutcome>): void;
  /** Pairs that count, besides the first one, which is discarded; by default what {@link pairPlan} says. */
  pairs?: number;
  /** Whether as many again are run where the first look decides nothing. */
  extend: boolean;
  /** Whether a first look decides nothing; by default, where its verdict says so. */
  undecided?(look: Comparison): boolean;
  strict: boolean;
  /** All of it must fit into this. */
  budgetMs?: number;
  note(text: string): void;
};

export type AbOutcome = { baseline: Result; candidate: Result; comparison?: Comparison };

/** How many pairs so many variants take, by the scenario's gates. @param source of the scenario */
export function pairPlan(source: string, variants: number, { extend }: { extend: boolean }): PairPlan {
  return planPairs(gatesOfSource(source), variants, ruleOf({ looks: extend ? 2 : 1 }).alpha);
}

/** How the number of pairs came about, before the first trial. */
export function pairPlanText(pairs: number, { tests, least, ...plan }: PairPlan, variants: number): string {
  const of = counted(variants, 'variant');
  const asked = `${of} in ${counted(tests, 'test')}`;
  if (pairs < plan.pairs)
    return (
      `${counted(pairs, 'pair')} of ${asked}: at least ${least} are needed, and ${plan.pairs} would leave ` +
      'room for a stalled run.'
    );
  return (
    `${counted(pairs, 'pair')} of ${asked}: enough to show a change even if a fifth of them is dropped and ` +
    'one more holds a stalled run.' +
    (plan.unbounded > pairs
      ? ` With minimum effects this small, about ${plan.unbounded} are needed to show that nothing changed.`
      : '')
  );
}

/** @throws UserError for fewer pairs than can show anything */
export function requirePairs(pairs: number, { least, tests, pairs: planned }: PairPlan): void {
  if (pairs >= least) return;
  throw new UserError(
    'pairs',
    `--pairs ${pairs} is too few: with ${tests} test${tests === 1 ? '' : 's'} (variants times gating ` +
      `metrics) at least ${least} are needed: with fewer, no change could be told from chance when a fifth ` +
      `of the pairs is dropped. Give --pairs ${least} or more, or leave it out: then ${planned} are run.`,
  );
}

/**
 * How many pairs a budget holds, the discarded one aside.
 * @param pairMs how long one takes
 * @param least the fewest that prove anything
 * @throws UserError when there is no room for them
 */
export function pairsWithin(
  budgetMs: number | undefined,
  pairMs: number,
  { wanted, least }: { wanted: number; least: number },
): number {
  if (budgetMs === undefined) return wanted;
  const room = Math.floor(budgetMs / pairMs) - 1;
  if (room >= least) return Math.min(wanted, room);
  const [takes, needs] = [pairMs, pairMs * (least + 1)].map((ms) =>
    writeDuration(Math.ceil(ms / 1000) * 1000),
  );
  throw new UserError(
    'budget',
    `A pair takes about ${takes}, so ${writeDuration(budgetMs)} is enough for ` +
      `${counted(Math.max(0, room), 'pair')} (the first is a warm-up); at least ${least} are needed. ` +
      `Give --budget ${needs}, or shorten the trials (--set phases.measure=5s).`,
  );
}

/**
 * Runs both arms in turns and compares them.
 * @param plan of a scenario without matrix and search
 * @returns the results of both arms, and the comparison unless the run was
 *   interrupted before there was a pair
 * @throws UserError when the budget holds too few pairs, by estimate before the start, by the
 *   clock after the first pair; when a server does not start before there is a pair
 */
export async function runAb(
  plan: RunPlan,
  arms: readonly [Arm, Arm],
  options: AbOptions,
): Promise<AbOutcome> {
  const variants = arms[0].variants.length;
  const pairing = pairPlan(options.source, variants, options);
  const { pairs: wanted = pairing.pairs, extend, strict, budgetMs, note, signal, keep } = options;
  const undecided = options.undecided ?? (({ verdict, rule }: Comparison) => mayExtend(verdict, rule));
  const limits = { wanted, least: pairing.least };
  let pairs = pairsWithin(budgetMs, 2 * variants * trialMs(plan.scenario.phases), limits);
  note(pairPlanText(pairs, pairing, variants));
  const [baseline, candidate] = arms.map((arm) => sideOf(arm, plan, options)) as [Result, Result];
  const sides = [baseline, candidate];
  const most = extend ? 2 * wanted : wanted;
  const order = balancedBlocks(2, most + 1, plan.scenario.seed);
  const startedMs = performance.now();
  const tookMs: number[] = [];
  let number = 0;
  let looks = 1;

  async function runPair(pair: number): Promise<void> {
    for (let i = 0; i < variants; i++) {
      const own: [number, Trial][] = [];
      for (const side of order[pair]!) {
        const { fleet, variants: these, name } = arms[side]!;
        const variant = these[i]!;
        options.observer.trialStarted(
          { ...variant, label: `${'AB'[side]} (${name})` },
          ++number,
          2 * variants * (pairs + 1),
          plan.scenario.subscribers,
          timeLeftMs(
            Array.from({ length: 2 * variants * (pairs + 1) }, () => trialMs(plan.scenario.phases)),
            tookMs,
          ),
        );
        const fromMs = performance.now();
        const start = watchStart(options.observer.progress);
        const trial = await runTrial(plan, variant, Math.max(1, pair), fleet, start.report, signal);
        tookMs.push(performance.now() - fromMs);
        const unstarted = start.problem(name, trial);
        if (unstarted) throw unstarted;
        options.observer.trialEnded(trial);
        own.push([side, trial]);
      }
      // Both or none: half a pair is not a pair.
      if (pair > 0) for (const [side, trial] of own) sides[side]!.trials.push(trial);
    }
    if (pair > 0) keep?.({ baseline, candidate, comparison: look(looks) });
  }

  const look = (number: number) =>
    compareSides(arms, baseline, candidate, ruleOf({ strict, look: number, looks: extend ? 2 : 1 }));
  /** The sides are whole with so many pairs. */
  const planUpTo = (last: number) => {
    for (const [i, side] of sides.entries()) side.planned = pairsOf(arms[i]!, last);
  };
  const ended = (state: Result['state']): AbOutcome => {
    for (const side of sides) side.state = state;
    return { baseline, candidate, ...(baseline.trials.length > 0 && { comparison: look(looks) }) };
  };
  try {
    await runPair(0);
    note('The first pair warms the machine up and is discarded.');
    const pairMs = performance.now() - startedMs;
    if (budgetMs !== undefined) {
      const fit = pairsWithin(budgetMs, pairMs, limits);
      if (fit !== pairs)
        note(
          `A pair takes ${writeDuration(Math.round(pairMs / 100) * 100)}: ${fit} pairs fit into the budget.`,
        );
      pairs = fit;
    }
    planUpTo(pairs);
    for (let pair = 1; pair <= pairs; pair++) await runPair(pair);
    const first = ended({ kind: 'finished' });
    const { comparison } = first;
    if (!extend || !comparison || !undecided(comparison)) return first;
    if (budgetMs !== undefined && performance.now() - startedMs + pairs * pairMs > budgetMs) {
      note('Undecided, and the budget has no room for the extension.');
      return first;
    }
    note(`Undecided after ${pairs} pairs: the declared extension runs ${pairs} more.`);
    looks = 2;
    for (const side of sides) side.state = { kind: 'unfinished' };
    planUpTo(2 * pairs);
    for (let pair = pairs + 1; pair <= 2 * pairs; pair++) await runPair(pair);
    return ended({ kind: 'finished' });
  } catch (error) {
    if (signal.aborted) return ended(endedBy(signal.reason));
    if (!(error instanceof UserError) || baseline.trials.length === 0) throw error;
    note(error.message);
    return ended(endedBy(error));
  }
}

function pairsOf({ variants }: Arm, pairs: number): Planned {
  const trials = Array.from({ length: pairs }, (_, i) =>
    variants.map(({ label }) => ({ variant: label, repetition: i + 1 })),
  );
  return { trials: trials.flat(), searches: [], afterwards: [] };
}

/** As much of an arm as its stored results need to be compared. */
type Side = { name: string; variants: readonly { label: string }[] };

/** The comparison of two arms' results; it says so where they were cut short. */
export function compareSides(
  arms: readonly [Side, Side],
  baseline: Result,
  candidate: Result,
  rule: Comparison['rule'],
): Comparison {
  const labels = arms[0].variants.map((variant, i) => [variant.label, arms[1].variants[i]!.label] as const);
  const sides = [
    runSetOf(arms[0].name, [baseline], { cut: true }),
    runSetOf(arms[1].name, [candidate], { cut: true }),
  ] as const;
  return compare(...sides, { createdAt: new Date(), rule, labels, ...cutOf(baseline) });
}

/** What a comparison says of sides that were cut short: both were, in the same pair. */
export function cutOf(side: Result): { cut?: string } {
  const cut = cutShortText(side);
  return cut === undefined ? {} : { cut };
}

/** @throws UserError for a scenario whose trials are not all alike */
export function checkAb(scenario: Pick<Scenario, 'name' | 'search' | 'cells'>): void {
  const odd = scenario.search.length > 0 ? 'a search' : scenario.cells.length > 0 ? 'a matrix' : undefined;
  if (odd)
    throw new UserError(
      'ab-scenario',
      `The scenario "${scenario.name}" has ${odd}, and ab compares trials that are all alike. Choose one ` +
        'without, or take it out.',
      exitCodes.usage,
    );
}

function sideOf({ name, commit }: Arm, plan: RunPlan, options: AbOptions): Result {
  const result = newResult(plan, options);
  return {
    ...result,
    arm: name,
    order: { design: 'balanced-blocks', seed: plan.scenario.seed },
    environment: { ...result.environment, ...(commit !== undefined && { commit }) },
  };
}
