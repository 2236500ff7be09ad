// Runs a scenario, or simulates it, for another program: it prints nothing, writes no file, never ends the
// process and takes no signals.

import { patterns } from '../core/pattern/registry.ts';
import { parseInjection } from '../core/scenario/injection.ts';
import { prepare, run as runAll, runSimulated, type RunOptions } from '../harness/run/run.ts';
import { prepareSimulated } from '../harness/run/prepare-simulated.ts';
import { processes } from '../harness/trial/fleet.ts';
import { withTargets } from '../harness/target/variants.ts';
import { UserError } from '../core/base/errors.ts';
import { quoted } from '../core/base/quoted.ts';
import { overridesOf, scenarioOf, targetsOf, type Changes, type FileContents } from './inputs.ts';
import { outcomeOf, type Outcome } from './outcome.ts';
import { openProfile } from './profiles.ts';
import { observerOf, type Progress } from './progress.ts';
import { simulatedPart, simulationBy } from './simulated-part.ts';
import { openSimulator } from './simulator.ts';

type Common = {
  /** Name of a shipped scenario, path of a YAML file, or the content of such a file. */
  scenario: string | FileContents;
  /** Values to change in it, by their paths: `{ 'phases.measure': '2s', subscribers: 20 }`. */
  set?: Changes;
  /** Ends the run; then the promise is rejected with its reason, once everything is cleaned up. */
  signal?: AbortSignal;
  /** Called when trials begin, continue and end. */
  onProgress?: (progress: Progress) => void;
};

export type RunInput = Common & {
  /** Paths or contents of target files: systems of yours to run the scenario against. */
  target?: string | FileContents | readonly (string | FileContents)[];
  /** Whether our own servers run too; by default only without a target. */
  reference?: boolean;
  /** Makes our servers worse on purpose, as `--inject` does: `delay=5ms,loss=0.1%`. */
  inject?: string;
};

export type SimulateInput = Common & {
  /** How long is simulated, such as `24h`: the same as `phases.measure`. */
  for?: string;
  /** Name of a shipped profile, or path of one that `pushbench calibrate` wrote. */
  profile?: string;
  /** Computes each client separately, instead of identical ones together. */
  oneByOne?: boolean;
};

/**
 * Runs a scenario with real processes on this machine.
 * @throws UserError if the scenario, the target or the machine does not fit; `code` is for programs
 */
export async function run({
  scenario: given,
  set = {},
  target,
  reference = target === undefined,
  inject,
  signal = new AbortController().signal,
  onProgress,
}: RunInput): Promise<Outcome> {
  signal.throwIfAborted();
  const { scenario: written, source, folder } = scenarioOf(given, set);
  const targets = targetsOf(target);
  if (!reference && targets.length === 0)
    throw new UserError('no-target', 'With reference: false nothing is left to run: give a target too.');
  if (!reference && inject !== undefined)
    throw new UserError(
      'inject',
      'inject alters our own servers, and with reference: false none of them runs. Leave one of the two out.',
    );
  const { scenario, leftOut } = withTargets(written, patterns, targets, reference);
  const options: RunOptions = {
    registry: patterns,
    folder,
    source,
    command: commandOf('run', given, set),
    observer: observerOf(onProgress),
    signal,
    targets,
    leftOut,
    fleet: inject === undefined ? processes : { ...processes, injection: parseInjection(inject) },
  };
  const result = await runAll(prepare(scenario, options), options);
  signal.throwIfAborted();
  return outcomeOf(result);
}

/**
 * Simulates a scenario in virtual time, in a thread of its own.
 * @throws UserError if it cannot be simulated, or an input is wrong
 */
export async function simulate({
  scenario: given,
  set = {},
  for: span,
  profile: profileName,
  oneByOne = false,
  signal = new AbortController().signal,
  onProgress,
}: SimulateInput): Promise<Outcome> {
  signal.throwIfAborted();
  const changes = { ...set, ...(span !== undefined && { 'phases.measure': span }) };
  const { scenario: written, source, folder } = scenarioOf(given, changes, { simulated: true });
  const profile = openProfile(profileName);
  const { scenario, leftOut } = simulatedPart(written, profile);
  const options: RunOptions = {
    registry: patterns,
    folder,
    source,
    command: commandOf('simulate', given, changes),
    observer: observerOf(onProgress),
    signal,
  };
  const clients = oneByOne ? 'one-by-one' : 'groups';
  const plan = prepareSimulated(scenario, options, profile.environment, clients);
  const simulator = openSimulator();
  try {
    const simulation = simulationBy(simulator, { profile, folder, clients, leftOut });
    const result = await runSimulated(plan, options, simulation);
    signal.throwIfAborted();
    return outcomeOf(result);
  } finally {
    await simulator.close();
  }
}

/** The command that does the same if the scenario has a name; otherwise a note that a program called it. */
function commandOf(command: 'run' | 'simulate', given: string | FileContents, set: Changes): string {
  if (typeof given !== 'string') return `${command}() of the package pushbench, with the scenario below`;
  const words = overridesOf(set).flatMap((one) => ['--set', quoted(one)]);
  return ['pushbench', command, quoted(given), ...words].join(' ');
}
