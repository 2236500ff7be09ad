// Prepares a scenario whose trials are simulated: plans them like trials that run, but holds no schedule and
// makes no demands on this machine, as nothing starts on it.

import { trafficAhead, trafficNotes } from '../../core/plan/traffic.ts';
import type { Environment } from '../../core/result/result.ts';
import { frontNotes } from '../../core/scenario/front-notes.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { planTopics, topicCount } from '../../core/scenario/topics.ts';
import { planSteps, type RunPlan } from '../plan/cells.ts';
import type { PlannedTrial } from '../plan/plan.ts';
import { sourcesIn } from '../plan/sources.ts';
import type { RunOptions } from './run-options.ts';
import { planFirstSteps } from './search.ts';

/**
 * @param environment of the machine that is simulated
 * @throws UserError as `trafficAhead`
 */
export function prepareSimulated(
  scenario: Scenario,
  { registry, folder, source }: Pick<RunOptions, 'registry' | 'folder' | 'source'>,
  environment: Environment,
): RunPlan<PlannedTrial> {
  const sources = sourcesIn(folder);
  const planOf = (one: Scenario): PlannedTrial => {
    const topics = planTopics(one);
    const traffic = trafficAhead(one, sources);
    const { events, deliveries } = traffic;
    return {
      scenario: one,
      topics,
      topicTotal: topicCount(topics),
      besideTargets: false,
      events,
      deliveries,
      notes: [...trafficNotes(traffic), ...frontNotes(one)],
    };
  };
  const whole = planOf(scenario);
  if (scenario.search.length > 0) planFirstSteps(scenario, registry, source, planOf);
  const steps = planSteps(scenario, whole, planOf);
  return { ...whole, environment, machineNotes: [], steps, planOf };
}
