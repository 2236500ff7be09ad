// Simulates trials in a thread of its own, so that the command that asks for them hears signals meanwhile.

import { parentPort } from 'node:worker_threads';
import { UserError } from '../core/base/errors.ts';
import type { Trial } from '../core/result/result.ts';
import { models } from '../simulation/registry.ts';
import { simulateTrial, type SimulatedTrialInput } from '../simulation/simulate.ts';

/** What comes back for an input; an error that is none of a user's ends the thread. */
export type Answer = { trial: Trial } | { code: string; message: string };

parentPort?.on('message', (input: SimulatedTrialInput) => {
  parentPort?.postMessage(answerTo(input));
});

function answerTo(input: SimulatedTrialInput): Answer {
  try {
    return { trial: simulateTrial(input, models, new Date()) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { code: error.code, message: error.message };
  }
}
