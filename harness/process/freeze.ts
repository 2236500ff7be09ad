// Stops a process for a while: a fault that a scenario can ask for.

import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

// `cat` ends when the harness closes the pipe or is gone, so that neither leaves a process stopped.
const script = 'kill -STOP "$0" && { timeout "$1" cat > /dev/null; kill -CONT "$0"; }';

/**
 * Stops process `pid` (SIGSTOP) and lets it go on `forMs` later (SIGCONT), or as soon as the trial is over or
 * this process ends. A process of its own does the waking: it is no child that goes with the harness.
 */
export function freeze(pid: number, forMs: number, over?: AbortSignal): void {
  if (over?.aborted) return;
  const waker = spawn('sh', ['-c', script, String(pid), String(forMs / 1000)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  const wake = () => void waker.stdin.end();
  over?.addEventListener('abort', wake, { once: true });
  waker
    .on('error', () => {})
    .once('close', () => over?.removeEventListener('abort', wake))
    .unref();
  waker.stdin.on('error', () => {}); // it has ended
  if (waker.stdin instanceof Socket) waker.stdin.unref();
}
