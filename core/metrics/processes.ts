// Reads what the processes used: CPU, memory, and how late the server's event loop was.

import { formatShare } from '../base/units.ts';
import type { Metric } from './metric.ts';
import { perDelivery } from './per.ts';
import type { Completed, ProcessUse } from '../result/result.ts';

/** Below this many subscribers their memory is lost in what a process's memory swings by itself. */
const memorySubscribers = 1000;

type Role = ProcessUse['role'];

/** A figure of each process of a role; none where none was read, as with a target that names no process. */
const of =
  <T>(role: Role, read: (process: ProcessUse) => T) =>
  (trial: Completed): T[] =>
    trial.processes.filter((process) => process.role === role).map(read);

const total = (role: Role, read: (process: ProcessUse) => number) => (trial: Completed) => {
  const all = of(role, read)(trial);
  return all.length === 0 ? undefined : all.reduce((a, b) => a + b, 0);
};

const largest = (role: Role, read: (process: ProcessUse) => number) => (trial: Completed) => {
  const all = of(role, read)(trial);
  return all.length === 0 ? undefined : Math.max(...all);
};

const shareOf = ({ cpuUs, wallUs }: ProcessUse): number => cpuUs / wallUs;
const cpuShare = (role: Role) => largest(role, shareOf);

/**
 * CPU a second over deliveries a second, since a process may have been read over another stretch than its
 * deliveries were counted over.
 */
const cpuPerDelivery = (role: Role, share: (process: ProcessUse) => number) =>
  perDelivery((trial) => {
    const shares = total(role, share)(trial);
    return shares === undefined ? undefined : shares * trial.measuredUs;
  });

/** What comes on top of an idle server; all of it where that was not read, as in older results. */
const besidesIdle = (process: ProcessUse): number => Math.max(0, shareOf(process) - (process.idleShare ?? 0));

/** A server that used less than this many times its idle CPU: the CPU of deliveries is too small to tell. */
const overIdleLeast = 1.25;

/** Faults in which processes of servers start. */
const starting = ['restart', 'start', 'deploy'];

/** Half a second of CPU for each process that starts is not a cost of deliveries. */
function startsInIt({ faults = [] }: Pick<Completed, 'faults'>): string | undefined {
  return faults.some(({ kind, atUs }) => starting.includes(kind) && atUs !== null)
    ? 'servers started in the measured phase, and the start of a process is not a cost of deliveries'
    : undefined;
}

function lostInIdle(trial: Completed): string | undefined {
  const idle = total('server', ({ idleShare = 0 }) => idleShare)(trial);
  const used = total('server', shareOf)(trial);
  return idle === undefined || used === undefined || used >= overIdleLeast * idle
    ? undefined
    : `the server used ${formatShare(used)} of a core under load and ${formatShare(idle)} idle: the ` +
        `difference is within noise`;
}

/** From this share of the measured phase on a server has no time left, and what comes waits. */
const busyFrom = 0.95;
/** One that ran for a smaller share was kept from running by others; deliveries did not use it up. */
const ranLeast = 0.5;

/** What the busiest thread of the busiest server did, as shares of the measured phase. */
function busiestOf(trial: Completed): { ran: number; waited: number } | undefined {
  return (
    trial.processes
      .filter(({ role }) => role === 'server')
      // What a whole tree of processes used says nothing of the busiest of them.
      .filter(({ busiest, outside }) => busiest !== undefined || !outside)
      .map(({ busiest = { ranUs: undefined, waitedUs: 0 }, cpuUs, wallUs }) => ({
        ran: (busiest.ranUs ?? cpuUs) / wallUs,
        waited: busiest.waitedUs / wallUs,
      }))
      .toSorted((a, b) => b.ran + b.waited - a.ran - a.waited)[0]
  );
}

const serverBusy: Metric['read'] = (trial) => {
  const busiest = busiestOf(trial);
  return busiest && busiest.ran + busiest.waited;
};

/**
 * Whether the server had no time left. `saturated`: it was asked to do too much, so deliveries queued.
 * `starved`: other processes had the cores.
 */
export function lackOfTime(trial: Completed): 'saturated' | 'starved' | undefined {
  const busiest = busiestOf(trial);
  if (!busiest || busiest.ran + busiest.waited < busyFrom) return undefined;
  return busiest.ran < ranLeast ? 'starved' : 'saturated';
}

/** Nothing where one of them was not read. */
function sumKnown(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return values.length === 0 || known.length < values.length ? undefined : known.reduce((a, b) => a + b, 0);
}

const memoryPerSubscriber =
  (role: Role): Metric['read'] =>
  (trial) => {
    const bytes = total(role, (process) => process.rssConnectedBytes - process.rssBaselineBytes)(trial);
    return bytes === undefined ? undefined : bytes / trial.subscribers;
  };

export const processMetrics: Readonly<Record<string, Metric>> = {
  'server-cpu-per-delivery': {
    unit: 'us',
    rests: ['server-cpu', 'losses'],
    title: 'server CPU per delivery',
    description: 'CPU time of all servers for each delivery, minus what they use while nothing is published.',
    better: 'lower',
    lost: (trial) => startsInIt(trial) ?? lostInIdle(trial),
    read: cpuPerDelivery('server', besidesIdle),
  },
  'server-cpu-per-delivery.whole': {
    unit: 'us',
    rests: ['server-cpu', 'losses'],
    title: "server CPU per delivery, including the idle server's",
    description: 'CPU time of all servers for each delivery, with what they use while nothing is published.',
    better: 'lower',
    lost: startsInIt,
    read: cpuPerDelivery('server', shareOf),
  },
  'client-cpu-per-delivery': {
    unit: 'us',
    rests: ['client-cpu', 'losses'],
    title: 'client CPU per delivery',
    description: 'CPU time of all load processes for each delivery.',
    better: 'lower',
    read: cpuPerDelivery('load', shareOf),
  },
  'server-cpu': {
    unit: 'share',
    rests: ['server-cpu'],
    title: 'server CPU, share of a core',
    description: 'CPU of the busiest server in the measured phase; 100 % is one core.',
    better: 'lower',
    read: cpuShare('server'),
  },
  'server-cpu.idle': {
    unit: 'share',
    rests: ['server-cpu'],
    title: 'server CPU before the first event, share of a core',
    description: 'CPU of all servers while nothing is published; 100 % is one core.',
    better: 'lower',
    read: (trial) => sumKnown(of('server', ({ idleShare }) => idleShare)(trial)),
  },
  'server-busy': {
    unit: 'share',
    rests: ['server-cpu'],
    title: "server's busiest thread: ran or waited for a core, share of the measured phase",
    description:
      "Share of the measured phase in which the servers' busiest thread ran, or waited for a core.",
    better: 'lower',
    read: serverBusy,
  },
  'client-cpu': {
    unit: 'share',
    rests: ['client-cpu'],
    title: 'CPU of the busiest load process, share of a core',
    description:
      'CPU of the busiest load process in the measured phase; above 90 % the load generator is the limit.',
    better: 'lower',
    read: cpuShare('load'),
  },
  'server-rss.peak': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'resident memory of the server, highest sample',
    description: 'The most resident memory of each server, as sampled, added up over the servers.',
    better: 'lower',
    read: total('server', ({ rssPeakBytes }) => rssPeakBytes),
  },
  'server-memory-per-subscriber': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'server memory per idle subscriber',
    description: 'Resident memory that the servers took for each subscriber, nothing published yet.',
    better: 'lower',
    leastSubscribers: memorySubscribers,
    read: memoryPerSubscriber('server'),
  },
  'client-memory-per-subscriber': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'client memory per idle subscriber',
    description: 'Resident memory that the load processes took for each subscriber, nothing published yet.',
    better: 'lower',
    read: memoryPerSubscriber('load'),
  },
  'server-loop-delay.p99': {
    unit: 'us',
    rests: ['server-cpu'],
    title: "server's event-loop delay, worst slot's 99 %",
    description: "How long a turn of a server's event loop took: the 99th percentile of the worst slot.",
    better: 'lower',
    // A process that is not ours tells nothing of its loop.
    read(trial) {
      const delaysUs = of(
        'server',
        ({ outside, loopDelayP99Us }) => (outside ? undefined : loopDelayP99Us) ?? [],
      )(trial).flat();
      return delaysUs.length === 0 ? undefined : Math.max(...delaysUs);
    },
  },
};
