// Finds where a server of each pattern becomes too slow, by the same search over the rate of events in a run
// and in a simulation.

import { scheduleOf } from '../../../core/plan/schedule.ts';
import type { Profile } from '../../../core/profile/profile.ts';
import type { Result } from '../../../core/result/result.ts';
import { prepareSimulated } from '../../../harness/run/prepare-simulated.ts';
import { prepare, run, runSimulated } from '../../../harness/run/run.ts';
import type { Simulation } from '../../../harness/run/run-options.ts';
import { sourcesIn } from '../../../harness/plan/sources.ts';
import { modelVersion } from '../../../simulation/model.ts';
import { models } from '../../../simulation/registry.ts';
import { simulateTrial } from '../../../simulation/simulate.ts';
import { quietRun } from '../../run-options.ts';
import type { Bench } from './bench.ts';
import type { Limit } from '../../../core/scenario/search.ts';
import { parsed } from './predict.ts';

export const kneePatterns = ['long-polling', 'http-stream', 'sse', 'websocket'] as const;
export const kneeSubscribers = 100;
/** What must hold; above it latencies rise so steeply that another bound gives nearly the same rate. */
export const kneeBound = 'latency.p90 < 100ms';

/** In a run a step takes about ten seconds, in a simulation hardly any time. */
type Steps = { factor: number; refine: number };
const measured: Steps = { factor: 1.5, refine: 2 };
const quickSteps: Steps = { factor: 4, refine: 0 };
const simulated: Steps = { factor: 1.5, refine: 5 };

function scenarioText(pattern: string, { factor, refine }: Steps): string {
  return `question: How many events a second does ${pattern} carry?
seed: 501
subscribers: ${kneeSubscribers}
topics: { news: { publish: 200/s } }
payload: 256B
phases: { connect: 1s, warmup: 1s, measure: 4s, drain: 3s }
variants: [${pattern}]
search: [{ what: topics.news.publish, from: 200/s, factor: ${factor}, refine: ${refine}, keep: ${kneeBound} }]
`;
}

/** @returns what the search found, and why its last step says nothing, if so */
export async function measuredKnee(
  pattern: string,
  { fleet, machine }: Pick<Bench, 'fleet' | 'machine'>,
  quick: boolean,
): Promise<{ limit: Limit; why: string }> {
  const { scenario, source } = parsed(scenarioText(pattern, quick ? quickSteps : measured));
  const options = { ...quietRun(source, 'npm run validate'), fleet, machine };
  return foundIn(await run(prepare(scenario, options), options));
}

export async function simulatedKnee(profile: Profile, pattern: string): Promise<Limit> {
  const { scenario, source } = parsed(scenarioText(pattern, simulated));
  const options = quietRun(source, 'npm run validate');
  const plan = prepareSimulated(scenario, options, profile.environment, 'groups');
  const { name, createdAt, pushbench } = profile;
  const simulation: Simulation = {
    of: { profile: { name, createdAt, pushbench }, model: modelVersion, leftOut: [] },
    trial: async (one, variant, repetition) => {
      const schedule = scheduleOf(one, sourcesIn('.'));
      const asked = { scenario: one, variant, repetition, schedule, profile, clients: 'groups' } as const;
      return simulateTrial(asked, models, new Date());
    },
  };
  return foundIn(await runSimulated(plan, options, simulation)).limit;
}

/** @throws Error where the run failed */
function foundIn({ state, searches }: Pick<Result, 'state' | 'searches'>): { limit: Limit; why: string } {
  if (state.kind === 'failed') throw new Error(state.why);
  const [found] = searches ?? [];
  if (!found) throw new Error('the search was not begun');
  return { limit: found.limit, why: found.steps.at(-1)?.why ?? '' };
}
