// Holds scripted processes under the names of the real ones, for cli.ts to put in their place.

import { readFileSync } from 'node:fs';
import type { Fleet } from '../../harness/trial/fleet.ts';
import { fakeFleet } from './fleet.ts';

export const processes: Fleet = fakeFleet();

/**
 * A server that a command starts holds every event back for as long as the file says that the command runs.
 */
export function commandFleet(fleet: Fleet, _target: unknown, command: string): Fleet {
  const file = command.split(' ').at(-1)!; // a split has at least one part
  const delayMs = Number(/heldMs = (\d+)/.exec(readFileSync(file, 'utf8'))![1]);
  return { ...fleet, injection: { delayMs } };
}
