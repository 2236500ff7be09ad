// Plans the cells of a matrix: each is a plan of its own, under which every variant is measured. A scenario
// without a matrix is a single cell without parameters. The order of trials is run.ts.

import { cellText } from '../../core/scenario/matrix.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Environment, Trial } from '../../core/result/result.ts';
import type { Scenario, ScenarioCell } from '../../core/scenario/scenario.ts';
import type { TrialPlan } from './plan.ts';

/** What one trial is: a variant under a plan. */
export type Step = { plan: TrialPlan; variant: Variant; cell: Trial['cell'] };
/** The plan of the scenario as its file stands, and what its trials run. */
export type RunPlan = TrialPlan & {
  environment: Environment;
  steps: Step[];
  planOf(scenario: Scenario): TrialPlan;
};

/** The variants of each cell; `plan` plans one scenario. */
export function planSteps(
  scenario: Scenario,
  whole: TrialPlan,
  plan: (scenario: Scenario) => TrialPlan,
): Step[] {
  if (scenario.cells.length === 0)
    return scenario.variants.map((variant) => ({ plan: whole, variant, cell: undefined }));
  return scenario.cells.flatMap((cell) => {
    const planned = plan(cell.scenario);
    return scenario.variants.map((variant) => stepOf(cell, variant, planned));
  });
}

export function stepOf(
  { parameters, scenario: { subscribers } }: ScenarioCell,
  variant: Variant,
  plan: TrialPlan,
): Step {
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
