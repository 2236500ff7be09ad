// Stops a process for a while: a fault that a scenario can ask for.

import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

// The line that `echo` writes says that the process is stopped. `cat` ends when the harness closes the pipe
// or is gone, so that neither leaves a process stopped.
const script = 'kill -STOP "$0" && { echo; timeout "$1" cat > /dev/null; kill -CONT "$0"; }';

/**
 * Stops process `pid` (SIGSTOP) and lets it go on `forMs` later (SIGCONT), or as soon as the trial is over or
 * this process ends. A process of its own does the waking: it is not a child that goes with the harness.
 * Resolves as soon as the process is stopped.
 * @returns whether it is: not where it had ended, the trial is over, or no process could be started for it
 */
export function freeze(pid: number, forMs: number, over?: AbortSignal): Promise<boolean> {
  if (over?.aborted) return Promise.resolve(false);
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const waker = spawn('sh', ['-c', script, String(pid), String(forMs / 1000)], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  const wake = () => void waker.stdin.end();
  over?.addEventListener('abort', wake, { once: true });
  waker
    .on('error', () => resolve(false))
    .once('close', () => {
      over?.removeEventListener('abort', wake);
      resolve(false); // means nothing where it was stopped: that had been said before
    })
    .unref();
  waker.stdout.once('data', () => resolve(true));
  waker.stdin.on('error', () => {}); // it has ended
  for (const pipe of [waker.stdin, waker.stdout]) if (pipe instanceof Socket) pipe.unref();
  return promise;
}
