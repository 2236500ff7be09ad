// Stands in front of addresses and makes the network to them bad on purpose: listens on loopback, one port an
// address, and treats each connection by the conditions imposed on it at the time.

import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { addressOf, type Address } from '../core/base/address.ts';
import { realClock, type Clock } from '../core/base/clock.ts';
import { listenBacklog } from '../core/base/listen-backlog.ts';
import { loopback, urlHost } from '../core/base/loopback.ts';
import { drawShare, random as randomOf } from '../core/base/random.ts';
import type { Conditions } from '../core/network/conditions.ts';
import type { Imposed, Route, Traffic } from '../core/protocol/network.ts';
import { idleCheckMs, isIdle } from './conditions.ts';
import { openConnection, type Connection } from './connection.ts';
import type { Budget } from './lane.ts';

export type NetworkProxy = {
  /** Listens. @returns where, for each of the routes */
  open(routes: readonly Route[]): Promise<string[]>;
  /** @returns lifts it: the earlier conditions apply again */
  impose(imposed: Imposed & { reset?: boolean }): () => void;
  traffic(): Traffic;
  close(): Promise<void>;
};

/** Bytes under way over all connections at most; see {@link Budget}. */
const heldMostBytes = 256 * 1024 ** 2;

/** What is imposed. `chosen`: on these routes alone; undefined: on all routes of its `between`. */
type Imposition = Imposed & { chosen: ReadonlySet<OpenRoute> | undefined };
type OpenRoute = Route & { upstream: Address; server: Server };
/** A connection with the conditions imposed on it, the latest last. */
type Held = { route: OpenRoute; imposed: Imposition[]; conditions: Conditions; connection?: Connection };

/** Nothing is imposed: bytes pass as they come. */
const none: Conditions = {};

export const noTraffic: Traffic = {
  open: 0,
  accepted: 0,
  bytesUp: 0,
  bytesDown: 0,
  reset: 0,
  idleCut: 0,
  upgradesRefused: 0,
  upgradesStripped: 0,
  unreadable: 0,
};

const hits = ({ between, chosen }: Imposition, route: OpenRoute) =>
  between === route.between && (chosen?.has(route) ?? true);

/** @param steady imposed on every connection */
export function createProxy(
  { seed, steady }: { seed: number; steady?: Imposed },
  clock: Pick<Clock, 'nowUs'> = realClock,
): NetworkProxy {
  const random = randomOf(seed, 'network');
  const budget: Budget = { heldBytes: 0, mostBytes: heldMostBytes };
  const traffic: Traffic = { ...noTraffic };
  const all = new Set<Held>();
  const open: OpenRoute[] = [];
  let active: Imposition[] = [];
  let idleTimer: NodeJS.Timeout | undefined;

  function accept(route: OpenRoute, client: Socket): void {
    traffic.accepted++;
    const imposed = active.filter(
      (one) => hits(one, route) && (one.between === 'broker' || random() < one.share),
    );
    const held: Held = { route, imposed, conditions: merged(imposed) };
    if (held.conditions.partition) {
      traffic.reset++;
      client.on('error', () => {}).resetAndDestroy();
      return;
    }
    all.add(held);
    held.connection = openConnection({
      client,
      to: route.upstream,
      others: all.size,
      conditions: held.conditions,
      budget,
      clock,
      random,
      traffic,
      closed: () => all.delete(held),
    });
  }

  function reset({ connection }: Held): void {
    traffic.reset++;
    connection?.reset();
  }

  function apply(held: Held, imposed: Imposition[]): void {
    held.imposed = imposed;
    held.conditions = merged(imposed);
    held.connection?.setConditions(held.conditions);
  }

  /** Looks for connections that were silent for too long, as often as the strictest condition asks. */
  function watchIdle(): void {
    clearInterval(idleTimer);
    const everyMs = Math.min(...active.map(({ conditions }) => idleCheckMs(conditions)));
    if (!Number.isFinite(everyMs)) return;
    idleTimer = setInterval(() => {
      const nowUs = clock.nowUs();
      for (const { connection, conditions } of all) {
        if (!connection || !isIdle(connection.lastUs(), nowUs, conditions)) continue;
        traffic.idleCut++;
        connection.cut();
      }
    }, everyMs);
  }

  function impose({ reset: once = false, ...imposed }: Imposed & { reset?: boolean }): () => void {
    const { between, share, conditions } = imposed;
    const there = open.filter((route) => route.between === between);
    const chosen = between === 'broker' && share < 1 ? new Set(drawShare(there, share, random)) : undefined;
    const imposition: Imposition = { ...imposed, chosen };
    const onRoutes = [...all].filter(({ route }) => hits(imposition, route));
    const those = between === 'broker' ? onRoutes : drawShare(onRoutes, share, random);
    if (Object.keys(conditions).length > 0) active = [...active, imposition];
    if (once || conditions.partition) those.forEach(reset);
    else for (const held of those) apply(held, [...held.imposed, imposition]);
    watchIdle();
    return () => {
      active = active.filter((one) => one !== imposition);
      for (const held of all)
        if (held.imposed.includes(imposition))
          apply(
            held,
            held.imposed.filter((one) => one !== imposition),
          );
      watchIdle();
    };
  }

  if (steady) impose(steady);
  return {
    async open(routes) {
      const opened: OpenRoute[] = [];
      for (const route of routes) {
        const one = await listen(route, accept);
        opened.push(one);
        open.push(one); // at once, so that `close` closes it even where the next cannot be opened
      }
      return opened.map(urlOf);
    },
    impose,
    traffic: () => ({ ...traffic, open: all.size }),
    async close() {
      clearInterval(idleTimer);
      const closed = open.map(({ server }) => new Promise<void>((resolve) => server.close(() => resolve())));
      for (const { connection } of all) connection?.cut();
      await Promise.all(closed);
    },
  };
}

/** What is laid on later counts more. The same object where there is one alone: most connections share it. */
function merged(imposed: readonly Imposition[]): Conditions {
  const [first, ...others] = imposed;
  if (!first) return none;
  return others.reduce((sum, { conditions }) => ({ ...sum, ...conditions }), first.conditions);
}

async function listen(route: Route, accept: (route: OpenRoute, client: Socket) => void): Promise<OpenRoute> {
  const server = createServer({ allowHalfOpen: true, noDelay: true });
  const opened: OpenRoute = { ...route, upstream: addressOf(route.to), server };
  server.on('connection', (client) => accept(opened, client));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host: loopback(), port: 0, backlog: listenBacklog }, () => resolve());
  });
  return opened;
}

/** The address of a route as it was, with the proxy's host and port. */
function urlOf({ to, server }: OpenRoute): string {
  const { address, port } = server.address() as AddressInfo; // it listens on TCP
  const { protocol, pathname, search } = new URL(to);
  const path = `${pathname}${search}`;
  return `${protocol}//${urlHost(address)}:${port}${path === '/' ? '' : path}`;
}
