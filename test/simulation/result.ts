// Results that were simulated by the models of tests, for what reads results.

import { patterns } from '../../core/pattern/registry.ts';
import type { Result } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import { prepareSimulated } from '../../harness/run/prepare-simulated.ts';
import { runSimulated } from '../../harness/run/run.ts';
import { scheduleOf } from '../../core/plan/schedule.ts';
import { sourcesIn } from '../../harness/plan/sources.ts';
import { modelVersion, type ModelRegistry, type Simulated } from '../../simulation/model.ts';
import { simulateTrial } from '../../simulation/simulate.ts';
import { steps } from './model.ts';
import { testProfile } from './profile.ts';

export const smallScenario = `question: How late is a dashboard?
subscribers: 100
topics: { news: { publish: 20/s } }
phases: { connect: 1s, warmup: 1s, measure: 60s, drain: 1s }
variants: [sse, websocket]
expect: [missed == 0, latency.p50 < 53ms, errors == 0]
`;

export type SimulatedOptions = {
  source?: string;
  overrides?: readonly string[];
  more?: Partial<Omit<Simulated, 'latency'>>;
};

/** Every pattern takes the steps of the test's model. */
export async function simulatedResult({
  source = smallScenario,
  overrides = [],
  more = {},
}: SimulatedOptions = {}): Promise<Result> {
  const parsed = parseScenario(source, {
    file: 'small.yaml',
    registry: patterns,
    overrides,
    simulated: true,
  });
  const models: ModelRegistry = Object.fromEntries(
    Object.keys(patterns).map((pattern) => [pattern, (input) => steps(input, more)]),
  );
  const options = { registry: patterns, folder: '.', source: parsed.source };
  const plan = prepareSimulated(parsed.scenario, options, testProfile.environment, 'groups');
  const observer = { trialStarted() {}, progress() {}, trialEnded() {} };
  const { signal } = new AbortController();
  const { name, createdAt, pushbench } = testProfile;
  const result = await runSimulated(
    plan,
    { ...options, command: 'pushbench simulate ./small.yaml', observer, signal },
    {
      of: {
        profile: { name, createdAt, pushbench },
        model: modelVersion,
        leftOut: [{ variant: 'webhook', reason: 'there is no model of this pattern' }],
      },
      trial: async (scenario, variant, repetition) =>
        simulateTrial(
          {
            scenario,
            variant,
            repetition,
            profile: testProfile,
            clients: 'groups',
            schedule: scheduleOf(scenario, sourcesIn('.')),
          },
          models,
          new Date('2026-02-03T04:05:06Z'),
        ),
    },
  );
  return { ...result, createdAt: '2026-02-03T04:05:06.000Z' };
}
