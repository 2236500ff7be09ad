// A server that a command starts, anew for each trial, in the place of one of ours: a target with a life of its own.
// How to speak to it says the target file.

import { spawn, type ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerPeer, Fleet } from './fleet.ts';
import { targetFleet, type PreparedTarget } from './target.ts';
import { problemReaching } from './target-reach.ts';

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
      const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'ignore' });
      child.on('error', () => {}); // then nothing listens, which is said with the address
      current = targetFleet(fleet, { ...target, pid: child.pid });
      return whenListening(current.server(), child, target);
    },
    freeze: (pid, forMs) => current.freeze(pid, forMs),
    probe: {
      ...probe,
      countDescriptors: (pid) => current.probe.countDescriptors(pid),
      classifyDescriptors: (pid) => current.probe.classifyDescriptors(pid),
      descriptorLimit: (pid) => current.probe.descriptorLimit(pid),
    },
  };
}

/** Holds the start back until the hosts answer or the time is over, and ends the process with the trial. */
function whenListening(peer: ServerPeer, child: ChildProcess, { hosts, access }: PreparedTarget): ServerPeer {
  const end = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // It has ended by itself.
    }
  };
  const atExit = () => end('SIGKILL');
  process.once('exit', atExit);
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  const ready = async () => {
    for (const untilMs = performance.now() + startMs; performance.now() < untilMs && child.exitCode === null; await sleep(lookEveryMs)) {
      const problems = await Promise.all(hosts.map((host) => problemReaching(host, access)));
      if (problems.every((problem) => problem === undefined)) return;
    }
  };
  return {
    ...peer,
    send(command) {
      if (command.kind === 'start') void ready().then(() => peer.send(command));
      else peer.send(command);
    },
    async stop(ms) {
      await peer.stop(ms);
      end('SIGTERM');
      const timer = setTimeout(() => end('SIGKILL'), graceMs);
      await gone;
      clearTimeout(timer);
      process.off('exit', atExit);
    },
  };
}
