// Reads how evenly several servers share the subscribers: what part of them, and of the connections that were
// opened, the busiest one had. A server by itself has no such figure.

import type { Metric } from './metric.ts';
import { streams } from './who-has.ts';
import type { Completed } from '../result/result.ts';

type Counted = 'subscribers' | 'handshakes';

const ofServers = ({ processes }: Completed, which: Counted): number[] =>
  processes.flatMap((process) => (process.role === 'server' ? (process[which] ?? []) : []));

const sumOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0);

function largestShare(
  which: Counted,
  { title, description, none }: Pick<Metric, 'title' | 'description'> & { none: string },
): Metric {
  return {
    unit: 'share',
    title,
    description,
    better: 'lower',
    rests: ['connections'],
    among: { none, count: (trial) => sumOf(ofServers(trial, which)) },
    read(trial) {
      const values = ofServers(trial, which);
      return values.length === 0 ? undefined : Math.max(...values) / sumOf(values);
    },
  };
}

export const serverMetrics: Readonly<Record<string, Metric>> = {
  'busiest-server-share': largestShare('subscribers', {
    title: "busiest server's share of the subscribers at the end of the measured phase",
    description: 'Share of the connected subscribers that the busiest of several servers had at the end.',
    none: 'there was only one server, or nobody was connected',
  }),
  'busiest-server-connects': {
    ...largestShare('handshakes', {
      title: "busiest server's share of the streams and sockets opened in the measured phase",
      description:
        'Share of the streams and sockets of the measured phase that were opened to the busiest server.',
      none: 'there was only one server, or no stream or socket was opened',
    }),
    has: streams,
  },
};
