// Puts a server together: a hub, a pattern on it, and the listener under both. Runs in any process: a child
// of the harness (process.ts), `pushbench serve`, a test.

import type { Endpoint, ServerBacklog } from '../core/protocol/control.ts';
import { newCounters, type Counters } from '../core/result/counters.ts';
import { UserError } from '../core/base/errors.ts';
import { isLoopbackHost } from '../core/http/access.ts';
import type { Injection } from '../core/scenario/injection.ts';
import { isPatternName, patternNamed, patterns } from '../core/pattern/registry.ts';
import { goodbyeLimits } from '../core/policy/server/goodbye.ts';
import { random } from '../core/base/random.ts';
import type { ServerLimits } from '../core/scenario/scenario.ts';
import { startWithFallbacks } from './fallback.ts';
import { createHub, type Hub, type LocalHub } from './hub/hub.ts';
import { injectHub, injectTally } from './inject.ts';
import { listen, type Listener } from './http/listen.ts';
import type { PageOptions } from './page/page.ts';
import type { PatternServer, Publish } from './pattern.ts';
import { indexRoute, keyedOf, messageRoutes, publishRoutes } from './http/publish.ts';
import { patternServers } from './registry.ts';
import { createTally } from './http/connection-counts.ts';

export type ServerOptions = {
  pattern: string;
  /** As parsed by the pattern's schema, defaults filled in. */
  options: Readonly<Record<string, unknown>>;
  limits: ServerLimits;
  /** Of jitter and of whom a fault cuts off. Servers that stand for one system get different ones. */
  seed: number;
  /** 127.0.0.1 when left out; ::1 on a machine without it. */
  host?: string;
  /** Any free one when left out or 0. */
  port?: number;
  /** Names that it answers to besides its own, for proxies (core/http/access.ts). */
  allowHosts?: readonly string[];
  /** Makes the server worse on purpose. */
  injection?: Injection;
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
  /** A fault: cuts this share of the connections that carry events, without a goodbye. */
  disconnect(share: number): void;
  /** Says goodbye, stops listening, closes every connection. A second call waits for the first. */
  close(): Promise<void>;
};

/**
 * A server by itself, with a hub of its own. There may be any number of them in a process.
 * @throws UserError when there is no such pattern or an option is missing
 * @throws the system's error when the port cannot be had (EADDRINUSE, EACCES)
 */
export function startServer(options: ServerOptions): Promise<RunningServer> {
  const { limits, seed, injection = {} } = options;
  return startServerOn(injectHub(createHub(limits), limits, injection, random(seed, 'inject')), options);
}

/** The same on a hub that may be connected with those of other servers. */
export async function startServerOn<H extends Hub>(
  hub: H,
  { pattern, options, limits, seed, host, port, allowHosts, injection = {}, page }: ServerOptions,
): Promise<RunningServer<H>> {
  const server = await loadPattern(pattern, options);
  const counters = newCounters();
  const tally = injectTally(createTally(counters), injection);
  const context = { hub, limits, counters, countConnection: tally.add, random: random(seed, 'server') };
  const running = await startWithFallbacks(pattern, server, context, options);
  const publish = keyedOf(hub, running.publish);
  const publishing = publishRoutes(hub, limits, running.publish, publish);
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
    ...(allowHosts && { allowHosts }),
    pattern: { ...running, routes: { ...index, ...routes } },
    publishRoutes: publishing,
    tally,
    counters,
  }).catch(async (error: unknown) => {
    await running.close();
    throw error;
  });

  const beyond = (host !== undefined && !isLoopbackHost(host)) || (allowHosts ?? []).length > 0;
  const { url, over } = listener.endpoint;
  // No browser speaks HTTP/2 without TLS.
  const path = running.page?.(beyond) ?? (page && over !== 'h2c' ? '/' : undefined);
  let closed: Promise<void> | undefined;
  return {
    endpoint: listener.endpoint,
    ...(path !== undefined && { page: url + path }),
    hub,
    publish,
    counters: tally.read,
    subscribers: running.subscribers,
    ...(running.backlog && { backlog: running.backlog }),
    disconnect: running.disconnect,
    close: () => (closed ??= within(goodbyeLimits.patternMs, running.close()).then(listener.close)),
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

async function within(limitMs: number, done: Promise<void>): Promise<void> {
  const limit = Promise.withResolvers<void>();
  const timer = setTimeout(limit.resolve, limitMs);
  await Promise.race([done, limit.promise]);
  clearTimeout(timer);
}
