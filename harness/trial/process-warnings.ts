// Warns about what processes used: a server that had no time left, and figures that are not of the measured
// phase because they were read late.

import { formatShare, formatUs } from '../../core/base/units.ts';
import { lackOfTime } from '../../core/metrics/processes.ts';
import { metrics } from '../../core/metrics/registry.ts';
import { isReadElsewhen, stretchMost } from '../../core/result/process-use.ts';
import type { Completed } from '../../core/result/result.ts';
import type { TrialWarning } from '../../core/result/trial-warning.ts';
import { coresAdvice, starvedAdvice, wasThrottled, type Usable } from './cores.ts';
import { estimatedShare, lostIn } from './process-figures.ts';
import type { Readings } from './readings.ts';

/** Share of the measured phase that counts may be estimates for. */
const estimatedMost = 0.1;

export function processWarnings(plan: Usable, readings: Readings, trial: Completed): TrialWarning[] {
  // A worker that was lost says nothing more, which is no lateness.
  const late = lostIn(readings) ? [] : [sampledLate(readings), cpuElsewhen(plan, trial)];
  return [withoutTime(plan, trial), ...late].flatMap((one) => one ?? []);
}

function withoutTime(plan: Usable, trial: Completed): TrialWarning | undefined {
  const lack = lackOfTime(trial);
  if (lack === undefined) return undefined;
  const share = (name: 'server-busy' | 'server-cpu') => formatShare(metrics[name]!.read(trial) ?? 0);
  const seen =
    `its busiest thread ran, or waited for a core, in ${share('server-busy')} of the measured phase, and ` +
    `the process used ${share('server-cpu')} of a core`;
  return lack === 'saturated'
    ? {
        code: 'server-saturated',
        level: 'note',
        message:
          `the server was saturated: ${seen}. Deliveries queue, and latencies include the wait. ` +
          'To see the latencies of a server that keeps up, publish less.',
      }
    : {
        code: 'server-starved',
        level: 'note',
        message:
          `${wasThrottled(trial) ? 'a CPU quota kept the server from' : 'others had'} the cores that ` +
          `${wasThrottled(trial) ? 'it' : 'the server'} needed: ${seen}. The latencies are those of a ` +
          `server that waits. ${starvedAdvice(trial, plan)}`,
      };
}

function sampledLate(readings: Readings): TrialWarning | undefined {
  const share = estimatedShare('load', readings);
  if (share <= estimatedMost) return undefined;
  return {
    code: 'sampled-late',
    level: 'invalid',
    message:
      'a load process came late to count at the ends of the measured phase, by ' +
      `${formatShare(share)} of its length (at most ${formatShare(estimatedMost)} is trusted): how many ` +
      'requests, bytes and deliveries belong to it is an estimate. Measure longer, or use less load.',
  };
}

function cpuElsewhen(plan: Usable, trial: Completed): TrialWarning | undefined {
  const { processes, measuredUs } = trial;
  const one = processes.find(
    (use) => (use.role === 'server' || use.role === 'load') && isReadElsewhen(use, measuredUs),
  );
  if (!one) return undefined;
  const why =
    one.cpuSource === 'self'
      ? 'it reads its own CPU, which cannot be read from outside here, and came late to that'
      : 'pushbench itself came late to read it';
  return {
    code: 'cpu-elsewhen',
    level: 'invalid',
    message:
      `the CPU of ${one.role === 'load' ? 'a load process' : 'the server'} was read over ` +
      `${formatUs(one.wallUs)}, while the measured phase took ${formatUs(measuredUs)} (a difference of at ` +
      `most ${formatShare(stretchMost)} is trusted): ${why}. ` +
      coresAdvice(trial, plan, one.role, 'Use less load'),
  };
}
