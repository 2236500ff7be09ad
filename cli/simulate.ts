// Implements `pushbench simulate`: computes a scenario in virtual time from a profile, and writes the same
// result and report as a run, marked as simulated.

import type { ExitCode } from '../core/base/errors.ts';
import { patterns } from '../core/pattern/registry.ts';
import type { Result } from '../core/result/result.ts';
import { prepareSimulated } from '../harness/run/prepare-simulated.ts';
import { runSimulated } from '../harness/run/run.ts';
import { createRunFolder, requireWritable } from '../harness/run/store.ts';
import { leftOutOf } from '../simulation/refusals.ts';
import { createLiveView, liveMode } from './live.ts';
import { openProfile } from '../api/profiles.ts';
import { quoted } from '../core/base/quoted.ts';
import { endAtLimit, runInto, scheduleNotes, type RunFlags } from './run.ts';
import type { WorkerFlags } from './run-workers.ts';
import { openScenario } from '../api/scenarios.ts';
import { onSignals } from './signals.ts';
import { simulatedPart, simulationBy } from '../api/simulated-part.ts';
import { openSimulator } from '../api/simulator.ts';

export type SimulateFlags = Omit<RunFlags, 'target' | 'reference' | 'inject' | keyof WorkerFlags> & {
  for?: string;
  profile?: string;
  oneByOne: boolean;
};

/** @returns the exit code */
export async function simulateCommand(
  name: string,
  options: SimulateFlags & { invocation: string },
): Promise<ExitCode> {
  const set = [...options.set, ...(options.for === undefined ? [] : [`phases.measure=${options.for}`])];
  const { scenario: written, source, folder } = openScenario(name, set, { simulated: true });
  const profile = openProfile(options.profile);
  const { scenario, leftOut } = simulatedPart(written, profile);
  const clients = options.oneByOne ? 'one-by-one' : 'groups';
  const stop = new AbortController();
  const view = createLiveView(liveMode(options.quiet));
  const files = { registry: patterns, folder, source };
  const plan = prepareSimulated(scenario, files, profile.environment, clients);
  for (const { variant, reason } of leftOut) view.note(`left out: ${variant}: ${reason}`);
  for (const text of leftOutOf(written)) view.note(`left out: ${text}`);
  for (const text of scheduleNotes(plan)) view.note(`note: ${text}`);
  for (const file of [options.junit, options.markdown]) if (file !== undefined) requireWritable(file);
  let runFolder: string | undefined;
  const release = onSignals(
    stop,
    (signal) => view.note(`${signal}: ending; what was simulated before is kept.`),
    () => endAtLimit(runFolder),
  );
  const simulator = openSimulator();
  const simulation = simulationBy(simulator, { profile, folder, clients, leftOut });
  const runOptions = {
    registry: patterns,
    folder,
    source,
    command: commandOf(name, set, options),
    observer: view,
    signal: stop.signal,
  };
  const simulateAll = (save: (sofar: Result) => void) =>
    runSimulated(plan, { ...runOptions, save }, simulation);
  try {
    runFolder = createRunFolder(options.results, `${scenario.name}-simulated`, new Date());
    return await runInto(runFolder, simulateAll, { ...options, stop, view });
  } finally {
    view.close();
    release();
    await simulator.close();
  }
}

function commandOf(
  name: string,
  set: readonly string[],
  { invocation, profile, oneByOne }: Pick<SimulateFlags, 'profile' | 'oneByOne'> & { invocation: string },
): string {
  return [
    invocation,
    'simulate',
    name,
    ...set.flatMap((one) => ['--set', one]),
    ...(profile === undefined ? [] : ['--profile', profile]),
    ...(oneByOne ? ['--one-by-one'] : []),
  ]
    .map(quoted)
    .join(' ');
}
