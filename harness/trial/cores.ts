// Says who had the machine's cores in the measured phase, for advice that can work: the trial's own
// processes, a quota that stopped them, other programs, or nobody that is known.

import { loadCpuLimit } from '../../core/metrics/headroom.ts';
import type { Completed, ProcessUse } from '../../core/result/result.ts';
import { formatNumber, formatShare } from '../../core/base/units.ts';
import type { TrialPlan } from '../plan/plan.ts';

/** From this share of all cores on, the trial's own processes are what fills the machine. */
const fullFrom = 0.85;
/** Share of the measured phase that a process waits for a core without anybody noticing. */
const waitedMost = 0.05;

type Role = ProcessUse['role'];
type Ran = Pick<Completed, 'processes' | 'throttling' | 'workers'>;
/** What the trial's processes may use together. */
export type Usable = Pick<TrialPlan, 'cores' | 'quotaCores'>;

const shareOf = ({ cpuUs, wallUs }: ProcessUse): number => (wallUs > 0 ? cpuUs / wallUs : 0);
const usable = ({ cores, quotaCores = cores }: Usable): number => Math.min(cores, quotaCores);

/** Cores of this machine that the trial's own processes used together; those on workers have others. */
function usedBy({ processes, workers }: Ran): number {
  const here = workers ? processes.filter(({ role }) => role !== 'load') : processes;
  return here.reduce((sum, one) => sum + shareOf(one), 0);
}

/** Whether the trial's own processes used nearly all cores that they may use. */
export function filledCores(trial: Ran, plan: Usable): boolean {
  return usedBy(trial) >= usable(plan) * fullFrom;
}

/** `the trial's own processes used 1.9 of 2 cores`; a target of which nothing was read is not among them. */
export function usedText(trial: Ran, plan: Usable): string {
  const used = Number(usedBy(trial).toPrecision(2));
  const unread = trial.processes.some(({ role }) => role === 'server') ? '' : ', the target not counted';
  const all =
    plan.quotaCores !== undefined && heldByQuota(plan)
      ? `the ${formatNumber(plan.quotaCores)} cores that a quota leaves of ${formatNumber(plan.cores)}`
      : `${formatNumber(plan.cores)} cores`;
  return `the trial's own processes used ${formatNumber(used)} of ${all}${unread}`;
}

/** `the CPU quota of 0.3 of 2 cores` */
export function quotaText({ cores, quotaCores }: Usable): string {
  return quotaCores === undefined
    ? 'the CPU quota'
    : `the CPU quota of ${formatNumber(quotaCores)} of ${formatNumber(cores)} cores`;
}

/** How to get more of a machine that is held back. @param less what helps in any case: `use less load` */
export function quotaAdvice(less: string): string {
  return (
    'Raise the quota (docker run --cpus, resources.limits.cpu in Kubernetes, CPUQuota in systemd), or ' +
    `${less}.`
  );
}

function heldByQuota({ cores, quotaCores = cores }: Usable): boolean {
  return quotaCores < cores;
}

/** Whether the kernel stopped the trial because of a quota: then that is what processes waited for. */
export function wasThrottled({ throttling }: Ran): boolean {
  return (throttling?.throttledPeriods ?? 0) > 0;
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
export function coresAdvice(trial: Ran, plan: Usable, role: Role, less: string): string {
  if (role === 'load' && trial.workers) return `${less}, or take more workers on other cores.`;
  const lower = `${less[0]!.toLowerCase()}${less.slice(1)}`;
  const used = usedText(trial, plan);
  if (wasThrottled(trial) || (heldByQuota(plan) && filledCores(trial, plan)))
    return `${sentence(used)}. ${quotaAdvice(lower)}`;
  if (filledCores(trial, plan)) return `${sentence(used)}. ${less}, or measure on a machine with more cores.`;
  const waited = waitedShare(trial, role);
  if (waited === undefined) return `${less}, or close other programs.`;
  return waited > waitedMost
    ? `It waited ${formatShare(waited)} of the measured phase for a core, while ${used}. ` +
        `${less}, or close other programs.`
    : `${less}.`;
}

/** What to do for a server that waited for a core, a sentence or two. */
export function starvedAdvice(trial: Ran, plan: Usable): string {
  const used = usedText(trial, plan);
  if (wasThrottled(trial)) return `The quota was used up: ${used}. ${quotaAdvice('use less load')}`;
  if (!filledCores(trial, plan)) return 'Close other programs.';
  const more = heldByQuota(plan) ? quotaAdvice('use less load') : 'Use less load, or more cores.';
  return `Clients and publisher had them: ${used}. ${more}`;
}

/**
 * What to do where a load process used all that it may: one more where a core is left for it.
 * @param subscribers each load process has at least one
 */
export function loadAdvice(trial: Ran, plan: Usable, subscribers: number): string {
  const loads = trial.processes.filter(({ role }) => role === 'load').length;
  if (loads >= subscribers) return 'Use less load.';
  if (trial.workers) return `Take one more worker, on a core of its own, or less load.`;
  // Another load process may use up to `loadCpuLimit`.
  if (usedBy(trial) + loadCpuLimit <= usable(plan))
    return `Use one more load process (--set loadProcesses=${loads + 1}), or less load.`;
  const none = `No core is left for another load process: ${usedText(trial, plan)}.`;
  return heldByQuota(plan)
    ? `${none} ${quotaAdvice('use less load')}`
    : `${none} Use less load, or a machine with more cores.`;
}

function sentence(text: string): string {
  return `${text[0]!.toUpperCase()}${text.slice(1)}`;
}
