// Checks whether subscribers that ask on a schedule asked as often as the scenario says. A subscriber whose
// answer comes late leaves polls out, so an overloaded machine shows a lower rate and not an error. Says
// which rate was reached and which process was busy.

import { effectsOf } from '../../core/fault/faults.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import { loadCpuLimit } from '../../core/metrics/headroom.ts';
import { lackOfTime } from '../../core/metrics/processes.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';

/** Polls that may be lacking; jitter and the phase's two ends move a few. */
const rateLeast = 0.95;

/** @returns a note when polling fell short of its rate because answers came late, else nothing */
export function pollRate(
  { subscribers, faults, phases: { measure } }: Pick<Scenario, 'subscribers' | 'faults' | 'phases'>,
  { pattern, options }: Variant,
  trial: Completed,
): TrialWarning[] {
  const everyMs = patternNamed(pattern)?.asksEveryMs?.(options);
  if (everyMs === undefined) return [];
  const { fullPolls, emptyPolls } = trial.counters.clientMeasured;
  const { pollsLeftOut } = effectsOf(faults, measure);
  if (pollsLeftOut === 'unknown') return [];
  const askedPerS = (subscribers * (1 - pollsLeftOut) * 1000) / everyMs;
  const reachedPerS = (fullPolls + emptyPolls) / (trial.measuredUs / 1e6);
  if (reachedPerS >= askedPerS * rateLeast) return [];
  return [
    {
      code: 'poll-rate',
      level: 'note',
      message:
        `the subscribers should have polled ${formatNumber(Math.round(askedPerS))} times a second and did ` +
        `so ${formatNumber(Math.round(reachedPerS))} times (${formatShare(reachedPerS / askedPerS)}): ` +
        `${whyOf(trial)}. Polls that were due before the previous answer arrived were left out.`,
    },
  ];
}

/** Who had no time left; where nobody is known to, what both sides used. */
function whyOf(trial: Completed): string {
  const busiest = (role: 'server' | 'load') =>
    Math.max(
      0,
      ...trial.processes.filter((one) => one.role === role).map(({ cpuUs, wallUs }) => cpuUs / wallUs),
    );
  const [server, load] = [busiest('server'), busiest('load')];
  const lack = lackOfTime(trial);
  if (lack === 'starved') return `the server waited for a core (it used ${formatShare(server)} of one)`;
  if (lack === 'saturated') return `the server had no time left (it used ${formatShare(server)} of a core)`;
  if (load > loadCpuLimit) return `a load process had no time left (it used ${formatShare(load)} of a core)`;
  if (!trial.processes.some(({ role }) => role === 'server'))
    return `the busiest load process used ${formatShare(load)} of a core, and the target's CPU was not read`;
  return `the server used ${formatShare(server)} of a core and the busiest load process ${formatShare(load)}`;
}
