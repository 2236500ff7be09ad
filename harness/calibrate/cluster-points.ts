// Plans the trials that measure what stands beside servers: each broker with one server and with two, against
// the same server by itself; and HAProxy in front of a server, against points that the planes have.

import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import type { BrokerName } from '../../core/scenario/servers.ts';
import {
  corners,
  isCaller,
  placesFor,
  planPoints,
  type ClusterPlace,
  type Extent,
  type Point,
} from './points.ts';

/** What is installed and is to be measured. */
export type Installed = { brokers: readonly BrokerName[]; haproxy: boolean };

/** Of each server: enough for a first and a last, so few that the path of an event is most of its cost. */
const receivers = 2;

/**
 * All trials: the corners of the planes, then brokers and HAProxy once, then the rest of the planes, and the
 * second trials of brokers and HAProxy at the end. Where time is short, the points left out lie between
 * measured ones.
 */
export function planAll(
  patterns: readonly string[],
  registry: PatternRegistry,
  extent: Extent,
  installed: Installed,
): Point[] {
  const planes = planPoints(patterns, registry, extent);
  const beside = planCluster(patterns, registry, extent, installed);
  const first = patterns.length * corners;
  return [
    ...planes.slice(0, first),
    ...beside.filter(({ repetition }) => repetition === 1),
    ...planes.slice(first),
    ...beside.filter(({ repetition }) => repetition > 1),
  ];
}

function planCluster(
  patterns: readonly string[],
  registry: PatternRegistry,
  extent: Extent,
  { brokers, haproxy }: Installed,
): Point[] {
  const { brokerPerS, brokerMeasureMs, events, trials } = extent;
  const pattern = streamIn(patterns, registry);
  const places: ClusterPlace[] =
    brokers.length === 0
      ? []
      : [
          { kind: 'direct' },
          ...([1, 2] as const).flatMap((servers) =>
            brokers.map((broker) => ({ kind: 'broker' as const, broker, servers })),
          ),
        ];
  return repeated(trials, (repetition) => [
    ...brokerPerS.flatMap((perS) =>
      places.map((cluster) => ({
        pattern,
        subscribers: receivers * (cluster.kind === 'broker' ? cluster.servers : 1),
        perS,
        measureMs: Math.max(brokerMeasureMs, Math.ceil(events / trials / perS) * 1000),
        repetition,
        cluster,
      })),
    ),
    ...(haproxy ? planFront(patterns, registry, extent, repetition) : []),
  ]);
}

/** At corners of the planes, which are measured without HAProxy. Webhooks do not go through it. */
function planFront(
  patterns: readonly string[],
  registry: PatternRegistry,
  extent: Extent,
  repetition: number,
): Point[] {
  const asking = patterns.filter((name) => !isCaller(registry[name]!));
  return [0, ...(extent.frontTwice ? [1] : [])].flatMap((corner) =>
    asking.map((pattern) => ({
      pattern,
      ...placesFor(pattern, registry, extent)[corner]!, // there are three at least
      measureMs: extent.frontMeasureMs,
      repetition,
      cluster: { kind: 'front' as const },
    })),
  );
}

/** The cost of an event with a broker does not depend on the pattern, so one that streams stands for all. */
function streamIn(patterns: readonly string[], registry: PatternRegistry): string {
  const streams = (name: string) => registry[name]!.holdsConnection && !registry[name]!.fromHistory;
  return [...patterns, ...Object.keys(registry)].find(streams)!; // the registry has some
}

function repeated(trials: number, of: (repetition: number) => Point[]): Point[] {
  return Array.from({ length: trials }, (_, i) => of(i + 1)).flat();
}
