// Says what workers on other machines did to a trial: one that was lost, clocks that are not known well
// enough, and load processes that counted more than there was.

import { metrics } from '../../core/metrics/registry.ts';
import { counted } from '../../core/base/counted.ts';
import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import type { Readings } from './readings.ts';

/** How far two clocks may be apart, as a share of the median latency that is measured with them. */
const boundShareMost = 0.25;

export function workerWarnings(readings: Readings, trial: Completed): TrialWarning[] {
  return [lost(trial), clocks(trial), overcount(readings, trial)].flatMap((one) => one ?? []);
}

function lost({ workers = [], ledger }: Completed): TrialWarning | undefined {
  const gone = workers.flatMap((one) => (one.lost ? [{ ...one, lost: one.lost }] : []));
  if (gone.length === 0) return undefined;
  const each = gone.map(
    ({ name, subscribers, lost: { why, atUs } }) =>
      `${name} with ${counted(subscribers, 'subscriber')}, noticed ${formatUs(Math.max(0, atUs))} into the ` +
      `measured phase (${why})`,
  );
  return {
    code: 'worker-lost',
    level: 'invalid',
    message:
      `${counted(gone.length, 'worker was', 'workers were')} lost in the middle of the trial: ` +
      `${each.join('; ')}. Of ${formatNumber(ledger.unreported ?? 0)} deliveries to their subscribers ` +
      'nobody can say whether they arrived: the ledger has them as unreported. ' +
      'Start the worker again and repeat the run.',
  };
}

function clocks({ workers = [], latency, ...trial }: Completed): TrialWarning | undefined {
  const [worst] = workers.toSorted((a, b) => b.boundUs - a.boundUs);
  const medianUs = metrics['latency.p50']!.read({ ...trial, workers, latency });
  if (!worst || medianUs === undefined || worst.boundUs <= medianUs * boundShareMost) return undefined;
  return {
    code: 'worker-clock',
    level: 'invalid',
    message:
      `the clock of ${worst.name} is known to ${formatUs(worst.boundUs)}, where half of the deliveries ` +
      `took ${formatUs(medianUs)} or less (at most ${formatShare(boundShareMost)} of that is trusted). ` +
      'Bring workers, Redis and servers nearer to one another, or measure a load with longer latencies.',
  };
}

function overcount({ owed, closed }: Readings, { ledger }: Completed): TrialWarning | undefined {
  const claimed = closed.reduce((sum, report) => sum + report.ledger.expected, 0);
  if (claimed <= owed && ledger.delivered <= owed) return undefined;
  return {
    code: 'load-overcount',
    level: 'invalid',
    message:
      `the load processes account for ${formatNumber(Math.max(claimed, ledger.delivered))} deliveries, ` +
      `and the published events ask for ${formatNumber(owed)}: two of them counted the same subscriber. ` +
      'This is a defect of pushbench; please report it with the command.',
  };
}
