// Has a thread simulate one trial after the other, and ends it when a signal comes.

import { Worker } from 'node:worker_threads';
import type { Trial } from '../core/result/result.ts';
import type { SimulatedTrialInput } from '../simulation/simulate.ts';
import type { Answer } from './simulator-thread.ts';

export type Simulator = {
  /** @throws the signal's reason when it is aborted, or what broke in the thread */
  simulate(input: SimulatedTrialInput, signal: AbortSignal): Promise<Trial>;
  close(): Promise<void>;
};

// The same file runs as .ts from the repository and as .js from the package.
const entry = new URL(
  `./simulator-thread${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`,
  import.meta.url,
);

export function openSimulator(): Simulator {
  const worker = new Worker(entry);
  return {
    async simulate(input, signal) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const onAbort = () => reject(signal.reason);
      const onExit = () => reject(new Error('the thread that simulates ended by itself'));
      worker.once('message', resolve).once('error', reject).once('exit', onExit);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        worker.postMessage(input);
        const answer = await promise;
        return 'trial' in answer ? answer.trial : failedTrial(input, answer);
      } finally {
        signal.removeEventListener('abort', onAbort);
        worker.off('message', resolve).off('error', reject).off('exit', onExit);
      }
    },
    async close() {
      await worker.terminate();
    },
  };
}

function failedTrial(
  { variant, repetition }: SimulatedTrialInput,
  problem: Exclude<Answer, { trial: Trial }>,
): Trial {
  return {
    variant,
    repetition,
    startedAt: new Date().toISOString(),
    warnings: [],
    outcome: { status: 'failed', valid: false, ...problem },
  };
}
