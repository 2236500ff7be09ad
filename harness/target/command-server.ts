// Starts a server by a command, anew for each trial, in the place of one of ours: a target that lives as long
// as its trial. The target file says how to speak to it.

import { setTimeout as sleep } from 'node:timers/promises';
import { startTree, type ProcessTree } from '../process/child.ts';
import { endedWithin } from '../process/peer.ts';
import type { ServerPeer, Fleet } from '../trial/fleet.ts';
import { targetFleet, type PreparedTarget } from './target-peer.ts';
import { problemReaching } from './reach.ts';

/** How long a server may take until it listens. */
const startMs = 10_000;
const lookEveryMs = 50;
/** Between being asked and being made to end. */
const graceMs = 2000;

/** The fleet whose server is what `command` starts, in a shell and a process group of its own. */
export function commandFleet(fleet: Fleet, target: PreparedTarget, command: string): Fleet {
  // The process tree to read changes with each trial.
  let current = targetFleet(fleet, target);
  const { probe } = fleet;
  return {
    ...current,
    server() {
      // Where it does not start nothing listens, which is said with the address.
      const tree = startTree('/bin/sh', ['-c', command]);
      current = targetFleet(fleet, { ...target, pid: tree.child.pid });
      return whenListening(current.server(), tree, target);
    },
    freeze: (pid, forMs, over) => current.freeze(pid, forMs, over),
    probe: {
      ...probe,
      countDescriptors: (pid) => current.probe.countDescriptors(pid),
      classifyDescriptors: (pid) => current.probe.classifyDescriptors(pid),
      descriptorLimit: (pid) => current.probe.descriptorLimit(pid),
      cpu: (pid) => current.probe.cpu(pid),
    },
  };
}

/** Holds the start back until the hosts answer or the time is over, and ends the process with the trial. */
function whenListening(
  peer: ServerPeer,
  { gone, signal }: ProcessTree,
  { hosts, access }: PreparedTarget,
): ServerPeer {
  const atExit = () => signal('SIGKILL');
  process.once('exit', atExit);
  // Ends the waiting with the process, and with the trial.
  const over = new AbortController();
  void gone.then(() => over.abort());
  const ready = async () => {
    for (const untilMs = performance.now() + startMs; performance.now() < untilMs && !over.signal.aborted;) {
      const problems = await Promise.all(hosts.map((host) => problemReaching(host, access, over.signal)));
      if (problems.every((problem) => problem === undefined)) return;
      await sleep(lookEveryMs, undefined, { signal: over.signal }).catch(() => {}); // over: the loop sees it
    }
  };
  return {
    ...peer,
    send(command) {
      if (command.kind === 'start') void ready().then(() => peer.send(command));
      else peer.send(command);
    },
    async stop(ms, hurry) {
      over.abort();
      await peer.stop(ms, hurry);
      signal('SIGTERM');
      await endedWithin(gone, atExit, graceMs, hurry);
      atExit(); // what the command left behind in its group
      process.off('exit', atExit);
    },
  };
}
