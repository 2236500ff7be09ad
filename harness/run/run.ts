// Runs every variant's trials one after another, and makes the result that holds them.

import { messageOf, UserError } from '../../core/base/errors.ts';
import { checkExpectations, type TrialOrPlan } from '../../core/scenario/expectations.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Result, Trial } from '../../core/result/result.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { mostTrials } from '../../core/scenario/search.ts';
import { timeLeftMs, trialMs } from '../../core/scenario/trial-time.ts';
import { refuseLargeBodies } from '../plan/body-limit.ts';
import { planSteps, type RunPlan } from '../plan/cells.ts';
import type { RunOptions, Simulation } from './run-options.ts';
import { openInChromium } from './chromium.ts';
import { sourcesIn } from '../plan/sources.ts';
import { readEnvironment } from './environment.ts';
import { isInterleaved, newResult, repetitionsOf } from './new-result.ts';
import { processes } from '../trial/fleet.ts';
import { balancedBlocks } from '../plan/order.ts';
import { TrialFailure } from '../process/peer.ts';
import { planTrial, type PlannedTrial } from '../plan/plan.ts';
import { thisMachine, usableCores } from './machine.ts';
import { programsOf, sharedCores } from './cluster-room.ts';
import { machineNotes, mostNeeded } from './machine-notes.ts';
import { loadProcessCount, preflight } from './preflight.ts';
import { saturate } from './saturate.ts';
import { planFirstSteps, searchTrials, type Turn } from './search.ts';
import { targetFleet } from '../target/target-peer.ts';
import { connectionsEach } from '../target/variants.ts';
import { watchStart } from '../trial/start.ts';
import { runTrial } from '../trial/trial.ts';

export type { RunObserver, RunOptions, Simulation } from './run-options.ts';

/**
 * Checks the machine, reads what the scenario refers to and plans the trials; nothing is started.
 * @throws UserError with everything that is in the way
 */
export function prepare(
  scenario: Scenario,
  { registry, folder, source, machine = thisMachine(), targets = [], fleet = processes, workers }: RunOptions,
): RunPlan {
  const planOf = (one: Scenario) => {
    const each = connectionsEach(scenario, targets);
    preflight({ ...one, subscribers: one.subscribers * each }, registry, machine, workers);
    const loads = Math.min(workers?.count ?? loadProcessCount(one, registry, machine), one.subscribers);
    const plan = planTrial(one, loads, sourcesIn(folder), {
      ...machine,
      besideTargets: targets.length > 0,
      connectionsEach: each,
    });
    refuseLargeBodies(plan, registry);
    const shared = sharedCores(one, workers === undefined ? loads : 0, usableCores(machine));
    return { ...plan, notes: [...plan.notes, ...shared] };
  };
  const whole = planOf(scenario);
  if (scenario.search.length > 0) planFirstSteps(scenario, registry, source, planOf);
  const steps = planSteps(scenario, whole, planOf);
  const notes = machineNotes(machine, mostNeeded(scenario, steps));
  // Read here, where a signal may end the process at once: git can take its time.
  const environment = readEnvironment(machine, programsOf(steps, fleet));
  return { ...whole, environment, machineNotes: notes, steps, planOf };
}

/**
 * Runs all trials of a prepared scenario.
 * @returns the result, which says how the run ended: it may have been interrupted, or failed outside of its
 *   trials
 */
export function run(plan: RunPlan, options: RunOptions): Promise<Result> {
  const { observer, signal, fleet = processes, targets = [] } = options;
  const fleetFor = ({ target: name }: Variant) => {
    const target = targets.find((one) => one.name === name);
    return target ? targetFleet(fleet, target) : fleet;
  };
  return runTurns(plan, options, newResult(plan, options), async ({ plan: own, variant, repetition }) => {
    const start = watchStart(observer.progress);
    const trial = await runTrial(own, variant, repetition, fleetFor(variant), start.report, signal);
    const unstarted = start.problem(variant.label, trial);
    return { trial, ...(unstarted && { unstarted }) };
  });
}

/** Simulates all trials of a prepared scenario, as `run` runs them. */
export function runSimulated(
  plan: RunPlan<PlannedTrial>,
  options: RunOptions,
  simulation: Simulation,
): Promise<Result> {
  const { observer, signal } = options;
  const result = newResult(plan, options, simulation.of);
  return runTurns(plan, options, result, async ({ plan: own, variant, repetition }) => ({
    trial: await simulation.trial(own.scenario, variant, repetition, signal, (share) =>
      observer.computed?.(share),
    ),
  }));
}

type Made = {
  trial: Trial;
  /** Why it did not start, and no other will. */
  unstarted?: UserError;
};

/** @param first the result before its first trial */
async function runTurns<P extends PlannedTrial>(
  plan: RunPlan<P>,
  { registry, observer, signal, fleet = processes, save, source }: RunOptions,
  first: Result,
  make: (turn: Turn<P>) => Promise<Made>,
): Promise<Result> {
  const { scenario } = plan;
  const searches: NonNullable<Result['searches']> = [];
  const searching = scenario.search.length > 0;
  const turns = searching ? searchTrials(plan, registry, source, searches) : fixedTrials(plan);
  const total = searching
    ? scenario.variants.length * scenario.search.reduce((sum, search) => sum + mostTrials(search), 0)
    : plan.steps.length * scenario.repeat;
  const result: Result = { ...first, ...(searching && { searches }) };
  const plannedMs = searching ? [] : turnsOf(plan).map((turn) => trialMs(turn.plan.scenario.phases));
  const tookMs: number[] = [];
  const places = new Map(plan.steps.map(({ variant }, i) => [variant.label, i]));
  const check = () => {
    result.expectations = checkExpectations(
      scenario,
      searching ? result.trials : withMissing(plan, result.trials),
    );
  };
  check();
  save?.(result);
  for (let turn = turns.next(), i = 1; !turn.done; i++) {
    const { plan: own, variant, cell } = turn.value;
    observer.trialStarted(
      variant,
      i,
      Math.max(i, total),
      own.scenario.subscribers,
      ...(searching ? [] : [timeLeftMs(plannedMs, tookMs)]),
    );
    const fromMs = performance.now();
    let unstarted: UserError | undefined;
    try {
      const made = await make(turn.value);
      const trial: Trial = { ...made.trial, ...(cell && { cell }) };
      tookMs.push(performance.now() - fromMs);
      result.trials.push(trial);
      // The list keeps the scenario's order, in whatever order the trials ran.
      if (!searching)
        result.trials.sort(
          (a, b) =>
            a.repetition - b.repetition ||
            (places.get(a.variant.label) ?? 0) - (places.get(b.variant.label) ?? 0),
        );
      observer.trialEnded(trial);
      unstarted = made.unstarted;
      if (!unstarted) turn = turns.next(trial);
    } catch (error) {
      if (!signal.aborted) throw error;
      return { ...result, state: endedBy(signal.reason) };
    }
    check();
    save?.(result);
    if (unstarted) return { ...result, state: { kind: 'failed', why: unstarted.message.split('\n', 1)[0]! } };
  }
  try {
    const { afterwards = [] } = first.planned ?? {};
    if (scenario.closedLoop && afterwards.includes('closedLoop'))
      result.closedLoop = await saturate(scenario.closedLoop, fleet, signal);
    const { chromium = [] } = scenario.browser ?? {};
    if (afterwards.includes('chromium'))
      result.chromium = await openInChromium(chromium, scenario, registry, fleet, signal);
  } catch (error) {
    if (!signal.aborted && !(error instanceof TrialFailure)) throw error;
    return { ...result, state: endedBy(signal.aborted ? signal.reason : error) };
  }
  return { ...result, state: { kind: 'finished' } };
}

/** The state of a result whose run was aborted, by the signal's reason, or failed. */
export function endedBy(reason: unknown): Exclude<Result['state'], { kind: 'finished' | 'unfinished' }> {
  return reason instanceof UserError || reason instanceof TrialFailure
    ? { kind: 'failed', why: reason.message }
    : { kind: 'interrupted', by: messageOf(reason) };
}

/** Every planned trial, measured or not. */
function withMissing({ scenario, steps }: RunPlan<PlannedTrial>, trials: readonly Trial[]): TrialOrPlan[] {
  const key = ({ variant, repetition }: TrialOrPlan) => `${repetition} ${variant.label}`;
  const there = new Map(trials.map((trial) => [key(trial), trial]));
  return repetitionsOf(scenario).flatMap((repetition) =>
    steps.map(({ variant, cell }) => {
      const planned = { variant, repetition, ...(cell && { cell }) };
      return there.get(key(planned)) ?? planned;
    }),
  );
}

/** Every variant of every cell, as often as the scenario says. */
function* fixedTrials<P extends PlannedTrial>(plan: RunPlan<P>): Generator<Turn<P>, void, Trial> {
  yield* turnsOf(plan);
}

/** The trials of a scenario without a search, in the order in which they run. */
function turnsOf<P extends PlannedTrial>(plan: RunPlan<P>): Turn<P>[] {
  const { scenario, steps } = plan;
  const blocks = isInterleaved(plan)
    ? balancedBlocks(steps.length, scenario.repeat, scenario.seed)
    : Array.from({ length: scenario.repeat }, () => steps.keys());
  return [...blocks].flatMap((order, block) =>
    [...order].map((place) => ({ ...steps[place]!, repetition: block + 1 })),
  );
}
