// Refuses what workers cannot do in a scenario, before any of them is asked for: what takes place on one
// machine by its nature, and addresses that nobody else reaches.

import { once } from 'node:events';
import { createServer, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { messageOf, UserError } from '../../core/base/errors.ts';
import { allowedHost, isLoopbackHost } from '../../core/http/access.ts';
import { listed } from '../../core/base/suggest.ts';
import type { PatternRegistry } from '../../core/pattern/pattern.ts';
import { networksOf } from '../../core/scenario/network.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';

/**
 * An address that servers are to listen on, in the one form that `--allow` has, too (core/http/access.ts).
 * @throws UserError when it is none, or stands for all of them
 */
export function checkedListen(text: string): string {
  const address = isIP(text) === 0 ? undefined : allowedHost(text);
  if (address === undefined || ['0.0.0.0', '::'].includes(address))
    throw new UserError(
      'listen',
      `--listen ${text}: give the one address of this machine that workers reach it by, such as 10.0.0.5 ` +
        '("ip address" shows them).',
    );
  return address;
}

/**
 * Listens there for a moment: what can be listened on is more than the interfaces list (127.0.0.2, local
 * routes), and servers are started by this process.
 * @param address as `checkedListen` gives it
 * @throws UserError when this machine does not have it
 */
export async function refuseForeign(address: string): Promise<void> {
  const probe = createServer().listen(0, address);
  try {
    await once(probe, 'listening');
  } catch (error) {
    const own = ownAddresses();
    throw new UserError(
      'listen',
      `--listen ${address}: no server can listen there (${messageOf(error)}). Give the address of this ` +
        `machine that workers reach it by${own.length === 0 ? '' : `; it has ${listed(own)}`}.`,
    );
  } finally {
    probe.close();
  }
}

/** What other machines may reach; addresses that need a zone are left out. */
function ownAddresses(): string[] {
  try {
    return Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter((one) => !one.internal && !(one.family === 'IPv6' && one.scopeid !== 0))
      .map(({ address }) => address);
  } catch {
    return []; // the system does not say
  }
}

/**
 * @param listen of our own servers; that of loopback when left out
 * @throws UserError with everything in the scenario that cannot be had on workers
 */
export function refuseUnfit(scenario: Scenario, registry: PatternRegistry, listen: string | undefined): void {
  const why = [
    ...unfitOnWorkers(scenario),
    ...(isElsewhere(listen) ? unfitElsewhere(scenario, registry) : []),
  ];
  if (why.length === 0) return;
  throw new UserError(
    'workers',
    `"${scenario.name}" cannot run with --workers${isElsewhere(listen) ? ` and --listen ${listen}` : ''}:\n` +
      why.map((line) => `  - ${line}.`).join('\n'),
  );
}

function isElsewhere(listen: string | undefined): listen is string {
  return listen !== undefined && !isLoopbackHost(listen);
}

function unfitOnWorkers({ faults }: Scenario): string[] {
  return faults.some((fault) => fault.kind === 'freeze' && fault.who === 'load')
    ? ['the fault "freeze: load" stops processes of this machine: leave it out, or stop a worker yourself']
    : [];
}

/** Servers that listen on another address than loopback. */
function unfitElsewhere(scenario: Scenario, registry: PatternRegistry): string[] {
  const { servers, server, variants } = scenario;
  const own = variants.filter(({ target }) => target === undefined);
  const overTls = own.filter(
    ({ pattern, options }) => (registry[pattern]?.httpVersion?.(options) ?? 'h1') === 'h2',
  );
  const webhooks = own.filter(({ pattern }) => pattern === 'webhook');
  return [
    ...(servers.inFront.kind === 'list'
      ? []
      : ['what stands in front of the servers (servers.in-front) listens on loopback: leave it out']),
    ...(networksOf(scenario).length > 0
      ? ['the network that pushbench makes worse is on loopback: leave it out, the one between is real']
      : []),
    ...(server.tls || overTls.length > 0
      ? ['TLS uses a certificate for loopback: leave server.tls out, and HTTP/2 over TLS (over: h2)']
      : []),
    ...(webhooks.length > 0
      ? ['webhooks are sent to receivers on this machine: leave the webhook variants out']
      : []),
  ];
}
