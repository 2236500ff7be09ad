// Stops a process for a while: a fault that a scenario can ask for.

import { spawn } from 'node:child_process';

/**
 * Stops process `pid` (SIGSTOP) and lets it go on `forMs` later (SIGCONT).
 * A process of its own does the waking, so that a harness killed in between leaves nobody stopped.
 */
export function freeze(pid: number, forMs: number): void {
  const script = 'kill -STOP "$0" && { sleep "$1"; kill -CONT "$0"; }';
  spawn('sh', ['-c', script, String(pid), String(forMs / 1000)], { stdio: 'ignore', detached: true }).unref();
}
