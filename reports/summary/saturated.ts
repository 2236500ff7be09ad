// Names variants whose server was full, wherever a sentence says how soon they delivered.

import { lackOfTime } from '../../core/metrics/processes.ts';
import { voidedBy } from '../../core/result/voids.ts';
import type { Completed } from '../../core/result/result.ts';

/** Whether a server had no time left in one of the trials in which its CPU was measured. */
export function isEverSaturated(trials: readonly Completed[]): boolean {
  return trials.some(
    (trial) => voidedBy(['server-cpu'], trial).length === 0 && lackOfTime(trial) === 'saturated',
  );
}

/** `sse`, or `sse (saturated)`. */
export function nameWith(label: string, trials: readonly Completed[]): string {
  return isEverSaturated(trials) ? `${label} (saturated)` : label;
}
