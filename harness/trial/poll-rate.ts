// Checks whether the pollers asked as often as the scenario says. A poller whose answer is late leaves polls
// out, so an overloaded machine shows a lower rate and no error. The note says what was reached and who was
// busy.

import { z } from 'zod';
import { effectsOf } from '../../core/fault/faults.ts';
import type { Variant } from '../../core/pattern/registry.ts';
import type { Completed, ResultWarning } from '../../core/result/result.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';

/** Polls that may be lacking; jitter and the phase's two ends move a few. */
const rateLeast = 0.95;

const everyMs = z.object({ every: z.number() });

/** @returns a note when polling fell short of its rate for want of a machine, else nothing */
export function pollRate(
  { subscribers, faults, phases: { measure } }: Pick<Scenario, 'subscribers' | 'faults' | 'phases'>,
  { pattern, options }: Variant,
  trial: Completed,
): ResultWarning[] {
  const parsed = everyMs.safeParse(options);
  if (pattern !== 'polling' || !parsed.success) return [];
  const { fullPolls, emptyPolls } = trial.counters.clientMeasured;
  const { pollsLeftOut } = effectsOf(faults, measure);
  if (pollsLeftOut === 'unknown') return [];
  const askedPerS = (subscribers * (1 - pollsLeftOut) * 1000) / parsed.data.every;
  const reachedPerS = (fullPolls + emptyPolls) / (trial.measuredUs / 1e6);
  if (reachedPerS >= askedPerS * rateLeast) return [];
  const busiest = (role: 'server' | 'load') =>
    Math.max(
      0,
      ...trial.processes.filter((one) => one.role === role).map(({ cpuUs, wallUs }) => cpuUs / wallUs),
    );
  return [
    {
      code: 'poll-rate',
      level: 'note',
      message:
        `the subscribers should have polled ${formatNumber(Math.round(askedPerS))} times a second and did ` +
        `so ${formatNumber(Math.round(reachedPerS))} times (${formatShare(reachedPerS / askedPerS)}): the ` +
        `server used ${formatShare(busiest('server'))} of a core and the busiest load process ` +
        `${formatShare(busiest('load'))}. The machine ends here; polls that were overdue were left out.`,
    },
  ];
}
