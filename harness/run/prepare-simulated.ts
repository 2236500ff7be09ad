// Prepares a scenario whose trials are simulated: plans them like trials that run, but holds no schedule and
// makes no demands on this machine, as nothing starts on it. Refuses those of which more would be held than
// fits into memory.

import { UserError } from '../../core/base/errors.ts';
import { formatNumber } from '../../core/base/units.ts';
import { maxEvents } from '../../core/plan/trace.ts';
import { trafficAhead, trafficNotes, type Traffic } from '../../core/plan/traffic.ts';
import type { Environment } from '../../core/result/result.ts';
import type { SimulatedTrial } from '../../core/result/simulated.ts';
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
 * @throws UserError as `trafficAhead`, and `schedule-too-large` where the simulation holds all events, or all
 *   deliveries, and there are more than `maxEvents`
 */
export function prepareSimulated(
  scenario: Scenario,
  { registry, folder, source }: Pick<RunOptions, 'registry' | 'folder' | 'source'>,
  environment: Environment,
  clients: SimulatedTrial['clients'],
): RunPlan<PlannedTrial> {
  const sources = sourcesIn(folder);
  const planOf = (one: Scenario): PlannedTrial => {
    const topics = planTopics(one);
    const traffic = trafficAhead(one, sources);
    refuseHeld(one, traffic, clients);
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

/** Steady traffic is computed event by event. With faults clients come back for earlier events. */
function refuseHeld(
  { faults }: Pick<Scenario, 'faults'>,
  { events, deliveries }: Pick<Traffic, 'events' | 'deliveries'>,
  clients: SimulatedTrial['clients'],
): void {
  const refuse = (held: string, count: number, next: string) => {
    if (count <= maxEvents) return;
    throw new UserError(
      'schedule-too-large',
      `${held}, and the measured phase has ${formatNumber(count)} of them, where at most ` +
        `${formatNumber(maxEvents)} can be held: publish less often, shorten phases.measure (--for), ` +
        `or ${next}`,
    );
  };
  if (clients === 'one-by-one')
    refuse('a simulation one by one holds all deliveries', deliveries, 'leave out --one-by-one');
  if (faults.length > 0)
    refuse('a simulation with faults holds all events', events, "leave the faults out (--set 'faults=[]')");
}
