// Starts the servers of a trial, the broker that connects them, and what stands in front of them; makes the
// one address that the load side is given.

import type { Variant } from '../../core/pattern/variant.ts';
import { endsOrBegins, isBlueGreen, serversIn } from '../../core/fault/standing.ts';
import type { Endpoint } from '../../core/protocol/control.ts';
import { defaultLimits } from '../../core/scenario/scenario.ts';
import { isCluster } from '../../core/scenario/servers.ts';
import type { Beside } from '../cluster/beside.ts';
import type { BrokerProcess } from '../cluster/brokers.ts';
import { listOf, type FrontSetup } from '../cluster/in-front.ts';
import { brokerThroughNetwork, throughNetwork } from '../cluster/network.ts';
import { createMember, type Member } from '../cluster/member.ts';
import type { TrialPlan } from '../plan/plan.ts';
import type { Fleet } from './fleet.ts';
import { lookupRedis, serverSetup } from './server-setup.ts';
import { optionsWithStore } from './shared-store.ts';
import type { Peers, Stage } from './stage.ts';

/** What the servers' samples say: all, what /proc tells, or nothing. */
export type ServerReadings = 'self' | 'outside' | 'none';

const startLimitMs = 15_000;
/** For each of several besides: they start at the same time and wait for one another's cores. */
const startEachMs = 2000;

/** The servers of a trial: the scenario's run at once; servers that a fault starts do not yet. */
export function createMembers(
  fleet: Fleet,
  { scenario }: Pick<TrialPlan, 'scenario'>,
  variant: Variant,
): Peers['servers'] {
  const { count } = scenario.servers;
  const total = isOurs(variant) ? serversIn(count, scenario.faults) : 1;
  const member = (index: number): Member =>
    createMember(
      index + 1,
      () => fleet.server(index),
      () => fleet.clock.nowUs(),
      index >= count,
    );
  return [member(0), ...Array.from({ length: total - 1 }, (_, i) => member(i + 1))];
}

/** @returns the broker, which does not run yet; undefined where servers have none */
export function addBroker(
  fleet: Fleet,
  { scenario }: Pick<TrialPlan, 'scenario'>,
  variant: Variant,
  beside: Beside,
): BrokerProcess | undefined {
  const { kind, url } = scenario.servers.broker;
  if (kind === 'in-process' || !isOurs(variant)) return undefined;
  const broker = fleet.broker({ kind, url });
  beside.add(broker);
  return broker;
}

/** A system that is not ours is one address, whatever is behind it. */
function isOurs({ target }: Variant): boolean {
  return target === undefined;
}

/** Where a server listens that may come back. */
type Ports = { main: number; publish: number };

export type Started = {
  endpoint: Endpoint;
  readings: ServerReadings;
  /** Of a cluster. */
  count: number | undefined;
  /** What stands in for a service that the servers use. */
  emulator: string | undefined;
};

/** Broker, servers, the proxy in front of them: each when the one before it answers. */
export async function startServers(stage: Stage): Promise<Started> {
  const {
    plan: { scenario },
    variant,
    fleet,
    peers: { servers },
    broker,
  } = stage;
  const cluster = isOurs(variant) && isCluster(scenario.servers);
  // One that may come back must find its port again; see harness/cluster/ports.ts.
  const keepsPort = cluster || scenario.faults.some(endsOrBegins);
  await broker?.start();
  const setup = isOurs(variant) ? serverSetup(scenario, await lookupRedis(stage)) : { limits: defaultLimits };
  const options = await optionsWithStore(stage);
  const brokers = broker && (await brokerThroughNetwork(stage, broker.access, servers.length));
  const ports: Ports[] = [];
  for (const server of servers) {
    const own = keepsPort ? { main: await fleet.freePort(), publish: await fleet.freePort() } : undefined;
    if (own) ports.push(own);
    server.send({
      kind: 'start',
      pattern: variant.pattern,
      options,
      ...setup,
      seed: scenario.seed + server.number - 1,
      ...(brokers && { broker: brokers[server.number - 1] }),
      ...(own && { ports: own }),
      ...(fleet.host !== undefined && { host: fleet.host }),
      ...(fleet.injection && { injection: fleet.injection }),
    });
  }
  const running = servers.filter((server) => server.running);
  const limitMs = startLimitMs + startEachMs * (running.length - 1);
  const listening = await Promise.all(running.map((server) => server.next('listening', limitMs)));
  const { endpoint, readings = 'self', ...first } = listening[0]!; // one at least runs from the beginning
  const emulator = broker?.emulator ?? first.emulator;
  if (!cluster)
    return { endpoint: await throughNetwork(stage, endpoint), readings, count: undefined, emulator };
  const isOnePort = endpoint.url === endpoint.publishUrl;
  const reachable = servers.map(({ number }, i) => {
    const { main, publish } = ports[i]!; // each has its own in a cluster
    return {
      number,
      url: listening[i]?.endpoint.url ?? atPort(endpoint.url, main),
      publishUrl:
        listening[i]?.endpoint.publishUrl ?? atPort(endpoint.publishUrl, isOnePort ? main : publish),
    };
  });
  const front: FrontSetup = {
    over: endpoint.over,
    subscribers: scenario.subscribers,
    servers: reachable,
  };
  // Who takes the place of all others must get what those got.
  const publishers = scenario.faults.some(isBlueGreen) ? servers : running;
  const reached: Endpoint = {
    ...endpoint,
    ...(await frontOf(stage, front)),
    publishUrls: publishers.map((_, i) => reachable[i]!.publishUrl),
  };
  return {
    endpoint: await throughNetwork(stage, reached),
    readings,
    count: servers.length,
    emulator,
  };
}

async function frontOf(
  { plan, fleet, beside }: Stage,
  setup: FrontSetup,
): Promise<Pick<Endpoint, 'url' | 'urls'>> {
  const { inFront } = plan.scenario.servers;
  if (inFront.kind === 'list') return listOf(setup);
  const front = fleet.front(inFront, setup);
  beside.add(front);
  return front.start();
}

function atPort(url: string, port: number): string {
  const { protocol, hostname } = new URL(url);
  return `${protocol}//${hostname}:${port}`;
}
