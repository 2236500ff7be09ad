// Plans the cells of a matrix: each is a plan of its own, under which every variant is measured. A scenario
// without a matrix is a single cell without parameters. The order of trials is run.ts.

import { UserError } from '../../core/base/errors.ts';
import { cellText, type Parameters } from '../../core/scenario/matrix.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Environment, Trial } from '../../core/result/result.ts';
import type { Scenario, ScenarioCell } from '../../core/scenario/scenario.ts';
import type { Sources } from '../../core/plan/schedule.ts';
import { planTraffic, type Traffic } from '../../core/plan/traffic.ts';
import type { PlannedTrial, TrialPlan } from './plan.ts';

/** What one trial is: a variant under a plan. */
export type Step<P extends PlannedTrial = TrialPlan> = { plan: P; variant: Variant; cell: Trial['cell'] };
/** The plan of the scenario as its file stands, and what its trials run. */
export type RunPlan<P extends PlannedTrial = TrialPlan> = P & {
  environment: Environment;
  /** What to know of this machine before the run, a sentence each. */
  machineNotes: string[];
  steps: Step<P>[];
  planOf(scenario: Scenario): P;
};

/** The variants of each cell; `plan` plans one scenario. */
export function planSteps<P extends PlannedTrial>(
  scenario: Scenario,
  whole: P,
  plan: (scenario: Scenario) => P,
): Step<P>[] {
  if (scenario.cells.length === 0)
    return scenario.variants.map((variant) => ({ plan: whole, variant, cell: undefined }));
  return scenario.cells.flatMap((cell) => {
    const planned = saying(`in the cell ${cellText(cell.parameters)}: `, () => plan(cell.scenario));
    return scenario.variants.map((variant) => stepOf(cell, variant, planned));
  });
}

/**
 * Puts before a problem's message which part of a run it is about.
 * @throws UserError what `work` throws, with its message after `where`
 */
export function saying<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, where + error.message, error.exitCode);
  }
}

export function stepOf<P extends PlannedTrial>(
  { parameters, scenario: { subscribers } }: ScenarioCell,
  variant: Variant,
  plan: P,
): Step<P> {
  return {
    plan,
    // A label of its own, so that whatever groups trials by their labels keeps cells apart.
    variant: { ...variant, label: `${variant.label}, ${cellText(parameters)}` },
    cell: {
      variant: variant.label,
      parameters,
      subscribers,
      events: plan.events,
      deliveries: plan.deliveries,
    },
  };
}

/** What a run would publish: under the scenario as its file stands, and in each of its cells. */
export type Forecast = { whole: Traffic; cells: { parameters: Parameters; traffic: Traffic }[] };

/**
 * Plans what a run would, and keeps what the schedules come to; nothing is checked of the machine.
 * @throws UserError as `planTraffic`
 */
export function forecast(scenario: Scenario, sources: Sources): Forecast {
  const trafficIn = (one: Scenario) => planTraffic(one, sources).traffic;
  return {
    whole: trafficIn(scenario),
    cells: scenario.cells.map(({ parameters, scenario: own }) => ({
      parameters,
      traffic: saying(`in the cell ${cellText(parameters)}: `, () => trafficIn(own)),
    })),
  };
}
