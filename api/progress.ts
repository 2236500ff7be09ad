// Tells a program about the progress of a run: what its trials are doing.

import type { RunObserver } from '../harness/run/run.ts';

/** The progress of a run; `variant` is the label of the trial's variant. */
export type Progress =
  | {
      kind: 'trial-started';
      variant: string;
      /** From 1 to `of`; for a search `of` is the largest possible number. */
      trial: number;
      of: number;
      /** About how long this trial and the following ones will take. */
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
  /** For a simulated trial. @property share how much of it has been computed, from 0 to 1 */
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
