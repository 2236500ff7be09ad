// Reads the file descriptors of the servers, and the connections that subscribers held.

import type { Metric } from './metric.ts';
import type { Completed } from '../result/result.ts';

/**
 * The limit that texts on connection counts speak of. What a machine really allows is
 * `descriptors.share-of-limit`.
 */
const oftenQuotedLimit = 65_535;

const descriptors =
  (
    read: (counts: NonNullable<Completed['descriptors']>, trial: Completed) => number | undefined,
  ): Metric['read'] =>
  (trial) =>
    trial.descriptors ? read(trial.descriptors, trial) : undefined;

export const descriptorMetrics: Readonly<Record<string, Metric>> = {
  'descriptors.peak': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors, highest sample',
    description: 'The most file descriptors that the servers had open at a time, as sampled.',
    better: 'lower',
    read: descriptors(({ peak }) => peak),
  },
  'descriptors.added': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors for the subscribers, at rest',
    description:
      'File descriptors that the servers opened for their subscribers: all connected, nothing published yet.',
    better: 'lower',
    read: descriptors(({ connected, baseline }) => connected - baseline),
  },
  // The same base, so that the two can be compared.
  'descriptors.added-peak': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors above the idle ones, highest sample',
    description: 'The most file descriptors that the servers had open above what they hold idle, as sampled.',
    better: 'lower',
    read: descriptors(({ peak, baseline }) => (peak === undefined ? undefined : peak - baseline)),
  },
  'descriptors-per-subscriber': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'server descriptors per subscriber, at rest',
    description:
      'File descriptors that the servers opened for each subscriber: all connected, nothing published yet.',
    better: 'lower',
    read: descriptors(({ connected, baseline }, { subscribers }) => (connected - baseline) / subscribers),
  },
  connections: {
    unit: 'count',
    rests: ['descriptors'],
    title: 'connections that all subscribers held, at rest',
    description: 'Connections between subscribers and servers: all connected, nothing published yet.',
    better: 'lower',
    read: (trial) => trial.connections,
  },
  'connections-per-subscriber': {
    unit: 'count',
    rests: ['descriptors'],
    title: 'connections that a subscriber held, at rest',
    description: 'Connections of each subscriber: all connected, nothing published yet.',
    better: 'lower',
    read: ({ connections, subscribers }) =>
      connections === undefined ? undefined : connections / subscribers,
  },
  'descriptors-per-connection': {
    unit: 'count',
    rests: ['descriptors'],
    title: "server descriptors per subscribers' connection, at rest",
    description: 'File descriptors that the servers opened for each connection of subscribers.',
    better: 'lower',
    read: descriptors(({ connected, baseline }, { connections }) =>
      connections ? (connected - baseline) / connections : undefined,
    ),
  },
  'descriptors.share-of-65535': {
    unit: 'share',
    rests: ['descriptors'],
    title: 'server descriptors, highest sample, share of 65,535',
    description:
      'The most file descriptors that the servers had open at a time, as a share of the often quoted 65,535.',
    better: 'lower',
    read: descriptors(({ peak }) => (peak === undefined ? undefined : peak / oftenQuotedLimit)),
  },
  'descriptors.share-of-limit': {
    unit: 'share',
    rests: ['descriptors'],
    title: "server descriptors, highest sample, share of the process's own limit",
    description: 'The most file descriptors that the servers had open at a time, as a share of their limit.',
    better: 'lower',
    read: descriptors(({ peak, limit }) =>
      peak === undefined || limit === undefined ? undefined : peak / limit,
    ),
  },
};
