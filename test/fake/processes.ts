// Holds scripted processes under the names of the real ones, for cli.ts to put in their place.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TrialFailure } from '../../harness/process/peer.ts';
import type { Fleet, Pinned } from '../../harness/trial/fleet.ts';
import { fakeFleet } from './fleet.ts';

export const processes: Fleet = fakeFleet();
export const processesOn = (pinned: Pinned): Fleet => ({ ...processes, pinned });

/**
 * A server that a command starts holds every event back for as long as the file says that the command runs.
 */
export function commandFleet(fleet: Fleet, _target: unknown, command: string, cwd = '.'): Fleet {
  const file = join(cwd, command.split(' ').at(-1)!); // a split has at least one part
  const [, heldMs] = /heldMs = (\d+)/.exec(readFileSync(file, 'utf8')) ?? [];
  if (heldMs === undefined)
    return { ...fleet, server: () => Object.assign(fleet.server(), { broken: neverStarted() }) };
  return { ...fleet, injection: { delayMs: Number(heldMs) } };
}

/** What becomes of a command that ends at once. */
function neverStarted(): Promise<never> {
  const broken = Promise.reject<never>(new TrialFailure('start', 'The command ended (exit code 1).'));
  broken.catch(() => {}); // it is awaited only by those who wait for something
  return broken;
}
