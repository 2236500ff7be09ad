// Says why a trial has no 99th percentile, and what gives it one.

import { formatNumber, formatShare, writeDuration } from '../../core/base/units.ts';
import { shownUpTo } from '../../core/metrics/latency.ts';
import { eventsToShow } from '../../core/result/precision.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialPlan } from '../plan/plan.ts';

/** Events beyond a percentile that advice aims at, since the next run may have a few less. */
const eventsAimedAt = 1.2 * eventsToShow;

/** @param beyond the distinct events that lie beyond it */
export function fewSamplesText(
  { scenario: { phases, topics }, notes }: Pick<TrialPlan, 'scenario' | 'notes'>,
  trial: Completed,
  beyond: number,
): string {
  const upTo = Math.floor(shownUpTo(trial) * 1000) / 1000;
  const isFew = beyond < eventsToShow;
  // Where there are enough and they differ too much, how many more it takes is not known.
  const times = isFew ? Math.ceil((10 * eventsAimedAt) / Math.max(1, beyond)) / 10 : 2;
  const about = beyond === 0 ? 'At least' : 'About';
  const why = isFew
    ? `${formatNumber(beyond)} distinct ${beyond === 1 ? 'event lies' : 'events lie'} beyond it, and ` +
      `${eventsToShow} are needed`
    : `the ${formatNumber(beyond)} distinct events beyond it differ too much to say how high it may be`;
  const traced = Object.values(topics).every(({ publish }) => publish.kind === 'trace');
  const goesOn = notes.some(({ code }) => code === 'trace-cut');
  const longer = writeDuration(Math.ceil((phases.measure * times) / 1000) * 1000);
  return (
    `no 99th percentile is shown: ${why} ` +
    `(${upTo === 0 ? 'a median needs more, too' : `up to ${formatShare(upTo)} there are enough`}). ` +
    `${isFew ? `${about} ${formatNumber(times)} times as many` : 'More'} events are needed: ` +
    (traced && !goesOn
      ? 'the trace has no more of them, so take a longer or denser one.'
      : (traced
          ? 'take a denser trace'
          : `publish ${isFew ? 'that much ' : ''}more often, to fewer followers for the same load`) +
        `, or measure longer (--set phases.measure=${longer}).`)
  );
}
