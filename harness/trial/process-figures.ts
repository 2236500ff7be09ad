// Makes figures of what each process sampled of itself: what it took and counted within the measured phase.

import type { Role } from '../../core/fault/fault.ts';
import type { SelfSample } from '../../core/protocol/control.ts';
import { addCounters, newCounters, subtractCounters, type Counters } from '../../core/result/counters.ts';
import type { ProcessUse } from '../../core/result/result.ts';
import type { ProcessStart } from './connect.ts';
import type { Readings } from './readings.ts';
import type { ProcessSamples } from './sampling.ts';

/** The first sample at or after each end of a stretch; samples are due at those very moments. */
function between<T extends { sample: SelfSample }>(
  samples: readonly T[],
  fromUs: number,
  toUs: number,
): [T, T] | undefined {
  const first = samples.find(({ sample }) => sample.atUs >= fromUs);
  const last = samples.find(({ sample }) => sample.atUs >= toUs) ?? samples.at(-1);
  return first && last && first !== last ? [first, last] : undefined;
}

/** What the processes of a role counted within the measured phase, together. */
export function countersMeasured(role: Role, { samples, window }: Readings): Counters {
  return samples
    .filter((one) => one.role === role)
    .reduce((sum, one) => addCounters(sum, countersBetween(one, window.fromUs, window.toUs)), newCounters());
}

function countersBetween({ samples }: ProcessSamples, fromUs: number, toUs: number): Counters {
  const ends = between(samples, fromUs, toUs);
  const [from, to] = [ends?.[0].counters, ends?.[1].counters];
  return from && to ? subtractCounters(to, from) : newCounters();
}

/** What each process took; nothing of servers of which nothing can be read. */
export function processUses({ processes, samples, window, serverReadings }: Readings): ProcessUse[] {
  return processes
    .filter(({ role }) => role !== 'server' || serverReadings !== 'none')
    .map((one) => ({
      ...useOf(one, samplesOf(one, samples), window.fromUs, window.toUs),
      ...(one.role === 'server' && serverReadings === 'outside' && { outside: true as const }),
    }));
}

/** What a process sampled. */
function samplesOf(
  { role, index }: ProcessStart,
  samples: readonly ProcessSamples[],
): ProcessSamples['samples'] {
  return samples.find((one) => one.role === role && one.index === index)?.samples ?? [];
}

function useOf(
  { role, index, pid, baseline, connected }: ProcessStart,
  samples: ProcessSamples['samples'],
  fromUs: number,
  toUs: number,
): ProcessUse {
  const ends = between(samples, fromUs, toUs);
  const inside = samples.filter(({ sample }) => sample.atUs > fromUs).map(({ sample }) => sample);
  const highest = (pick: (sample: SelfSample) => number) =>
    inside.reduce((most, sample) => Math.max(most, pick(sample)), 0);
  return {
    role,
    index,
    pid,
    cpuUs: ends ? ends[1].sample.cpuUs - ends[0].sample.cpuUs : 0,
    wallUs: ends ? ends[1].sample.atUs - ends[0].sample.atUs : toUs - fromUs,
    rssBaselineBytes: baseline.rssBytes,
    rssConnectedBytes: connected.rssBytes,
    rssPeakBytes: Math.max(
      connected.rssBytes,
      highest((sample) => sample.rssBytes),
    ),
    loopDelayP99Us: highest((sample) => sample.loopDelayP99Us),
    loopDelayMaxUs: highest((sample) => sample.loopDelayMaxUs),
    gcPauseUs: ends ? ends[1].sample.gcPauseUs - ends[0].sample.gcPauseUs : 0,
  };
}
