// Starts the load side of a trial: what load processes and publisher are told before the first subscriber
// connects.

import { randomInt } from 'node:crypto';
import { freshAddresses, type SourceAddresses } from '../../core/base/source-address.ts';
import { patternNamed } from '../../core/pattern/registry.ts';
import type { Variant } from '../../core/pattern/variant.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import type { Browser } from '../../core/scenario/scenario.ts';
import type { LoadPeer } from './fleet.ts';
import type { Stage } from './stage.ts';

const publisherLimitMs = 15_000;

/** Gives the publisher its schedule. */
export async function startPublisher(
  { plan, peers: { publisher } }: Stage,
  endpoint: Endpoint,
): Promise<void> {
  publisher.send({
    kind: 'start',
    publishUrl: endpoint.publishUrl,
    ...(endpoint.publishUrls && { publishUrls: endpoint.publishUrls }),
    topics: plan.topics,
    plan: plan.senders?.publisher.plan ?? plan.publish,
    seed: plan.scenario.seed,
    ...(endpoint.target && { target: endpoint.target }),
    ...(plan.besideTargets && { inTurn: true }),
    ...(plan.warmUp && { warmUp: plan.warmUp }),
  });
  await publisher.next('ready', publisherLimitMs);
}

/**
 * The addresses of 127.0.0.0/8 that the trial's subscribers connect from. Undefined where one address is
 * enough, where the system has only one (all but Linux), and where servers do not listen on loopback.
 */
export function addressesOf({ plan, fleet }: Stage): SourceAddresses | undefined {
  if (!fleet.probe.hasProc() || fleet.host !== undefined) return undefined;
  return freshAddresses(plan.scenario.subscribers, plan.connectionsEach, randomInt);
}

/** Begins the ramp of one load process's subscribers. */
export function startLoad(
  load: LoadPeer,
  { plan, variant }: Stage,
  share: { first: number; count: number },
  endpoint: Endpoint,
  addresses: SourceAddresses | undefined,
): void {
  const { scenario, topics, fanoutEvery } = plan;
  const { subscribers, phases, reconnect, seed, endpoints, browser } = scenario;
  const { pattern, options } = variant;
  load.send({
    kind: 'start',
    pattern,
    options,
    endpoint,
    ...share,
    topics,
    subscribers,
    ...(addresses && { addresses }),
    connectMs: phases.connect,
    reconnect,
    seed,
    fanoutEvery,
    endpoints,
    ...(browser && {
      browser: { tabs: browser.tabs, perS: browser.requests, free: freeConnections(browser, variant) },
    }),
  });
}

/** Connections that a browser has left beside its pages' own; undefined over HTTP/2, where all share one. */
function freeConnections({ tabs, connections }: Browser, { pattern, options }: Variant): number | undefined {
  const known = patternNamed(pattern); // a test's own pattern holds no request
  if ((known?.httpVersion?.(options) ?? 'h1') !== 'h1') return undefined;
  return connections - (known?.holdsRequest?.(options) ? tabs : 0);
}
