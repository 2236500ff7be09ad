// Checks before anything starts whether this machine has what the scenario needs: descriptors, ports, memory.
// It refuses with the exact shortfall and the command that fixes it. It predicts no performance.

import { exitCodes, UserError } from '../../core/base/errors.ts';
import { subscribersPerAddress } from '../../core/base/source-address.ts';
import type { Pattern } from '../../core/pattern/pattern.ts';
import { networksOf } from '../../core/scenario/network.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import { formatBytes, formatNumber } from '../../core/base/units.ts';
import { heldByOne, processesBeside, serverProcesses } from './cluster-room.ts';
import { usableCores, type Machine } from './machine.ts';

/** What a Node process holds open before its first subscriber, with room for its libraries. */
const processDescriptors = 64;
/** Measured: 4 to 8 KB on the load side and 10 to 14 KB on the server, and the kernel's buffers. */
const subscriberBytes = 32 * 1024;
const processBytes = 80 * 1024 ** 2;

/**
 * How many load processes a scenario gets: one for each core that servers and publisher leave over, more
 * when descriptors ask for it.
 */
export function loadProcessCount(
  scenario: Pick<Scenario, 'subscribers' | 'loadProcesses'> & Partial<Pick<Scenario, 'servers' | 'faults'>>,
  machine: Machine,
): number {
  if (scenario.loadProcesses !== undefined) return Math.min(scenario.loadProcesses, scenario.subscribers);
  const perProcess = (machine.descriptorLimit ?? Infinity) - processDescriptors;
  const forDescriptors = Math.ceil(scenario.subscribers / Math.max(1, perProcess));
  // Below a few thousand subscribers a second process costs more than it carries.
  const forCores = Math.min(
    Math.max(1, Math.floor(usableCores(machine)) - 1 - serverProcesses(scenario)),
    Math.ceil(scenario.subscribers / 5000),
  );
  return Math.max(forDescriptors, forCores);
}

/**
 * Refuses what cannot work, with everything that is short in one message.
 * @throws UserError with exit code 3
 */
export function preflight(scenario: Scenario, patterns: readonly Pattern[], machine: Machine): void {
  const shortfalls: string[] = [];
  const held = patterns.some((pattern) => pattern.holdsConnection) ? scenario.subscribers : 0;
  const { descriptorLimit: limit } = machine;
  shortfalls.push(...descriptorsOf(held, scenario, limit));
  const perLoad = Math.ceil(held / loadProcessCount(scenario, machine)) + processDescriptors;
  if (limit !== undefined && limit < perLoad) {
    shortfalls.push(
      `each load process needs ${formatNumber(perLoad)} file descriptors and the limit is ` +
        `${formatNumber(limit)}: leave loadProcesses out or raise it, so that each has fewer subscribers`,
    );
  }
  const { ephemeralPorts: ports, loopback } = machine;
  if (loopback === 'none')
    shortfalls.push(
      'no loopback interface is up, and servers and clients meet there. Bring it up with ' +
        '"ip link set lo up"',
    );
  // Only Linux has 127.0.0.2 and those after it, and IPv6 has no other loopback address than ::1.
  const oneAddress = loopback === '::1' || machine.hasProc === false;
  if (oneAddress && held > subscribersPerAddress)
    shortfalls.push(
      `${formatNumber(held)} connections do not fit between two addresses, and this machine has the one ` +
        `loopback address ${loopback ?? '127.0.0.1'}: use at most ${formatNumber(subscribersPerAddress)} ` +
        'subscribers, or a Linux machine with 127.0.0.1',
    );
  const perAddress = Math.min(held, subscribersPerAddress);
  if (ports !== undefined && ports < perAddress) {
    shortfalls.push(
      `${formatNumber(perAddress)} connections from one address need as many ephemeral ports and the ` +
        `range holds ${formatNumber(ports)}. Widen it with "sysctl -w ` +
        `net.ipv4.ip_local_port_range='10240 65535'"`,
    );
  }
  const needBytes = (subscribers: number) =>
    subscribers * subscriberBytes +
    (1 + serverProcesses(scenario) + processesBeside(scenario).length) * processBytes +
    loadProcessCount({ ...scenario, subscribers }, machine) * processBytes;
  const { freeBytes, memoryLimitBytes } = machine;
  if (freeBytes !== undefined && freeBytes < needBytes(scenario.subscribers)) {
    // Fewer subscribers need fewer processes, so the answer is closed in on and not computed.
    let fitting = scenario.subscribers;
    while (fitting > 1 && needBytes(fitting) > freeBytes) fitting = Math.floor(fitting * 0.95);
    shortfalls.push(
      `about ${formatBytes(needBytes(scenario.subscribers))} of memory are needed and ` +
        `${formatBytes(freeBytes)} are free` +
        (memoryLimitBytes === undefined
          ? ''
          : ` under this container's limit of ${formatBytes(memoryLimitBytes)} (docker run --memory, ` +
            'resources.limits.memory in Kubernetes)') +
        `: use at most ${formatNumber(fitting)} subscribers`,
    );
  }
  if (shortfalls.length > 0) {
    throw new UserError(
      'preflight',
      `This machine cannot run "${scenario.name}":\n${shortfalls.map((line) => `  - ${line}.`).join('\n')}`,
      exitCodes.failed,
    );
  }
}

/** Descriptors that a server, or what is in front of several, is short of. */
function descriptorsOf(held: number, scenario: Scenario, limit: number | undefined): string[] {
  if (limit === undefined) return [];
  const { count, inFront } = scenario.servers;
  const onServer = heldByOne(held, scenario) + processDescriptors;
  // A proxy holds the connection that came in, and one to a server.
  const onProxy = 2 * held + processDescriptors;
  const needs = [
    {
      who: count === 1 ? 'the server process' : `each of ${count} server processes`,
      what:
        count === 1 ? 'one per subscriber' : 'one per subscriber, and a server may get more than its share',
      count: onServer,
    },
    ...(inFront.kind === 'list' ? [] : [{ who: 'HAProxy', what: 'two per subscriber', count: onProxy }]),
    ...(networksOf(scenario).includes('clients')
      ? [{ who: 'the network', what: 'two per subscriber', count: onProxy }]
      : []),
  ];
  return needs
    .filter((need) => limit < need.count)
    .map(
      (need) =>
        `${need.who} needs ${formatNumber(need.count)} file descriptors (${need.what} and ` +
        `${processDescriptors} of its own), and the limit is ${formatNumber(limit)}: short of ` +
        `${formatNumber(need.count - limit)}. Raise it with "ulimit -n ${need.count}" in this shell (as ` +
        'root where the hard limit is lower), or use fewer subscribers',
    );
}
