// Reads what it took to connect all subscribers: how long, and the memory of a connection on either side and
// in the kernel.

import type { Metric } from './metric.ts';
import { kernelBytes } from '../result/host-memory.ts';
import type { Completed } from '../result/result.ts';

/** With fewer the figure is lost in what the host does meanwhile. */
const leastSubscribers = 1000;

const kernelOf = ({ hostMemory }: Completed): number | undefined => hostMemory && kernelBytes(hostMemory);

/** Of servers and load processes together; none where the servers are not ours to read. */
const processesOf = ({ processes }: Completed): number | undefined => {
  const grown = (which: string) =>
    processes
      .filter(({ role }) => role === which)
      .map(({ rssConnectedBytes, rssBaselineBytes }) => rssConnectedBytes - rssBaselineBytes);
  const [servers, loads] = [grown('server'), grown('load')];
  if (servers.length === 0 || loads.length === 0) return undefined;
  return [...servers, ...loads].reduce((sum, bytes) => sum + bytes, 0);
};

const perConnection =
  (...parts: ((trial: Completed) => number | undefined)[]): Metric['read'] =>
  (trial) => {
    const bytes = parts.map((part) => part(trial));
    if (!trial.connections || bytes.includes(undefined)) return undefined;
    return bytes.reduce<number>((sum, one) => sum + (one ?? 0), 0) / trial.connections;
  };

export const connectingMetrics: Readonly<Record<string, Metric>> = {
  'connect-time': {
    unit: 'us',
    rests: [],
    title: 'time until all subscribers were connected',
    description:
      "Time from the first connection until all subscribers were connected, the scenario's ramp included.",
    better: 'lower',
    read: ({ connectUs }) => connectUs,
  },
  'kernel-memory-per-connection': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'kernel memory per idle connection, both ends',
    description: 'Memory that the kernel took for each open connection, for both ends together.',
    better: 'lower',
    leastSubscribers,
    read: perConnection(kernelOf),
  },
  'memory-per-connection': {
    unit: 'bytes',
    rests: ['memory'],
    title: 'memory per idle connection: server, client and kernel together',
    description: 'Memory that server, load processes and kernel took together for each open connection.',
    better: 'lower',
    leastSubscribers,
    read: perConnection(processesOf, kernelOf),
  },
};
