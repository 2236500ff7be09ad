// Reads how evenly several servers share the subscribers: what part of them, and of the connections that were
// opened, the busiest one had. A server by itself has no such figure.

import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

type Counted = 'subscribers' | 'handshakes';

const ofServers = ({ processes }: Completed, which: Counted): number[] =>
  processes.flatMap((process) => (process.role === 'server' ? (process[which] ?? []) : []));

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function largestShare(which: Counted, title: string, none: string): Metric {
  return {
    unit: 'share',
    title,
    rests: ['connections'],
    among: { none, count: (trial) => sumOf(ofServers(trial, which)) },
    read(trial) {
      const values = ofServers(trial, which);
      return values.length === 0 ? undefined : Math.max(...values) / sumOf(values);
    },
  };
}

export const serverMetrics: Readonly<Record<string, Metric>> = {
  'busiest-server-share': largestShare(
    'subscribers',
    "busiest server's share of the subscribers at the end of the measured phase",
    'one server was alone, or nobody was connected',
  ),
  'busiest-server-connects': largestShare(
    'handshakes',
    "busiest server's share of the streams and sockets opened in the measured phase",
    'one server was alone, or no stream or socket was opened',
  ),
};
