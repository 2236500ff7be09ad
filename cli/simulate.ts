// Implements `pushbench simulate`: computes a scenario in virtual time from a profile, and writes the same
// result and report as a run, marked as simulated.

import { UserError, type ExitCode } from '../core/base/errors.ts';
import { patterns } from '../core/pattern/registry.ts';
import { fullName } from '../core/pattern/variant.ts';
import type { Profile } from '../core/profile/profile.ts';
import { variantsCalled } from '../core/scenario/expectations.ts';
import type { Result } from '../core/result/result.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import { prepareSimulated } from '../harness/run/prepare-simulated.ts';
import { runSimulated, type Simulation } from '../harness/run/run.ts';
import { createRunFolder, requireWritable } from '../harness/run/store.ts';
import { models } from '../simulation/registry.ts';
import { modelVersion } from '../simulation/model.ts';
import { leftOutOf, obstaclesTo, whyNotSimulated } from '../simulation/refusals.ts';
import { createLiveView, liveMode } from './live.ts';
import { openProfile } from './profiles.ts';
import { quoted } from './quoted.ts';
import { endAtLimit, runInto, scheduleNotes, type RunFlags } from './run.ts';
import { openScenario } from './scenarios.ts';
import { onSignals } from './signals.ts';
import { openSimulator } from './simulator.ts';

export type SimulateFlags = Omit<RunFlags, 'target' | 'reference' | 'inject'> & {
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
  const plan = prepareSimulated(scenario, { registry: patterns, folder, source }, profile.environment);
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
  const simulation: Simulation = {
    of: {
      profile: { name: profile.name, createdAt: profile.createdAt, pushbench: profile.pushbench },
      model: modelVersion,
      leftOut,
    },
    trial: (own, variant, repetition, signal, computed) =>
      simulator.simulate({ scenario: own, variant, repetition, folder, profile, clients }, signal, computed),
  };
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

/**
 * The scenario without what is not simulated, and the variants that are not.
 * @throws UserError `not-simulated` with all that stands in the way
 */
function simulatedPart(
  written: Scenario,
  profile: Profile,
): { scenario: Scenario; leftOut: { variant: string; reason: string }[] } {
  const asked = written.cells.length > 0 ? written.cells.map((cell) => cell.scenario) : [written];
  const obstacles = [...new Set(asked.flatMap((one) => obstaclesTo(one, profile)))];
  if (obstacles.length > 0)
    throw new UserError(
      'not-simulated',
      [`The scenario ${written.name} cannot be simulated:`, ...obstacles].join('\n'),
    );
  const reasons = written.variants.map((variant) =>
    asked
      .map((one) => whyNotSimulated(variant, one, models, profile, patterns))
      .find((reason) => reason !== undefined),
  );
  const leftOut = written.variants.flatMap((variant, i) => {
    const reason = reasons[i];
    return reason === undefined ? [] : [{ variant: fullName(variant), reason }];
  });
  const variants = written.variants.filter((_, i) => reasons[i] === undefined);
  if (variants.length === 0)
    throw new UserError(
      'not-simulated',
      [
        `No variant of the scenario ${written.name} can be simulated:`,
        ...leftOut.map(({ variant, reason }) => `${variant}: ${reason}`),
      ].join('\n'),
    );
  const expect = expectedOf(written.expect, variants);
  const part = (one: Scenario): Scenario => ({ ...one, variants, expect, closedLoop: undefined });
  const cells = written.cells.map((cell) => ({ ...cell, scenario: part(cell.scenario) }));
  return { scenario: { ...part(written), cells }, leftOut };
}

/** The expectations without the variants that are left out, as the lines above say. */
function expectedOf(expect: Scenario['expect'], variants: Scenario['variants']): Scenario['expect'] {
  const isThere = (name: string) => variantsCalled(name, variants).length > 0;
  return expect.flatMap((one) => {
    if (!one.for) return [one];
    const names = one.for.filter(isThere);
    return names.length === 0 ? [] : [{ ...one, for: names }];
  });
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
