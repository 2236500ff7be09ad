// Watches whether a trial gets past its start. What fails there (a command that ends at once, a port that is
// taken, a module that is missing) fails in every trial, so a run stops at the first.

import { exitCodes, UserError } from '../../core/base/errors.ts';
import type { Trial } from '../../core/result/result.ts';
import type { Progress } from './stage.ts';

export type WatchedStart = {
  report(progress: Progress): void;
  /**
   * Why the trial did not start, if it did not: what failed in the first line, then the printed text.
   * @param name of the command that was to start
   */
  problem(name: string, trial: Pick<Trial, 'outcome'>): UserError | undefined;
};

/** @param report is told all the same */
export function watchStart(report: (progress: Progress) => void): WatchedStart {
  let phase: Progress['phase'] = 'start';
  return {
    report(progress) {
      phase = progress.phase;
      report(progress);
    },
    problem(name, { outcome }) {
      if (outcome.status !== 'failed' || phase !== 'start') return undefined;
      return new UserError(
        'start',
        `${name} did not start, so nothing more is tried: ${outcome.message}`,
        exitCodes.failed,
      );
    },
  };
}
