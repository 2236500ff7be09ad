// Says what a cluster needs of a machine: connections that one server may come to hold, processes (brokers
// and proxies too), cores.

import { followServers, serversIn } from '../../core/fault/standing.ts';
import type { Fleet } from '../trial/fleet.ts';
import { networksOf } from '../../core/scenario/network.ts';
import { lookupVersion, startsLookupRedis } from '../trial/server-setup.ts';
import { emulatorsOf, startsStoreRedis, storeVersion } from '../trial/shared-store.ts';
import type { TrafficNote } from '../../core/plan/traffic.ts';
import { oneServer } from '../../core/scenario/servers.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { formatNumber } from '../../core/base/units.ts';

type Asked = Partial<Pick<Scenario, 'servers' | 'server' | 'faults' | 'network' | 'variants'>>;

/** Nobody shares connections out to the last one: a server may hold so much more than its part. */
const unevenMost = 1.25;
/** Of sums of shares: no connection. */
const rounding = 1e-6;

/** Server processes that run at a time, at most. */
export function serverProcesses({ servers = oneServer, faults = [] }: Asked): number {
  return serversIn(servers.count, faults);
}

/**
 * Connections that one server may come to hold.
 * @param held by all subscribers; where servers go, others hold theirs too
 */
export function heldByOne(held: number, { servers = oneServer, faults = [] }: Asked): number {
  const { most } = followServers(servers.count, new Map(faults.entries()));
  return Math.min(held, Math.ceil(held * most * unevenMost - rounding));
}

/** Broker, Redis of tokens and of senders, the proxy in front of the servers, the network between them. */
export function processesBeside(asked: Asked): string[] {
  const { servers = oneServer, server, faults = [], network, variants = [] } = asked;
  const { broker, inFront } = servers;
  return [
    ...(broker.kind !== 'in-process' && broker.url === undefined ? ['the broker'] : []),
    ...(server && startsLookupRedis({ server, servers }) ? ['the Redis of tokens'] : []),
    ...(startsStoreRedis(variants) ? ['the Redis that the servers share'] : []),
    ...(networksOf({ network, faults }).length > 0 ? ['the network'] : []),
    ...(inFront.kind === 'list' ? [] : ['HAProxy']),
  ];
}

/** A note where servers, brokers and proxies are more processes than there are cores. */
export function sharedCores(scenario: Asked, loads: number, cores: number): TrafficNote[] {
  const servers = serverProcesses(scenario);
  const beside = processesBeside(scenario);
  if (servers + beside.length <= 1 || servers + beside.length + loads + 1 <= cores) return [];
  const all = [
    `${servers} ${servers === 1 ? 'server' : 'servers'}`,
    ...beside,
    ...(loads === 0 ? [] : [loads === 1 ? 'the load process' : `${loads} load processes`]),
  ];
  return [
    {
      code: 'shared-cores',
      message:
        `${all.join(', ')} and the publisher share ${formatNumber(cores)} ` +
        `${cores === 1 ? 'core' : 'cores'} and wait for one another. Latencies, times to come back and how ` +
        'much a server can take are those of this machine, not of one with enough cores; counts of ' +
        'deliveries, requests and bytes are not affected.',
    },
  ];
}

/**
 * What the trials start beside our own processes, with its version.
 * @throws UserError when it is not installed
 */
export function programsOf(
  steps: readonly { plan: { scenario: Pick<Scenario, 'servers' | 'server' | 'variants'> } }[],
  fleet: Pick<Fleet, 'brokerVersion' | 'frontVersion' | 'emulatorName'>,
): string[] {
  const versions = steps.flatMap(({ plan: { scenario } }) => [
    fleet.brokerVersion(scenario.servers.broker),
    fleet.frontVersion(scenario.servers.inFront),
    lookupVersion(scenario, fleet),
    storeVersion(scenario.variants, fleet),
    ...emulatorsOf(scenario.variants, fleet),
  ]);
  return [...new Set(versions.filter((one) => one !== undefined))];
}
