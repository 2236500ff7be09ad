// Makes the faults of a scenario happen when they are due, and notes when each one did.

import { actsOf, type Fault, type FaultAct } from '../../core/fault/faults.ts';
import type { Role } from '../../core/fault/fault.ts';
import type { Acted, Window } from '../../core/protocol/control.ts';
import type { Peers, Stage } from './stage.ts';

/**
 * A fault, and the moment at which the harness had done its part: every process stood still, every command
 * was sent. Undefined where a process could not be stopped.
 */
export type PlayedFault = Readonly<{ fault: Fault; atUs: number | undefined }>;

/**
 * Plays all faults.
 * @returns them in the order of time, which is that of the `act` numbers in commands
 * @throws the reason of `over` when the trial is over before the last one was due
 */
export async function playFaults(stage: Stage, window: Window): Promise<PlayedFault[]> {
  const { plan, fleet, over } = stage;
  const inOrder = plan.scenario.faults.toSorted((a, b) => a.atMs - b.atMs);
  const played: Promise<PlayedFault>[] = [];
  for (const [act, fault] of inOrder.entries()) {
    await fleet.clock.until(window.fromUs + fault.atMs * 1000, over);
    played.push(play(stage, fault, act)); // not awaited: the next one may be due
  }
  return Promise.all(played);
}

async function play(stage: Stage, fault: Fault, act: number): Promise<PlayedFault> {
  const done = await Promise.all(actsOf(fault).map((one) => perform(stage, one, act)));
  return { fault, atUs: done.every(Boolean) ? stage.fleet.clock.nowUs() : undefined };
}

/** @returns whether it could be done */
async function perform({ fleet, peers, over }: Stage, one: FaultAct, act: number): Promise<boolean> {
  if (one.do === 'freeze') {
    const stopped = await Promise.all(
      pidsOf(peers, one.role).map((pid) => fleet.freeze(pid, one.forMs, over)),
    );
    return stopped.every(Boolean);
  }
  if (one.role === 'network') {
    peers.network?.send({ ...one.command, act });
    return peers.network !== undefined;
  }
  if (one.role === 'server') for (const server of peers.servers) server.send({ ...one.command, act });
  else for (const load of peers.loads) load.send({ ...one.command, act });
  return true;
}

function pidsOf({ servers, loads, publisher, network }: Peers, role: Role): number[] {
  const all = {
    server: servers,
    load: loads,
    publisher: [publisher],
    network: network ? [network] : [],
  };
  return all[role].map(({ pid }) => pid);
}

/**
 * When the first process had done its part of the fault: as that process says, else as the harness does,
 * which stops processes from outside. Both read the host's clock.
 * @param act the place of the fault among those that were played
 */
export function happenedAtUs(
  { atUs }: PlayedFault,
  act: number,
  acted: readonly Acted[],
): number | undefined {
  const own = acted.filter((one) => one.act === act).map((one) => one.atUs);
  return own.length > 0 ? Math.min(...own) : atUs;
}
