// Says who had the machine's cores in the measured phase, for advice that can work: the trial's own
// processes, other programs, or nobody that is known.

import { loadCpuLimit } from '../../core/metrics/headroom.ts';
import type { Completed, ProcessUse } from '../../core/result/result.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';

/** From this share of all cores on, the trial's own processes are what fills the machine. */
const fullFrom = 0.85;
/** Share of the measured phase that a process waits for a core without anybody noticing. */
const waitedMost = 0.05;

type Role = ProcessUse['role'];
type Ran = Pick<Completed, 'processes'>;

const shareOf = ({ cpuUs, wallUs }: ProcessUse): number => (wallUs > 0 ? cpuUs / wallUs : 0);

/** Cores that the trial's own processes used together. */
function usedBy({ processes }: Ran): number {
  return processes.reduce((sum, one) => sum + shareOf(one), 0);
}

/** Whether the trial's own processes used nearly all cores. */
export function filledCores(trial: Ran, cores: number): boolean {
  return usedBy(trial) >= cores * fullFrom;
}

/** `the trial's own processes used 1.9 of 2 cores`; a target of which nothing was read is not among them. */
export function usedText(trial: Ran, cores: number): string {
  const used = Number(usedBy(trial).toPrecision(2));
  const unread = trial.processes.some(({ role }) => role === 'server') ? '' : ', the target not counted';
  return `the trial's own processes used ${formatNumber(used)} of ${formatNumber(cores)} cores${unread}`;
}

/** The longest that a role's busiest thread waited for a core; undefined where it was not read. */
function waitedShare({ processes }: Ran, role: Role): number | undefined {
  const shares = processes.flatMap((one) =>
    one.role === role && one.busiest && one.wallUs > 0 ? [one.busiest.waitedUs / one.wallUs] : [],
  );
  return shares.length === 0 ? undefined : Math.max(...shares);
}

/**
 * What to do for a process that came late, a sentence.
 * @param less what helps in any case: `Publish less`
 */
export function coresAdvice(trial: Ran, cores: number, role: Role, less: string): string {
  if (filledCores(trial, cores)) {
    const used = usedText(trial, cores);
    return `${used[0]!.toUpperCase()}${used.slice(1)}. ${less}, or measure on a machine with more cores.`;
  }
  const waited = waitedShare(trial, role);
  if (waited === undefined) return `${less}, or close other programs.`;
  return waited > waitedMost
    ? `It waited ${formatShare(waited)} of the measured phase for a core, while ${usedText(trial, cores)}. ` +
        `${less}, or close other programs.`
    : `${less}.`;
}

/**
 * What to do where a load process used all that it may: one more where a core is left for it.
 * @param subscribers each load process has at least one
 */
export function loadAdvice(trial: Ran, cores: number, subscribers: number): string {
  const loads = trial.processes.filter(({ role }) => role === 'load').length;
  if (loads >= subscribers) return 'Use less load.';
  // Another load process takes up to what one is trusted with.
  return usedBy(trial) + loadCpuLimit <= cores
    ? `Use one load process more (--set loadProcesses=${loads + 1}), or less load.`
    : `No core is left for another load process: ${usedText(trial, cores)}. Use less load, or a machine ` +
        'with more cores.';
}
