// Reads what the processes used: CPU, memory, descriptors, and how late the server's event loop was.

import { formatShare } from '../base/units.ts';
import type { Metric } from './metric.ts';
import { perDelivery } from './per.ts';
import type { Completed, ProcessUse } from '../result/result.ts';

/**
 * The limit that texts on connection counts speak of. What a machine really allows is
 * `descriptors.share-of-limit`.
 */
const oftenQuotedLimit = 65_535;
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

/** Half a second of CPU for each process that starts is no cost of deliveries. */
function startsInIt({ faults = [] }: Pick<Completed, 'faults'>): string | undefined {
  return faults.some(({ kind, atUs }) => starting.includes(kind) && atUs !== null)
    ? 'servers started in the measured phase, and the start of a process is no cost of deliveries'
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
/** One that ran for less of it was kept from running: it was not the deliveries that filled it. */
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

const descriptors =
  (
    read: (counts: NonNullable<Completed['descriptors']>, trial: Completed) => number | undefined,
  ): Metric['read'] =>
  (trial) =>
    trial.descriptors ? read(trial.descriptors, trial) : undefined;

export const processMetrics: Readonly<Record<string, Metric>> = {
  'descriptors.peak': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors, highest sample',
    read: descriptors(({ peak }) => peak),
  },
  'descriptors.added': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors for the subscribers, at rest',
    read: descriptors(({ connected, baseline }) => connected - baseline),
  },
  // The same base, so that the two can be held against each other.
  'descriptors.added-peak': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors above the idle ones, highest sample',
    read: descriptors(({ peak, baseline }) => (peak === undefined ? undefined : peak - baseline)),
  },
  'descriptors-per-subscriber': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors per subscriber, at rest',
    read: descriptors(({ connected, baseline }, { subscribers }) => (connected - baseline) / subscribers),
  },
  connections: {
    unit: 'count',
    rests: ['descriptors'],
    title: 'connections that all subscribers held, at rest',
    read: (trial) => trial.connections,
  },
  'connections-per-subscriber': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'connections that a subscriber held, at rest',
    read: ({ connections, subscribers }) =>
      connections === undefined ? undefined : connections / subscribers,
  },
  'descriptors-per-connection': {
    unit: 'count',
    rests: ['descriptors'],
    title: "server descriptors per subscribers' connection, at rest",
    read: descriptors(({ connected, baseline }, { connections }) =>
      connections ? (connected - baseline) / connections : undefined,
    ),
  },
  'descriptors.share-of-65535': {
    unit: 'share',
    rests: ['descriptors'],
    title: 'server descriptors, highest sample, share of 65,535',
    read: descriptors(({ peak }) => (peak === undefined ? undefined : peak / oftenQuotedLimit)),
  },
  'descriptors.share-of-limit': {
    unit: 'share',
    rests: ['descriptors'],
    title: "server descriptors, highest sample, share of the process's own limit",
    read: descriptors(({ peak, limit }) =>
      peak === undefined || limit === undefined ? undefined : peak / limit,
    ),
  },
  'server-cpu-per-delivery': {
    unit: 'us',
    rests: ['server-cpu', 'losses'],
    title: 'server CPU per delivery',
    lost: (trial) => startsInIt(trial) ?? lostInIdle(trial),
    read: cpuPerDelivery('server', besidesIdle),
  },
  'server-cpu-per-delivery.whole': {
    unit: 'us',
    rests: ['server-cpu', 'losses'],
    title: "server CPU per delivery, including the idle server's",
    lost: startsInIt,
    read: cpuPerDelivery('server', shareOf),
  },
  'client-cpu-per-delivery': {
    unit: 'us',
    rests: ['client-cpu', 'losses'],
    title: 'client CPU per delivery',
    read: cpuPerDelivery('load', shareOf),
  },
  'server-cpu': {
    unit: 'share',
    rests: ['server-cpu'],
    title: 'server CPU, share of a core',
    read: cpuShare('server'),
  },
  'server-cpu.idle': {
    unit: 'share',
    rests: ['server-cpu'],
    title: 'server CPU before the first event, share of a core',
    read: (trial) => sumKnown(of('server', ({ idleShare }) => idleShare)(trial)),
  },
  'server-busy': {
    unit: 'share',
    rests: ['server-cpu'],
    title: "server's busiest thread: ran or waited for a core, share of the measured phase",
    read: serverBusy,
  },
  'client-cpu': {
    unit: 'share',
    rests: ['client-cpu'],
    title: 'CPU of the busiest load process, share of a core',
    read: cpuShare('load'),
  },
  'server-rss.peak': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'resident memory of the server, highest sample',
    read: total('server', ({ rssPeakBytes }) => rssPeakBytes),
  },
  'server-memory-per-subscriber': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'server memory per idle subscriber',
    leastSubscribers: memorySubscribers,
    read: memoryPerSubscriber('server'),
  },
  'client-memory-per-subscriber': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'client memory per idle subscriber',
    read: memoryPerSubscriber('load'),
  },
  'server-loop-delay.p99': {
    unit: 'us',
    rests: ['server-cpu'],
    title: "server's event-loop delay, worst slot's 99 %",
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
