// Says which faults went on after the measured phase, as what they did then is in no figure of that phase.

import { formatUs, writeDuration } from '../base/units.ts';
import type { Completed, TrialFault } from '../result/result.ts';
import { faultEndUs } from '../result/trial-fault.ts';

type Outlasts = { code: 'fault-outlasts'; level: 'note'; message: string };

/** Of faults that take their time: how long the others last the scenario says itself. */
export function faultWarnings({ faults = [], measuredUs }: Completed): Outlasts[] {
  return faults.flatMap((fault) => outlasting(fault, measuredUs) ?? []);
}

function outlasting(fault: TrialFault, measuredUs: number): Outlasts | undefined {
  const { atUs, did, tookUs, unfinished } = fault;
  const endUs = faultEndUs(fault);
  if (tookUs === undefined || atUs === null || endUs === undefined || endUs <= measuredUs) return undefined;
  const longer = `--set phases.measure=${writeDuration(Math.ceil(endUs / 1e6 + 1) * 1000)}`;
  const overUs = endUs - measuredUs;
  return {
    code: 'fault-outlasts',
    level: 'note',
    message:
      `${did}: that took ${unfinished ? 'more than ' : ''}${formatUs(tookUs)} and ` +
      (unfinished
        ? `was not over when the subscribers were closed, ${formatUs(overUs)} after the measured phase`
        : `ended ${formatUs(overUs)} after the measured phase`) +
      '. No event was planned after that phase, so latencies during the faults, costs and all other ' +
      `figures of the phase do not include the last part of the fault. Measure longer (${longer}).`,
  };
}
