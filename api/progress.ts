// Tells a program how far a run is: what its trials are doing, as they go on.

import type { RunObserver } from '../harness/run/run.ts';

/** What is told as a run goes on; `variant` is the label of the trial's variant. */
export type Progress =
  | {
      kind: 'trial-started';
      variant: string;
      /** From 1, of `of`; of a search `of` is the most that there may be. */
      trial: number;
      of: number;
      /** How long this trial and those after it will take, in about. */
      leftMs?: number;
    }
  | {
      kind: 'measuring';
      variant: string;
      phase: 'start' | 'connect' | 'warmup' | 'measure' | 'drain' | 'close';
      connected: number;
      published: number;
      delivered: number;
    }
  /** Of a trial that is simulated. @property share how much of it has been computed, from 0 to 1 */
  | { kind: 'simulating'; variant: string; share: number }
  | { kind: 'trial-ended'; variant: string; failed?: string };

export function observerOf(tell: (progress: Progress) => void = () => {}): RunObserver {
  let variant = '';
  return {
    trialStarted({ label }, trial, of, _subscribers, leftMs) {
      variant = label;
      tell({ kind: 'trial-started', variant, trial, of, ...(leftMs !== undefined && { leftMs }) });
    },
    progress({ phase, connected, published, delivered }) {
      tell({ kind: 'measuring', variant, phase, connected, published, delivered });
    },
    computed(share) {
      tell({ kind: 'simulating', variant, share });
    },
    trialEnded({ variant: { label }, outcome }) {
      const failed = outcome.status === 'failed' ? { failed: outcome.message } : {};
      tell({ kind: 'trial-ended', variant: label, ...failed });
    },
  };
}
