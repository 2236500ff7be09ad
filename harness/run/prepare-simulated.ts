// Prepares a scenario whose trials are simulated: plans them as those that are run, and asks nothing of this
// machine, as nothing is started on it.

import type { Environment } from '../../core/result/result.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { planSteps, type RunPlan } from '../plan/cells.ts';
import { planTrial } from '../plan/plan.ts';
import { sourcesIn } from '../plan/sources.ts';
import type { RunOptions } from './run-options.ts';
import { planFirstSteps } from './search.ts';

/**
 * @param environment of the machine that is simulated
 * @throws UserError as `planTrial`
 */
export function prepareSimulated(
  scenario: Scenario,
  { registry, folder, source }: Pick<RunOptions, 'registry' | 'folder' | 'source'>,
  environment: Environment,
): RunPlan {
  const planOf = (one: Scenario) => planTrial(one, 1, sourcesIn(folder), { cores: environment.cores });
  const whole = planOf(scenario);
  if (scenario.search.length > 0) planFirstSteps(scenario, registry, source, planOf);
  const steps = planSteps(scenario, whole, planOf);
  return { ...whole, environment, machineNotes: [], steps, planOf };
}
