// Sets up what parts need that hold simulations against reality: a profile, refused where it is of another
// machine, and processes on the cores that calibration keeps them to.

import type { Profile } from '../../../core/profile/profile.ts';
import { openProfile } from '../../../api/profiles.ts';
import { coresHere } from '../../../harness/calibrate/cores.ts';
import { keepThisProcessTo } from '../../../harness/process/child.ts';
import { readEnvironment } from '../../../harness/run/environment.ts';
import { thisMachine, usableNumbers, type Machine } from '../../../harness/run/machine.ts';
import { processes, processesOn, type Fleet } from '../../../harness/trial/fleet.ts';

export type Bench = {
  profile: Profile;
  machine: Machine;
  fleet: Fleet;
  /** Which cores the processes are kept to, as part of a sentence. */
  cores: string;
};

/**
 * @param given a profile's file or name; the only shipped one when left out
 * @throws Error where the profile is of another machine, before anything is started
 */
export async function onBench<T>(given: string | undefined, use: (bench: Bench) => Promise<T>): Promise<T> {
  const profile = openProfile(given);
  const machine = thisMachine();
  requireSameMachine(profile, readEnvironment(machine));
  const { pinned, ...unpinned } = coresHere();
  const own = usableNumbers()?.join(',');
  if (pinned) keepThisProcessTo(pinned.publisher);
  try {
    return await use({
      profile,
      machine,
      fleet: pinned ? processesOn(pinned) : processes,
      cores: pinned
        ? `servers on core ${pinned.server}, load on ${pinned.load}, publisher on ${pinned.publisher}`
        : `nothing on cores of its own, as ${'why' in unpinned ? unpinned.why : ''}`,
    });
  } finally {
    if (pinned && own !== undefined) keepThisProcessTo(own);
  }
}

/** What one machine costs says nothing of another. */
export function requireSameMachine(
  { name, environment }: Pick<Profile, 'name' | 'environment'>,
  here: Pick<Profile['environment'], 'cpu' | 'cores'>,
): void {
  if (environment.cpu === here.cpu && environment.cores === here.cores) return;
  throw new Error(
    `the profile "${name}" is of ${environment.cpu} with ${environment.cores} cores, and this is ` +
      `${here.cpu} with ${here.cores}: name one of this machine with --profile FILE (npm start -- ` +
      'calibrate --full --output FILE makes it)',
  );
}
