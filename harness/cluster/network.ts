// Puts the network proxy between the processes of a trial: subscribers get its addresses instead of the
// servers', and servers instead of their broker's.

import type { BrokerAccess, Endpoint } from '../../core/protocol/control.ts';
import type { NetworkCommand, NetworkReport, Route } from '../../core/protocol/network.ts';
import { networksOf } from '../../core/scenario/network.ts';
import type { Scenario } from '../../core/scenario/scenario.ts';
import type { Peer } from '../process/peer.ts';

type NetworkPeer = Peer<NetworkCommand, NetworkReport>;
/** Of a trial; the process is there where the scenario asks for it. */
type Stage = {
  plan: { scenario: Pick<Scenario, 'seed' | 'network' | 'faults'> };
  peers: { network?: NetworkPeer };
};

const replyLimitMs = 10_000;

type NetworkSample = Extract<NetworkReport, { kind: 'sample' }>;

export type StartedNetwork = {
  peer: NetworkPeer;
  /** Before anything went through it. */
  idle: NetworkSample;
  /** The same as it is now, after a collection. */
  sample(): Promise<NetworkSample>;
};

/** Starts what the scenario asks of the network; undefined where it asks for none. */
export async function startNetwork({
  plan: { scenario },
  peers: { network: peer },
}: Stage): Promise<StartedNetwork | undefined> {
  if (!peer) return undefined;
  const { seed, network: steady } = scenario;
  peer.send({ kind: 'start', seed, ...(steady && { steady: { ...steady, share: 1 } }) });
  const sample = () => {
    peer.send({ kind: 'collect' });
    peer.send({ kind: 'sample' });
    return peer.next('sample', replyLimitMs);
  };
  return { peer, idle: await sample(), sample };
}

/** @returns the endpoint as subscribers get it; publishing goes past the network */
export async function throughNetwork(
  { plan: { scenario }, peers: { network } }: Stage,
  endpoint: Endpoint,
): Promise<Endpoint> {
  if (!network || !networksOf(scenario).includes('clients')) return endpoint;
  return atUrls(endpoint, await open(network, clientRoutes(endpoint)));
}

/**
 * @param servers how many there are: each has a way of its own, so that one can be cut off
 * @returns the broker as each server gets it
 */
export async function brokerThroughNetwork(
  { plan: { scenario }, peers: { network } }: Stage,
  access: BrokerAccess,
  servers: number,
): Promise<BrokerAccess[]> {
  const each = Array.from({ length: servers }, () => access);
  if (!network || !networksOf(scenario).includes('broker')) return each;
  const urls = await open(
    network,
    each.map(({ url }, i) => ({ name: `broker of server ${i + 1}`, between: 'broker', to: url })),
  );
  return each.map((one, i) => ({ ...one, url: urls[i]! })); // as many as were asked for
}

async function open(network: NetworkPeer, routes: readonly Route[]): Promise<readonly string[]> {
  network.send({ kind: 'open', routes });
  return (await network.next('opened', replyLimitMs)).urls;
}

/** An address of its own for each server, or one for the proxy in front of all. */
export function clientRoutes({ url, urls }: Pick<Endpoint, 'url' | 'urls'>): Route[] {
  return (urls ?? [url]).map((to, i) => ({ name: `server ${i + 1}`, between: 'clients', to }));
}

/** @param through one for each of `clientRoutes` */
export function atUrls(endpoint: Endpoint, through: readonly string[]): Endpoint {
  const [url = endpoint.url] = through;
  return { ...endpoint, url, ...(endpoint.urls && { urls: through }) };
}
