// Says how the place where a trial ran affected it: a CPU quota that was used up, a system without /proc, an
// emulator instead of a service.

import { formatNumber, formatShare, formatUs } from '../../core/base/units.ts';
import { noProcReason } from '../../core/result/machine-text.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import { quotaAdvice, quotaText, type Usable } from './cores.ts';
import type { Readings } from './readings.ts';

/** Share of the measured phase: a longer standstill is in the 99th percentile by itself. */
const throttledMost = 0.01;

export function placeWarnings(
  plan: Usable,
  { emulator }: Pick<Readings, 'emulator'>,
  trial: Completed,
): TrialWarning[] {
  return [throttled(plan, trial), withoutProc(trial), emulated(emulator)].flatMap((one) => one ?? []);
}

/** @param emulator what stood in for a service that the servers use */
function emulated(emulator: string | undefined): TrialWarning | undefined {
  if (emulator === undefined) return undefined;
  return {
    code: 'emulated',
    level: 'invalid',
    message:
      `the servers used ${emulator} instead of the service: losses, duplicates and requests are as ` +
      `they would be there, but times are those of the emulator and are not shown. Name a real one to ` +
      `measure its times.`,
  };
}

function throttled(
  plan: Usable,
  { throttling, measuredUs }: Pick<Completed, 'throttling' | 'measuredUs'>,
): TrialWarning | undefined {
  if (!throttling || throttling.throttledPeriods === 0) return undefined;
  const { periods, throttledPeriods, throttledUs } = throttling;
  const seen =
    `${quotaText(plan)} was used up in ${formatNumber(throttledPeriods)} of its ` +
    `${formatNumber(periods)} periods, and the kernel stopped all processes of this trial for ` +
    `${formatUs(throttledUs)} in all (added up over the cores)`;
  return throttledUs > measuredUs * throttledMost
    ? {
        code: 'throttled',
        level: 'invalid',
        message:
          `${seen}, where at most ${formatShare(throttledMost)} of the measured phase is trusted: the ` +
          `latencies are those of the quota. ${quotaAdvice('use less load')}`,
      }
    : {
        code: 'throttled-briefly',
        level: 'note',
        message: `${seen}. The slowest deliveries may be due to that.`,
      };
}

function withoutProc({ noProc, network, processes }: Completed): TrialWarning | undefined {
  if (!noProc) return undefined;
  const own = processes.some(({ cpuSource }) => cpuSource === 'self');
  return {
    code: 'no-proc',
    level: 'note',
    message:
      `${noProcReason}: descriptors, ${network ? '' : 'packets on the wire, '}and the kernel's memory for ` +
      `sockets are not measured${own ? ', and each process reads its own CPU' : ''}. Measure on Linux, or ` +
      'in a container, to have them.',
  };
}
