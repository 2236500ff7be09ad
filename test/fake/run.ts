// Runs a scenario over the fake pattern, in virtual time.

import type { Completed, Result } from '../../core/result/result.ts';
import { parseScenario } from '../../core/scenario/scenario-file.ts';
import { prepare, run, type RunOptions } from '../../harness/run/run.ts';
import { fakeFleet, type FakeFleet } from './fleet.ts';
import { withFake } from './pattern.ts';

const base = `
question: Does the pipe report what the script says?
subscribers: 100
topics:
  news: { publish: 10/s }
phases: { connect: 1s, warmup: 1s, measure: 20s, drain: 3s }
`;

/** @param yaml what the scenario has besides 100 subscribers, 10 events a second and 20 s to measure */
export async function runFake(
  yaml: string,
  {
    fleet = fakeFleet(),
    signal = new AbortController().signal,
    overrides = [],
    ...more
  }: Partial<RunOptions> & { fleet?: FakeFleet; overrides?: string[] } = {},
): Promise<{ result: Result; fleet: FakeFleet }> {
  const { scenario, source } = parseScenario(base + yaml, {
    file: 'fake.yaml',
    registry: withFake,
    overrides,
  });
  const options: RunOptions = {
    registry: withFake,
    folder: '.',
    source,
    command: 'test',
    observer: { trialStarted() {}, progress() {}, trialEnded() {} },
    fleet,
    signal,
    ...more,
  };
  const result = await run(prepare(scenario, options), options);
  return { result, fleet };
}

/** A trial that went through. @throws Error with its message where it failed */
export function completed(result: Result, trial = 0): Completed {
  const { outcome } = result.trials[trial]!;
  if (outcome.status !== 'completed') throw new Error(outcome.message);
  return outcome;
}
