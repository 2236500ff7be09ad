// Makes the figures of each process from its own samples and the readings from outside: its use and its
// counts within the measured phase.

import type { Role } from '../../core/fault/fault.ts';
import type { SelfSample, Window } from '../../core/protocol/control.ts';
import {
  addCounters,
  countersWithin,
  newCounters,
  subtractCounters,
  type Counters,
} from '../../core/result/counters.ts';
import type { ProcessUse } from '../../core/result/result.ts';
import { cpuBetween } from '../process/cpu.ts';
import type { ProcessStart } from './connect.ts';
import type { Readings } from './readings.ts';
import type { ProcessSamples } from './sampling.ts';

/** A sample this near to an end of the measured phase, as a share of it, is taken as of that moment. */
const onTimeShare = 0.001;

/** Whether a worker was lost in the trial: its load process was not there to its end. */
export function lostIn({ workers }: Pick<Readings, 'workers'>): boolean {
  return workers.some(({ lost }) => lost !== undefined);
}

/** What the processes of a role counted within the measured phase, together. */
export function countersMeasured(role: Role, { samples, window }: Readings): Counters {
  return samples
    .filter((one) => one.role === role)
    .reduce((sum, one) => addCounters(sum, countersBetween(one, window)), newCounters());
}

function countersBetween({ samples }: ProcessSamples, window: Window): Counters {
  const [from, to] = [countersAt(samples, window.fromUs, window), countersAt(samples, window.toUs, window)];
  return from && to ? subtractCounters(to, from) : newCounters();
}

/** A process that was busy counts late: then by how much its counters grew from the sample before. */
function countersAt(
  samples: ProcessSamples['samples'],
  atUs: number,
  { fromUs, toUs }: Window,
): Counters | undefined {
  const after = samples.find(({ sample }) => sample.atUs >= atUs);
  const before = samples.findLast(({ sample }) => sample.atUs < atUs);
  if (!after?.counters) return before?.counters;
  const lateUs = after.sample.atUs - atUs;
  if (!before?.counters || lateUs <= (toUs - fromUs) * onTimeShare) return after.counters;
  return countersWithin(
    before.counters,
    after.counters,
    1 - lateUs / (after.sample.atUs - before.sample.atUs),
  );
}

/**
 * How much of the measured phase the counts of a role are an estimate for, as a share of it: for so long its
 * processes were late to count at the two ends, the latest of them.
 */
export function estimatedShare(role: Role, { samples, window: { fromUs, toUs } }: Readings): number {
  const latest = (atUs: number) =>
    samples
      .filter((one) => one.role === role)
      .map((one) => one.samples.find(({ sample }) => sample.atUs >= atUs)?.sample.atUs ?? Infinity)
      .reduce((most, sampledUs) => Math.max(most, sampledUs - atUs), 0);
  return Math.min(1, (latest(fromUs) + latest(toUs)) / (toUs - fromUs));
}

/** The first and the last reading of the measured phase: at its ends, or after them where they came late. */
function endsOf<T>(
  all: readonly T[],
  atUs: (one: T) => number,
  { fromUs, toUs }: Window,
): [T, T] | undefined {
  const first = all.find((one) => atUs(one) >= fromUs);
  const last = all.find((one) => atUs(one) >= toUs) ?? all.at(-1);
  return first && last && first !== last ? [first, last] : undefined;
}

/** What each process took; nothing of servers of which nothing can be read. */
export function processUses(readings: Readings): ProcessUse[] {
  const { processes, serverReadings, idleShares } = readings;
  return (
    processes
      .filter(({ role }) => role !== 'server' || serverReadings !== 'none')
      // Of the broker nothing is known where it cannot be read from outside.
      .filter(({ role, index }) => !isBeside(role) || (cpuOf(role, index, readings)?.length ?? 0) > 1)
      .map((one) => {
        const idleShare = one.role === 'server' ? idleShares[one.index] : undefined;
        return {
          ...useOf(one, readings),
          ...(idleShare !== undefined && { idleShare }),
          ...(one.role === 'server' && serverReadings === 'self' && shareOfServer(one.index, readings)),
          ...((isBeside(one.role) || (one.role === 'server' && serverReadings === 'outside')) && {
            outside: true as const,
          }),
        };
      })
  );
}

/** What one of several servers had of the subscribers; nothing of one by itself. */
function shareOfServer(
  index: number,
  { samples, window, serverCount }: Readings,
): Pick<ProcessUse, 'handshakes' | 'subscribers'> {
  const own = samples.find((one) => one.role === 'server' && one.index === index);
  if (!own || serverCount === undefined) return {};
  const { subscribers } =
    own.samples.find(({ sample }) => sample.atUs >= window.toUs) ?? own.samples.at(-1) ?? {};
  return {
    handshakes: countersBetween(own, window).handshakes,
    ...(subscribers !== undefined && { subscribers }),
  };
}

function isBeside(role: ProcessUse['role']): boolean {
  return role === 'broker' || role === 'in-front';
}

function cpuOf(role: ProcessUse['role'], index: number, { samples }: Readings) {
  return samples.find((one) => one.role === role && one.index === index)?.cpu;
}

function useOf(start: ProcessStart, readings: Readings): ProcessUse {
  const { role, index, pid, baseline, connected, descriptors } = start;
  const { window } = readings;
  const own = readings.samples.find((one) => one.role === role && one.index === index);
  const samples = own?.samples ?? [];
  const ends = endsOf(samples, ({ sample }) => sample.atUs, window);
  const inside = samples.filter(({ sample }) => sample.atUs > window.fromUs).map(({ sample }) => sample);
  const highest = (pick: (sample: SelfSample) => number) =>
    inside.reduce((most, sample) => Math.max(most, pick(sample)), 0);
  return {
    role,
    index,
    pid,
    ...(cpuFromOutside(own?.cpu ?? [], window) ?? {
      cpuUs: ends ? ends[1].sample.cpuUs - ends[0].sample.cpuUs : 0,
      wallUs: ends ? ends[1].sample.atUs - ends[0].sample.atUs : 0,
      cpuSource: 'self',
    }),
    rssBaselineBytes: baseline.rssBytes,
    rssConnectedBytes: connected.rssBytes,
    rssPeakBytes: Math.max(
      connected.rssBytes,
      highest((sample) => sample.rssBytes),
    ),
    loopDelayP99Us: highest((sample) => sample.loopDelayP99Us),
    loopDelayMaxUs: highest((sample) => sample.loopDelayMaxUs),
    gcPauseUs: ends ? ends[1].sample.gcPauseUs - ends[0].sample.gcPauseUs : 0,
    ...(descriptors && { descriptors }),
  };
}

/** Undefined where it could not be read. */
function cpuFromOutside(
  all: ProcessSamples['cpu'],
  window: Window,
): Pick<ProcessUse, 'cpuUs' | 'wallUs' | 'cpuSource' | 'busiest'> | undefined {
  const ends = endsOf(all, ({ atUs }) => atUs, window);
  if (!ends) return undefined;
  const [first, last] = ends;
  const within = all.filter(({ atUs }) => atUs >= first.atUs && atUs <= last.atUs);
  const { ranUs, busiest } = cpuBetween(within.map(({ reading }) => reading));
  return {
    cpuUs: ranUs,
    wallUs: last.atUs - first.atUs,
    busiest,
    cpuSource: 'outside',
  };
}
