// Takes Ctrl-C and its like for commands that have something to end: the first signal ends the work tidily, a
// second one at once, and nothing outlives the limit.

import { setImmediate } from 'node:timers/promises';
import { exitCodes, Interruption } from '../core/base/errors.ts';

/** Whatever was going on, the process is gone so long after the first signal. */
export const limitMs = 2800;
const signalNames = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const endNow = () => process.exit(exitCodes.interrupted);

/**
 * Ends the process with the documented exit code at any signal while the program loads: that takes a while,
 * and a signal in that time would kill it without an exit code.
 */
export function endAtSignals(): void {
  for (const name of signalNames) process.on(name, endNow);
}

/**
 * Waits for a command's module, and then leaves signals to the system until the command takes them: a
 * listener would wait while the command plans, which is synchronous, and the system's action does not.
 */
export async function loaded<T>(module: Promise<T>): Promise<T> {
  const command = await module;
  // A signal that came while it loaded reaches its listener within these turns; without one it would be lost.
  await setImmediate();
  await setImmediate();
  for (const name of signalNames) process.off(name, endNow);
  return command;
}

/**
 * Gives signals to a command.
 * @returns gives them back to the system
 */
export function takeSignals(handler: (signal: NodeJS.Signals) => void): () => void {
  for (const name of signalNames) process.on(name, handler);
  return () => {
    for (const name of signalNames) process.off(name, handler);
  };
}

/**
 * Aborts `stop` at the first signal.
 * @param said called then, with the signal
 * @param atLimit called when the limit has come: does what cannot wait, and says what is left to do
 * @returns takes the handlers away; the limit stays, for whatever goes on
 */
export function onSignals(
  stop: AbortController,
  said: (signal: NodeJS.Signals) => void,
  atLimit: () => string = () => '',
): () => void {
  let told = false;
  const handler = (signal: NodeJS.Signals) => {
    if (told) process.exit(exitCodes.interrupted); // the children end with this process
    told = true;
    stop.abort(new Interruption(signal));
    setTimeout(() => {
      console.error(
        (
          `Not everything ended within ${limitMs / 1000} s of ${signal}, so it was ` +
          `ended by force. ${atLimit()}`
        ).trimEnd(),
      );
      process.exit(exitCodes.interrupted);
    }, limitMs).unref();
    said(signal);
  };
  return takeSignals(handler);
}
