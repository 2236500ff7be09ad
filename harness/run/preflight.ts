// Checks before anything starts whether this machine has what the scenario needs: descriptors, ports, memory.
// It refuses with the exact shortfall and the command that fixes it. It predicts no performance.

import { exitCodes, UserError } from '../../core/base/errors.ts';
import {
  connectionsFromUsual,
  connectionsPerAddress,
  mostFromOneAddress,
} from '../../core/base/source-address.ts';
import { mostServers } from '../../core/fault/fields.ts';
import { endsOrBegins } from '../../core/fault/standing.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { networksOf } from '../../core/scenario/network.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { formatBytes, formatNumber } from '../../core/base/units.ts';
import { heldByOne, processesBeside, serverProcesses } from './cluster-room.ts';
import { usableCores, type Machine } from './machine.ts';
import type { OnWorkers } from './run-options.ts';
import { socketsHeld } from './sockets.ts';

type Asked = Pick<Scenario, 'subscribers' | 'variants' | 'loadProcesses'> &
  Partial<Pick<Scenario, 'servers' | 'faults'>>;

/** What a Node process holds open before its first subscriber, with room for its libraries. */
const processDescriptors = 64;
/** Measured: 4 to 8 KB on the load side and 10 to 14 KB on the server, and the kernel's buffers. */
const subscriberBytes = 32 * 1024;
const processBytes = 80 * 1024 ** 2;

/**
 * How many load processes a scenario gets: one for each core that servers and publisher leave over, more
 * when descriptors ask for it.
 */
export function loadProcessCount(scenario: Asked, registry: PatternRegistry, machine: Machine): number {
  if (scenario.loadProcesses !== undefined) return Math.min(scenario.loadProcesses, scenario.subscribers);
  const perProcess = (machine.descriptorLimit ?? Infinity) - processDescriptors;
  const forDescriptors = Math.ceil(socketsHeld(scenario, registry) / Math.max(1, perProcess));
  // Below a few thousand subscribers a second process costs more than it carries.
  const forCores = Math.min(
    Math.max(1, Math.floor(usableCores(machine)) - 1 - serverProcesses(scenario)),
    Math.ceil(scenario.subscribers / 5000),
  );
  return Math.max(forDescriptors, forCores);
}

/** Descriptors that each of so many load processes needs. @param held sockets of all subscribers together */
export function descriptorsOfLoad(held: number, loads: number): number {
  return Math.ceil(held / loads) + processDescriptors;
}

/**
 * Ephemeral ports that load processes on a machine of their own need: all of their connections come from one
 * address, and each takes a port of the way to one server.
 * @param held sockets of all subscribers together
 * @param share of the load processes that run on that machine
 */
export function portsOfLoad(held: number, scenario: Asked, share: number): number {
  return Math.ceil(heldByOne(held, scenario) * share);
}

/**
 * Refuses what cannot work, with everything that is short in one message.
 * @param workers make the load, so that this machine need not hold it
 * @throws UserError with exit code 3
 */
export function preflight(
  scenario: Scenario,
  registry: PatternRegistry,
  machine: Machine,
  workers?: Pick<OnWorkers, 'away'>,
): void {
  const short = shortfalls(scenario, registry, machine, workers);
  if (short.length === 0) return;
  throw new UserError(
    'preflight',
    `This machine cannot run "${scenario.name}":\n${short.map((line) => `  - ${line}.`).join('\n')}`,
    exitCodes.failed,
  );
}

/** What this machine has too little of, and what to do about it: a sentence each, without its full stop. */
export function shortfalls(
  scenario: Scenario,
  registry: PatternRegistry,
  machine: Machine,
  workers?: Pick<OnWorkers, 'away'>,
): string[] {
  const held = socketsHeld(scenario, registry);
  const loads = (subscribers: number) =>
    workers === undefined ? loadProcessCount({ ...scenario, subscribers }, registry, machine) : 0;
  return [
    ...descriptorsOfServers(held, scenario, machine),
    ...(workers === undefined ? descriptorsOfLoads(held, loads(scenario.subscribers), machine) : []),
    ...loopbackOf(machine),
    ...(workers?.away === true ? [] : addressesAndPorts(held, machine)),
    ...memoryOf(scenario, loads, machine),
  ];
}

function descriptorsOfLoads(held: number, loads: number, { descriptorLimit: limit }: Machine): string[] {
  const perLoad = descriptorsOfLoad(held, loads);
  if (limit === undefined || limit >= perLoad) return [];
  return [
    `each load process needs ${formatNumber(perLoad)} file descriptors and the limit is ` +
      `${formatNumber(limit)}: leave loadProcesses out or raise it, so that each has fewer subscribers`,
  ];
}

function loopbackOf({ loopback }: Machine): string[] {
  if (loopback !== 'none') return [];
  return [
    'no loopback interface is up, and servers and clients meet there. Bring it up with "ip link set lo up"',
  ];
}

function addressesAndPorts(held: number, machine: Machine): string[] {
  const short: string[] = [];
  const { ephemeralPorts: ports, loopback } = machine;
  // Only Linux has 127.0.0.2 and those after it, and IPv6 has no other loopback address than ::1.
  const oneAddress = loopback === '::1' || machine.hasProc === false;
  if (oneAddress && held > mostFromOneAddress)
    short.push(
      `${formatNumber(held)} connections do not fit between two addresses, and this machine has the one ` +
        `loopback address ${loopback ?? '127.0.0.1'}: use at most ${formatNumber(mostFromOneAddress)} ` +
        'subscribers, or a Linux machine with 127.0.0.1',
    );
  const fromOne = held > connectionsFromUsual ? connectionsPerAddress : connectionsFromUsual;
  const perAddress = Math.min(held, oneAddress ? mostFromOneAddress : fromOne);
  if (ports !== undefined && ports < perAddress) {
    short.push(
      `${formatNumber(perAddress)} connections from one address need as many ephemeral ports and the ` +
        `range holds ${formatNumber(ports)}. Widen it with "sysctl -w ` +
        `net.ipv4.ip_local_port_range='10240 65535'"`,
    );
  }
  return short;
}

function memoryOf(
  scenario: Scenario,
  loads: (subscribers: number) => number,
  { freeBytes, memoryLimitBytes }: Machine,
): string[] {
  const needBytes = (subscribers: number) =>
    subscribers * subscriberBytes +
    (1 + serverProcesses(scenario) + processesBeside(scenario).length) * processBytes +
    loads(subscribers) * processBytes;
  if (freeBytes === undefined || freeBytes >= needBytes(scenario.subscribers)) return [];
  // Fewer subscribers need fewer processes, so the answer is closed in on and not computed.
  let fitting = scenario.subscribers;
  while (fitting > 1 && needBytes(fitting) > freeBytes) fitting = Math.floor(fitting * 0.95);
  return [
    `about ${formatBytes(needBytes(scenario.subscribers))} of memory are needed and ` +
      `${formatBytes(freeBytes)} are free` +
      (memoryLimitBytes === undefined
        ? ''
        : ` under this container's limit of ${formatBytes(memoryLimitBytes)} (docker run --memory, ` +
          'resources.limits.memory in Kubernetes)') +
      `: use at most ${formatNumber(fitting)} subscribers`,
  ];
}

/** Descriptors that a server, or the proxy in front of several, is short of. */
function descriptorsOfServers(held: number, scenario: Scenario, machine: Machine): string[] {
  const { descriptorLimit: limit } = machine;
  if (limit === undefined) return [];
  const { count, inFront } = scenario.servers;
  const onServer = heldByOne(held, scenario) + processDescriptors;
  // A proxy holds the connection that came in, and one to a server.
  const onProxy = { what: 'two per subscriber', count: 2 * held + processDescriptors };
  const needs = [
    {
      who: count === 1 ? 'the server process' : `each of ${count} server processes`,
      what: count === 1 ? 'one per subscriber' : mostOfOne(scenario),
      count: onServer,
      instead: moreServers(held, scenario, limit),
    },
    ...(inFront.kind === 'list'
      ? []
      : [{ who: 'HAProxy', ...onProxy, instead: 'reach the servers by a list (servers.in-front)' }]),
    ...(networksOf(scenario).includes('clients')
      ? [{ who: 'the network', ...onProxy, instead: undefined }]
      : []),
  ];
  return needs
    .filter((need) => limit < need.count)
    .map(
      ({ who, what, count: needed, instead }) =>
        `${who} needs ${formatNumber(needed)} file descriptors (${what} and ` +
        `${processDescriptors} of its own), and the limit is ${formatNumber(limit)}: short of ` +
        `${formatNumber(needed - limit)}. ` +
        (machine.mayHold?.(needed) === false
          ? 'This system lets no process have so many: use fewer subscribers'
          : `Raise it with "ulimit -n ${needed}" in this shell, or use fewer subscribers`) +
        (instead === undefined ? '' : `, or ${instead}`),
    );
}

function mostOfOne({ faults }: Scenario): string {
  return faults.some(endsOrBegins)
    ? 'one per subscriber, including those of servers that end'
    : 'one per subscriber, with room for more than its share';
}

/** How many servers it takes so that none needs more than the limit; undefined where no number will do. */
function moreServers(held: number, scenario: Scenario, limit: number): string | undefined {
  const { servers } = scenario;
  for (let count = servers.count + 1; count <= mostServers; count++)
    if (heldByOne(held, { ...scenario, servers: { ...servers, count } }) + processDescriptors <= limit)
      return `${count} servers (servers.count)${servers.count === 1 ? ' with a broker' : ''}`;
  return undefined;
}
