// Writes how well the clocks of the workers were known that made the load of a run.

import { counted } from '../../core/base/counted.ts';
import { formatUs } from '../../core/base/units.ts';
import type { Result } from '../../core/result/result.ts';
import type { WorkerUse } from '../../core/result/worker-use.ts';

/** A sentence or two; nothing where load processes ran beside the servers. */
export function workersLine({ trials }: Pick<Result, 'trials'>): string | undefined {
  const uses = trials.flatMap(({ outcome }) =>
    outcome.status === 'completed' ? (outcome.workers ?? []) : [],
  );
  const byName = [...Map.groupBy(uses, ({ name }) => name)];
  if (byName.length === 0) return undefined;
  const clocks = byName.map(([name, all]) => `${name} ${clockOf(all)}`);
  return (
    `Load came from ${counted(byName.length, 'worker')}. Their clocks, by which latencies are measured, ` +
    `were compared with that of the servers: ${clocks.join('; ')}.`
  );
}

/** Over all trials: the largest of each. */
function clockOf(uses: readonly WorkerUse[]): string {
  const most = (of: (use: WorkerUse) => number) => uses.reduce((sofar, use) => Math.max(sofar, of(use)), 0);
  const drifts = uses.some(({ driftUs }) => driftUs !== undefined);
  return (
    `within ${formatUs(most(({ boundUs }) => boundUs))} of it` +
    (drifts ? `, with a drift of ${formatUs(most(({ driftUs = 0 }) => Math.abs(driftUs)))} in a trial` : '')
  );
}
