// Says how far the load generator was from being what is measured: for each of its limits, what it may use
// over what it used. The limits are those above which latencies are void (harness/trial/validity.ts), so a
// headroom of 1 is at the edge.

import { median } from '../base/median.ts';
import { latencyAt, type LatencyName } from './latency.ts';
import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

/** Above this share of a core, what waits in a load process is not told from what waits in the server. */
export const loadCpuLimit = 0.9;
/**
 * The publisher may add this much to a latency, as a share of its 99th percentile and
 * at least in microseconds.
 */
const lagShare = 0.1;
const lagLeastUs = 10_000;
/** A load process may come to its turn this late in half of the slots, in the same way. */
const starvedShare = 0.3;
const starvedLeastUs = 20_000;
/** A load this many times larger would be another measurement; more is not claimed. */
export const mostHeadroom = 10;

export type LoadLimit = {
  name: 'cpu' | 'loop-delay' | 'publisher-lag';
  used: number;
  limit: number;
  /** Something was there to be looked at; without it `used` is 0 and says nothing. */
  seen: boolean;
};

/**
 * What the load side used of what it may use: CPU of the busiest load process (share of a core), its event
 * loop's delay (the median over the slots of their 99 %), the publisher's lag (99 %); both in microseconds.
 */
export function loadLimits(trial: Completed): LoadLimit[] {
  const latencyUs = p99Us(trial, 'endToEnd');
  const shares = trial.processes
    .filter(({ role, wallUs }) => role === 'load' && wallUs > 0)
    .map(({ cpuUs, wallUs }) => cpuUs / wallUs);
  const delays = loopDelaysUs(trial);
  return [
    { name: 'cpu', used: Math.max(0, ...shares), limit: loadCpuLimit, seen: shares.length > 0 },
    {
      name: 'loop-delay',
      used: delays.length === 0 ? 0 : median(delays),
      limit: Math.max(starvedLeastUs, latencyUs * starvedShare),
      seen: delays.length > 0,
    },
    {
      name: 'publisher-lag',
      used: p99Us(trial, 'publisherLag'),
      limit: Math.max(lagLeastUs, latencyUs * lagShare),
      seen: (trial.latency.publisherLag?.count ?? 0) > 0,
    },
  ];
}

/**
 * The least of limit over use: about so many times the load could the load side have taken, at most 10;
 * undefined where nothing of it was looked at.
 */
export function headroomOf(trial: Completed): number | undefined {
  const rooms = loadLimits(trial)
    .filter(({ seen }) => seen)
    .map(roomOf);
  return rooms.length === 0 ? undefined : Math.min(...rooms);
}

/** Limit over use, at most {@link mostHeadroom}. */
export function roomOf({ used, limit }: Pick<LoadLimit, 'used' | 'limit'>): number {
  return used <= 0 ? mostHeadroom : Math.min(mostHeadroom, limit / used);
}

/** In the slots of the measured phase; their median is taken, since a single pause is no lack of room. */
function loopDelaysUs({ series: { startUs, columns } }: Completed): number[] {
  return (columns['loadLoopDelayP99Us'] ?? []).filter(
    (delay, i): delay is number => delay !== null && startUs[i]! >= 0,
  );
}

function p99Us(trial: Completed, name: LatencyName): number {
  return latencyAt(name, 0.99, name).read(trial) ?? 0;
}

export const headroomMetrics: Readonly<Record<string, Metric>> = {
  headroom: {
    unit: 'count',
    // It says why other figures are void.
    rests: [],
    title: 'load generator headroom, times this load (10 is 10 or more)',
    description:
      'About how many times this load the load generator could have made; at 1 it is at its limit.',
    better: 'higher',
    read: headroomOf,
  },
};
