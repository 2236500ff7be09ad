// Says how far the load generator was from its own limits: each limit divided by the use. Above these limits
// latencies are void (harness/trial/validity.ts), so a headroom of 1 is at the edge: beyond it, a figure
// would be the load generator's and not the server's.

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
  /** Whether it was measured; if not, `used` is 0 and means nothing. */
  seen: boolean;
};

/**
 * The limits of the load side, and how much of each it used: CPU of the busiest load process (share of a
 * core), its event loop's delay (99 % of each slot, and the median of these), and the publisher's lag (99 %).
 * Delay and lag are in microseconds.
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
 * How many times this load the load side could have handled, about: the smallest of its limits each divided
 * by the use, at most 10. Undefined if no use was measured.
 */
export function headroomOf(trial: Completed): number | undefined {
  const rooms = loadLimits(trial)
    .filter(({ seen }) => seen)
    .map(roomOf);
  return rooms.length === 0 ? undefined : Math.min(...rooms);
}

/** The limit divided by the use, at most {@link mostHeadroom}. */
export function roomOf({ used, limit }: Pick<LoadLimit, 'used' | 'limit'>): number {
  return used <= 0 ? mostHeadroom : Math.min(mostHeadroom, limit / used);
}

/** In the slots of the measured phase; their median is taken, since a single pause is not a lack of room. */
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
