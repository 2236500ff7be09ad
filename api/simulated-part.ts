// Decides what of a scenario is simulated, and has a simulator make its trials.

import { UserError } from '../core/base/errors.ts';
import { patterns } from '../core/pattern/registry.ts';
import { fullName } from '../core/pattern/variant.ts';
import type { Profile } from '../core/profile/profile.ts';
import { variantsCalled } from '../core/scenario/expectations.ts';
import type { Scenario } from '../core/scenario/scenario.ts';
import type { Simulation } from '../harness/run/run.ts';
import { modelVersion } from '../simulation/model.ts';
import { obstaclesTo, whyNotSimulated } from '../simulation/refusals.ts';
import { models } from '../simulation/registry.ts';
import type { Simulator } from './simulator.ts';
import type { Asked } from './simulator-thread.ts';

type LeftOut = { variant: string; reason: string };

/** @param leftOut the variants that no model simulates, for the result */
export function simulationBy(
  simulator: Simulator,
  { leftOut, ...own }: Pick<Asked, 'profile' | 'folder' | 'clients'> & { leftOut: LeftOut[] },
): Simulation {
  const { name, createdAt, pushbench } = own.profile;
  return {
    of: { profile: { name, createdAt, pushbench }, model: modelVersion, leftOut },
    trial: (scenario, variant, repetition, signal, computed) =>
      simulator.simulate({ ...own, scenario, variant, repetition }, signal, computed),
  };
}

/**
 * The part of the scenario that can be simulated, and the variants that cannot.
 * @throws UserError `not-simulated` with all that stands in the way
 */
export function simulatedPart(
  written: Scenario,
  profile: Profile,
): { scenario: Scenario; leftOut: LeftOut[] } {
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
  const part = (one: Scenario): Scenario => ({ ...one, variants, expect });
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
