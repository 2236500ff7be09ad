// Has a thread simulate one trial after the other, and ends it when a signal comes.

import { Worker } from 'node:worker_threads';
import type { Trial } from '../core/result/result.ts';
import type { Answer, Asked, Said } from './simulator-thread.ts';

export type Simulator = {
  /**
   * @param computed is told how much of the trial has been computed, from 0 to 1
   * @throws the signal's reason when it is aborted, or what broke in the thread
   */
  simulate(asked: Asked, signal: AbortSignal, computed: (share: number) => void): Promise<Trial>;
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
    async simulate(asked, signal, computed) {
      signal.throwIfAborted();
      const { promise, resolve, reject } = Promise.withResolvers<Answer>();
      const onAbort = () => reject(signal.reason);
      const onExit = () => reject(new Error('the thread that simulates ended by itself'));
      const onMessage = (said: Said) => ('computed' in said ? computed(said.computed) : resolve(said));
      worker.on('message', onMessage).once('error', reject).once('exit', onExit);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        worker.postMessage(asked);
        const answer = await promise;
        return 'trial' in answer ? answer.trial : failedTrial(asked, answer);
      } finally {
        signal.removeEventListener('abort', onAbort);
        worker.off('message', onMessage).off('error', reject).off('exit', onExit);
      }
    },
    async close() {
      await worker.terminate();
    },
  };
}

function failedTrial({ variant, repetition }: Asked, problem: Exclude<Answer, { trial: Trial }>): Trial {
  return {
    variant,
    repetition,
    startedAt: new Date().toISOString(),
    warnings: [],
    outcome: { status: 'failed', valid: false, ...problem },
  };
}
