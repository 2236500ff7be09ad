// Reads what the processes used: CPU, memory, descriptors, and how late the server's event loop was.

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
const of = (role: Role, read: (process: ProcessUse) => number) => (trial: Completed) =>
  trial.processes.filter((process) => process.role === role).map(read);

const total = (role: Role, read: (process: ProcessUse) => number) => (trial: Completed) => {
  const all = of(role, read)(trial);
  return all.length === 0 ? undefined : all.reduce((a, b) => a + b, 0);
};

const largest = (role: Role, read: (process: ProcessUse) => number) => (trial: Completed) => {
  const all = of(role, read)(trial);
  return all.length === 0 ? undefined : Math.max(...all);
};

const cpuPerDelivery = (role: Role) => perDelivery(total(role, ({ cpuUs }) => cpuUs));
const cpuShare = (role: Role) => largest(role, ({ cpuUs, wallUs }) => cpuUs / wallUs);

const memoryPerSubscriber =
  (role: Role): Metric['read'] =>
  (trial) => {
    const bytes = total(role, (process) => process.rssConnectedBytes - process.rssBaselineBytes)(trial);
    return bytes === undefined ? undefined : bytes / trial.subscribers;
  };

const descriptors =
  (read: (counts: NonNullable<Completed['descriptors']>, trial: Completed) => number): Metric['read'] =>
  (trial) =>
    trial.descriptors ? read(trial.descriptors, trial) : undefined;

export const processMetrics: Readonly<Record<string, Metric>> = {
  'descriptors.peak': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors, peak',
    read: descriptors(({ peak }) => peak),
  },
  'descriptors.added': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors for the subscribers',
    read: descriptors(({ connected, baseline }) => connected - baseline),
  },
  'descriptors-per-subscriber': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors per subscriber',
    read: descriptors(({ connected, baseline }, { subscribers }) => (connected - baseline) / subscribers),
  },
  'descriptors.share-of-65535': {
    unit: 'share',
    rests: ['descriptors'],
    title: 'server descriptors, peak, share of 65,535',
    read: descriptors(({ peak }) => peak / oftenQuotedLimit),
  },
  'descriptors.share-of-limit': {
    unit: 'share',
    rests: ['descriptors'],
    title: "server descriptors, peak, share of the process's own limit",
    read: descriptors(({ peak, limit }) => peak / limit),
  },
  'server-cpu-per-delivery': {
    unit: 'us',
    rests: ['server-cpu', 'losses'],
    title: 'server CPU per delivery',
    read: cpuPerDelivery('server'),
  },
  'client-cpu-per-delivery': {
    unit: 'us',
    rests: ['client-cpu', 'losses'],
    title: 'client CPU per delivery',
    read: cpuPerDelivery('load'),
  },
  'server-cpu': {
    unit: 'share',
    rests: ['server-cpu'],
    title: 'server CPU, share of a core',
    read: cpuShare('server'),
  },
  'client-cpu': {
    unit: 'share',
    rests: ['client-cpu'],
    title: 'CPU of the busiest load process, share of a core',
    read: cpuShare('load'),
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
    read: (trial) =>
      largest(
        'server',
        (process) => process.loopDelayP99Us,
      )({ ...trial, processes: trial.processes.filter(({ outside }) => !outside) }),
  },
};
