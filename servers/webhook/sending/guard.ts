// Decides where deliveries may go. A server that calls any address it is given is a way into every network
// that it is in (server-side request forgery), so the addresses are judged when a connection is made, not
// when a URL is registered: a name may resolve to something else by then. Redirects need no rule here,
// for the sender follows none.

import { lookup as systemLookup } from 'node:dns';
import type { Agent, ClientRequestArgs } from 'node:http';
import { BlockList, isIP, type LookupFunction, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { bareHost } from '../../../core/base/address.ts';
import { isLoopbackHost } from '../../../core/http/access.ts';

export type GuardOptions = {
  /**
   * `listed`: nothing but the addresses in `allow`. `public`: those, and every
   * address of the public internet.
   */
  receivers: 'listed' | 'public';
  /**
   * Networks in CIDR form, such as `127.0.0.0/8`; they win over everything that is refused. `auto`:
   * loopback where nothing but listed networks is reached, none where the public internet is, so that it
   * stays shut unless named.
   */
  allow: 'auto' | readonly string[];
  lookup?: LookupFunction;
  /** The addresses of this machine; those of its interfaces when left out. */
  ownAddresses?: () => readonly string[];
};

export type Guard = {
  /**
   * Why no request may go to this host, judged by how it is written; a name that may turn out well passes.
   * @param hostname as `URL` gives it, which has brought decimal, octal and hexadecimal
   *   forms of an address into one
   */
  refusalOf(hostname: string): string | undefined;
  /** Makes an agent's connections go through the guard, plain or TLS. */
  protect<A extends Agent>(agent: A): A;
};

/**
 * What is not an address of the public internet: the registries of special-purpose addresses (RFC
 * 6890), and a little more.
 */
const special: readonly [what: string, ...networks: string[]][] = [
  ['this network', '0.0.0.0/8'],
  ['loopback', '127.0.0.0/8', '::1/128'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7', 'fec0::/10'],
  ['shared by a carrier', '100.64.0.0/10'],
  ['link-local, where cloud metadata is', '169.254.0.0/16', 'fe80::/10'],
  ['of a cloud platform itself', '168.63.129.16/32'],
  [
    'for protocols',
    '192.0.0.0/24',
    '192.31.196.0/24',
    '192.52.193.0/24',
    '192.175.48.0/24',
    '2001::/23',
    '2620:4f:8000::/48',
  ],
  ['for documentation', '192.0.2.0/24', '198.51.100.0/24', '203.0.113.0/24', '2001:db8::/32', '3fff::/20'],
  ['for benchmarks', '198.18.0.0/15'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved', '240.0.0.0/4'],
  // An IPv4 address inside an IPv6 one: a translator on the way would unpack it.
  ['6to4', '192.88.99.0/24', '2002::/16'],
  ['NAT64', '64:ff9b::/96', '64:ff9b:1::/48'],
  ['IPv4-compatible', '::/96'],
];

const refused = special.map(([what, ...networks]) => ({ what, list: listOf(networks) }));
const globalUnicast = listOf(['2000::/3']);
/** BlockList holds IPv4 rules against IPv4-mapped addresses by itself. */
const ipv4Mapped = listOf(['::ffff:0:0/96']);

/** @param networks in CIDR form, checked before */
function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [address, bits] = network.split('/') as [string, string];
    list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}

/** Why an address is none of the public internet, undefined when it is one. */
export function specialUse(address: string): string | undefined {
  const bare = address.replace(/%.*$/, ''); // the zone of a link-local address
  if (isIP(bare) === 0) return 'no address';
  const family = familyOf(bare);
  const found = refused.find(({ list }) => list.check(bare, family));
  if (found) return found.what;
  if (family === 'ipv4' || ipv4Mapped.check(bare, family)) return undefined;
  return globalUnicast.check(bare, family) ? undefined : 'reserved';
}

const loopbackNetworks = ['127.0.0.0/8', '::1/128'];

function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address));
}

export function createGuard(options: GuardOptions): Guard {
  const { receivers, allow: given, lookup = systemLookup, ownAddresses = interfaceAddresses } = options;
  const allow = given !== 'auto' ? given : receivers === 'listed' ? loopbackNetworks : [];
  const allowed = listOf(allow);
  const reachesLoopback =
    allowed.check('127.0.0.1', 'ipv4') ||
    allowed.check('::1', 'ipv6') ||
    allow.some((network) => isLoopbackHost(network.split('/')[0]!));

  function refusal(address: string): string | undefined {
    const bare = address.replace(/%.*$/, '');
    if (isIP(bare) !== 0 && allowed.check(bare, familyOf(bare))) return undefined;
    if (receivers === 'public') return notPublic(address, specialUse(address) ?? ownUse(bare));
    return `${address} is not among the addresses that deliveries go to: ${allow.join(', ') || 'none'}`;
  }

  /**
   * A public address of this machine leads to programs that listen on all addresses, and bypasses a firewall
   * in front of the machine.
   */
  function ownUse(address: string): string | undefined {
    const own = listOf(ownAddresses().map((one) => `${one}/${isIP(one) === 6 ? 128 : 32}`));
    return own.check(address, familyOf(address)) ? 'of this machine itself' : undefined;
  }

  function notPublic(host: string, use: string | undefined): string | undefined {
    const besides = allow.length === 0 ? '' : ` and ${allow.join(', ')}`;
    return use && `${host} is ${use}; deliveries go to public addresses${besides}`;
  }

  /** Fails when one of a name's addresses is refused: a name that has both kinds is probably an attack. */
  const guardedLookup: LookupFunction = (hostname, options, callback) => {
    lookup(hostname, options, (error, address, family) => {
      const addresses = error
        ? []
        : typeof address === 'string'
          ? [address]
          : address.map((one) => one.address);
      const why = addresses.map(refusal).find((one) => one !== undefined);
      if (why === undefined) callback(error, address, family);
      else callback(refusedError(`${hostname} resolves to an address that is refused: ${why}`), []);
    });
  };

  return {
    refusalOf(hostname) {
      const host = bareHost(hostname);
      if (isIP(host) !== 0) return refusal(host);
      const isLocal = isLoopbackHost(host.replace(/\.$/, ''));
      if (receivers === 'public')
        return notPublic(host, isLocal && !reachesLoopback ? 'loopback' : undefined);
      if (isLocal) return undefined;
      return (
        `${host} is a name; deliveries go to the addresses ` +
        `${allow.join(', ') || '(none)'} and to localhost only`
      );
    },
    protect(agent) {
      const create = agent.createConnection;
      agent.createConnection = (options, callback) => {
        const { host } = options as ClientRequestArgs; // as the request gave it
        // No name is looked up for an address that is written out.
        const why = host && isIP(host.replace(/%.*$/, '')) !== 0 ? refusal(host) : undefined;
        if (why !== undefined) {
          callback?.(refusedError(why), undefined as never); // Node reads no socket beside an error
          return undefined;
        }
        const socket = create.call(agent, { ...options, lookup: guardedLookup }, callback) as Socket;
        // The last word has the address at the other end, before anything is written to it.
        socket.prependOnceListener('connect', () => {
          const late = refusal(socket.remoteAddress ?? '');
          if (late !== undefined) socket.destroy(refusedError(late));
        });
        return socket;
      };
      return agent;
    },
  };
}

function refusedError(message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_ADDRESS_REFUSED' });
}
