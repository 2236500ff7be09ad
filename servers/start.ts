// Puts a server together: a hub, a pattern on it, and the listener under both. Runs in any process: a child
// of the harness (process.ts), `pushbench serve`, a test.

import type { BrokerAccess, Endpoint, ServerBacklog } from '../core/protocol/control.ts';
import { newCounters, type Counters } from '../core/result/counters.ts';
import { UserError } from '../core/base/errors.ts';
import { isLoopbackHost } from '../core/http/access.ts';
import type { Injection } from '../core/scenario/injection.ts';
import { isPatternName, patternNamed, patterns } from '../core/pattern/registry.ts';
import type { DrainCount, Drained, DrainPlan } from '../core/policy/server/drain.ts';
import type { RefuseMode } from '../core/policy/server/refuse.ts';
import { goodbyeLimits } from '../core/policy/server/goodbye.ts';
import { random } from '../core/base/random.ts';
import { whyNot } from '../core/scenario/server-fit.ts';
import type { ServerSetup } from '../core/scenario/server-options.ts';
import { startWithFallbacks } from './fallback.ts';
import { createHub, type Hub, type LocalHub } from './hub/hub.ts';
import { injectHub, injectTally } from './inject.ts';
import { listen, type Listener } from './http/listen.ts';
import type { PageOptions } from './page/page.ts';
import type { PatternServer, Publish, RunningPattern } from './pattern.ts';
import type { Guard } from './auth/guard.ts';
import { newIntake, readyRoute } from './http/intake.ts';
import { indexRoute, keyedOf, messageRoutes, publishRoutes } from './http/publish.ts';
import { patternServers } from './registry.ts';
import { createTally } from './http/connection-counts.ts';

export type ServerOptions = ServerSetup & {
  pattern: string;
  /** As parsed by the pattern's schema, defaults filled in. */
  options: Readonly<Record<string, unknown>>;
  /** Of jitter, and of which clients a fault cuts off. Servers for one system get different ones. */
  seed: number;
  /** 127.0.0.1 when left out; ::1 on a machine without it. */
  host?: string;
  /** Any free one when left out or 0. */
  port?: number;
  /** Where events are published, of a pattern that speaks HTTP/2; any free one when left out or 0. */
  publishPort?: number;
  /** Names that it answers to besides its own, for proxies (core/http/access.ts). */
  allowHosts?: readonly string[];
  /** Makes the server worse on purpose. */
  injection?: Injection;
  /** Connects its hub with those of other servers. */
  broker?: BrokerAccess;
  /** Serves browsers a page at `/`; servers of trials have none. */
  page?: PageOptions;
};

export type RunningServer<H extends Hub = LocalHub> = {
  endpoint: Endpoint;
  /**
   * The address of the pattern's page for people. Away from loopback, and with
   * `allowHosts`, it holds a secret.
   */
  page?: string;
  hub: H;
  /** Publishes an event as a request does. */
  publish: Publish;
  /** As they are now, the bytes of live connections included. */
  counters(): Counters;
  subscribers(): number;
  /** Of a pattern that queues. */
  backlog?: () => ServerBacklog;
  /** What stands in for a service that it uses; undefined for the real one. */
  emulator?: string;
  /** A fault: cuts this share of the connections that carry events, without a goodbye. */
  disconnect(share: number): void;
  /**
   * Before it is replaced: takes no new subscribers, and tells the present ones to come back, spread over a
   * window, so that they go to another server (docs/cluster/deploys.md). Until `close` it still listens and
   * takes published events. Resolves when all of them are gone. A second call waits for the first.
   */
  drain(plan: DrainPlan): Promise<Drained>;
  /** A fault: refuses in this way from now on; it replaces the way set before. */
  refuse(mode: RefuseMode): void;
  /** Says goodbye for good, stops listening, closes every connection. A second call waits for the first. */
  close(): Promise<void>;
};

/**
 * A server with a hub of its own, by itself or connected with others by a broker. There may be any number of
 * them in a process.
 * @throws UserError when there is no such pattern, an option is missing, or the broker does not answer
 * @throws the system's error when the port cannot be had (EADDRINUSE, EACCES)
 */
export function startServer(options: ServerOptions & { broker?: undefined }): Promise<RunningServer>;
export function startServer(options: ServerOptions): Promise<RunningServer<Hub>>;
export async function startServer(options: ServerOptions): Promise<RunningServer<Hub>> {
  const { limits, seed, injection = {}, broker } = options;
  if (broker) return startConnected(broker, options);
  return startServerOn(injectHub(createHub(limits), limits, injection, random(seed, 'inject')), options);
}

async function startConnected(broker: BrokerAccess, options: ServerOptions): Promise<RunningServer<Hub>> {
  if (options.pattern === 'webhook')
    throw new UserError(
      'broker',
      `webhook servers share a store (store: redis), which has their events; ${broker.kind} has nothing to ` +
        'connect there: leave the broker out',
    );
  if (Object.keys(options.injection ?? {}).length > 0)
    throw new UserError(
      'injection',
      'a server that a broker connects with others cannot be made worse on purpose: leave one of the two out',
    );
  // The clients of brokers are loaded by those who use one.
  const { connectBroker } = await import('./brokers/connect.ts');
  const connected = await connectBroker(broker, options.limits);
  try {
    const server = await startServerOn(connected.hub, options);
    return { ...server, close: () => server.close().finally(connected.close) };
  } catch (error) {
    await connected.close();
    throw error;
  }
}

/** The same on a hub that may be connected with those of other servers. */
export async function startServerOn<H extends Hub>(hub: H, given: ServerOptions): Promise<RunningServer<H>> {
  const { pattern, options, limits, seed, auth, tls } = given;
  const { host, port, publishPort, allowHosts, injection = {}, page } = given;
  const server = await loadPattern(pattern, options);
  refuseUnfit(given);
  const counters = newCounters();
  const tally = injectTally(createTally(counters), injection);
  const context = { hub, limits, counters, countConnection: tally.add, random: random(seed, 'server') };
  const guard = auth && (await (await import('./auth/guard.ts')).createGuard(auth, counters));
  const started = await startWithFallbacks(pattern, server, context, options).catch((error: unknown) => {
    guard?.close();
    throw error;
  });
  const running = behind(guard, started);
  const publish = keyedOf(hub, running.publish);
  const intake = newIntake();
  // Where events are published health is asked for too: uncounted, in clear text whatever the pattern speaks.
  const ready = readyRoute(intake);
  const publishing = { ...publishRoutes(hub, limits, running.publish, publish), ...ready };
  const shown = page && (await import('./page/page.ts'));
  const routes = {
    ...messageRoutes(hub, limits, counters, running.publish, publish),
    ...running.routes,
    ...(!running.page && shown?.clockRoute(hub)),
  };
  let index = indexRoute(pattern, counters, publishing, routes);
  if (page && shown)
    index = shown.pageRoute(page, {
      pattern,
      options,
      start: hub.cursor(),
      own: running.page?.(false),
      index: index['GET /']!,
      endpoint: () => listener.endpoint,
    });
  const listener: Listener = await listen({
    over: patternNamed(pattern)?.httpVersion?.(options) ?? 'h1',
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(publishPort === undefined ? {} : { publishPort }),
    ...(allowHosts && { allowHosts }),
    tls,
    pattern: { ...running, routes: { ...index, ...routes, ...ready } },
    publishRoutes: publishing,
    tally,
    counters,
  }).catch(async (error: unknown) => {
    guard?.close();
    await running.close();
    throw error;
  });

  const beyond = (host !== undefined && !isLoopbackHost(host)) || (allowHosts ?? []).length > 0;
  const { url, over } = listener.endpoint;
  // No browser speaks HTTP/2 without TLS.
  const path = running.page?.(beyond) ?? (page && over !== 'h2c' ? '/' : undefined);
  let closed: Promise<void> | undefined;
  let drained: Promise<Drained> | undefined;
  return {
    endpoint: { ...listener.endpoint, ...(auth && { tokenSeed: auth.seed }) },
    ...(path !== undefined && { page: url + path }),
    hub,
    publish,
    counters: () => ({ ...tally.read(), brokerGaps: hub.skipped() }),
    subscribers: running.subscribers,
    ...(running.backlog && { backlog: running.backlog }),
    ...(running.emulator !== undefined && { emulator: running.emulator }),
    disconnect: running.disconnect,
    drain(plan) {
      intake.draining = true;
      return (drained ??= timed(running.drain(plan)));
    },
    refuse(mode) {
      listener.hangUpOnNew(mode === 'accept-then-close');
      const isDown = mode === 'dependency-down';
      if (isDown !== intake.down) running.setDown((intake.down = isDown));
    },
    close() {
      guard?.close();
      intake.closing = true;
      return (closed ??= within(goodbyeLimits.patternMs, running.close()).then(listener.close));
    },
  };
}

/** @throws UserError where the pattern cannot have the server's options */
function refuseUnfit({ pattern, options, tls, auth }: ServerOptions): void {
  for (const [key, given] of Object.entries({ tls, auth })) {
    const why = given && whyNot(key as 'tls' | 'auth', patternNamed(pattern)!, options, pattern);
    if (why !== undefined) throw new UserError(key, why);
  }
}

/** The pattern as it is behind the guard, if there is one. */
function behind(guard: Guard | undefined, running: RunningPattern): RunningPattern {
  if (!guard) return running;
  const { routes, upgrade, waits } = running;
  return {
    ...running,
    routes: guard.routes(routes, waits),
    ...(upgrade && { upgrade: guard.upgrade(upgrade) }),
  };
}

async function loadPattern(
  pattern: string,
  options: ServerOptions['options'],
): Promise<PatternServer<ServerOptions['options']>> {
  if (!isPatternName(pattern))
    throw new UserError(
      'pattern',
      `there is no pattern called "${pattern}"; there are: ${Object.keys(patterns).join(', ')}`,
    );
  const missing = Object.keys(patterns[pattern].options.shape).filter((name) => !(name in options));
  if (missing.length > 0)
    throw new UserError(
      'options',
      `the options of ${pattern} lack ${missing.join(', ')}; parse them ` +
        "with the pattern's schema, which fills in defaults",
    );
  // Parsed by this very pattern's schema.
  return (await patternServers[pattern]()) as PatternServer<ServerOptions['options']>;
}

async function timed(draining: Promise<DrainCount>): Promise<Drained> {
  const beganMs = performance.now();
  return { ...(await draining), tookMs: performance.now() - beganMs };
}

async function within(limitMs: number, done: Promise<void>): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  await Promise.race([done, limit.promise]);
  clearTimeout(timer);
}
