// Puts reference servers behind a real HAProxy and subscribers in front of it, for the tests of this folder.

import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TestContext } from 'vitest';
import { patterns, type PatternName } from '../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import {
  createHaproxy,
  type Haproxy,
  type HaproxyOptions,
} from '../../../harness/cluster/haproxy/haproxy.ts';
import { backendName, serverName } from '../../../harness/cluster/haproxy/config.ts';
import { createRuntime, type Runtime } from '../../../harness/cluster/haproxy/runtime.ts';
import { findPort } from '../../../harness/cluster/ports.ts';
import { ownConnector } from '../../../load/wire/secure.ts';
import { loads } from '../../../load/registry.ts';
import type { RunningLoad } from '../../../load/pattern.ts';
import { startServer, type RunningServer } from '../../../servers/start.ts';
import { testContext, type Seen } from '../../load/context.ts';

/** The reason to skip a test where there is no HAProxy. */
export const absent = (process.env['PATH'] ?? '')
  .split(delimiter)
  .some((folder) => isExecutable(join(folder, 'haproxy')))
  ? false
  : 'HAProxy is not installed (Debian: apt-get install haproxy)';

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export const usual: Omit<HaproxyOptions, 'servers'> = {
  freePort: () => findPort(),
  mode: 'http',
  sticky: false,
  idleMs: 3_600_000,
  check: { kind: 'tcp', everyMs: 500, fall: 2, rise: 1 },
  connections: 2000,
};

export async function startHaproxy(
  t: TestContext,
  options: HaproxyOptions,
): Promise<Haproxy & { url: string }> {
  const haproxy = createHaproxy(options);
  t.onTestFinished(() => haproxy.stop());
  return Object.assign(haproxy, await haproxy.start());
}

/** The runtime API of one that runs. */
export function runtimeOf({ pid }: Pick<Haproxy, 'pid'>): Runtime {
  const [, socket = ''] = /-S\0([^,]*)/.exec(readFileSync(`/proc/${pid}/cmdline`, 'utf8')) ?? [];
  return createRuntime(socket);
}

/** HAProxy looks for a server at another port of 127.0.0.1: where nothing listens the server is gone. */
export async function moveServer(haproxy: Pick<Haproxy, 'pid'>, server: number, port: number): Promise<void> {
  const name = `${backendName}/${serverName(server)}`;
  const words = await runtimeOf(haproxy).ask(`set server ${name} addr 127.0.0.1 port ${port}`);
  if (!/^(?:IP|port) changed|^no need to change/.test(words.trim())) throw new Error(words);
}

export type Behind = {
  servers: RunningServer[];
  haproxy: Haproxy & { url: string };
  seen: Seen;
  load: RunningLoad;
  /** Subscribers `from` up to `to` are subscribed when it resolves. */
  subscribe(from: number, to: number): Promise<void>;
};

type Setup = Partial<Omit<HaproxyOptions, 'servers'>> & {
  servers?: number;
  /** Of the pattern. */
  options?: Record<string, unknown>;
  reconnect?: { base: number; cap: number };
  /** Subscribers speak TLS with the servers. */
  tls?: boolean;
};

/** As many servers of a pattern as are asked for, HAProxy, and its subscribers. */
export async function behindHaproxy(
  t: TestContext,
  pattern: PatternName,
  { servers: count = 2, options = {}, reconnect = { base: 5, cap: 20 }, tls = false, ...rest }: Setup = {},
): Promise<Behind> {
  const parsed = patterns[pattern].options.parse(options);
  const servers: RunningServer[] = [];
  for (let i = 0; i < count; i++) {
    const server = await startServer({
      pattern,
      options: parsed,
      limits: defaultLimits,
      seed: i,
      ...(tls && { tls: { resume: true } }),
    });
    t.onTestFinished(() => server.close());
    servers.push(server);
  }
  const haproxy = await startHaproxy(t, {
    ...usual,
    ...rest,
    servers: servers.map(({ endpoint }) => endpoint.url),
    checked: servers.map(({ endpoint }) => endpoint.publishUrl),
  });
  const { over, certificate } = servers[0]!.endpoint;
  const seen = testContext(haproxy.url, { over, reconnect, ...(certificate && { certificate }) });
  if (tls) seen.context.connector = ownConnector(seen.context.endpoint, seen.counters);
  const load = await (await loads[pattern]()).start(seen.context, parsed as never);
  t.onTestFinished(() => load.close(0));
  return {
    servers,
    haproxy,
    seen,
    load,
    async subscribe(from, to) {
      for (let i = from; i < to; i++) load.open(i);
      await until(() =>
        Array.from({ length: to - from }, (_, i) => from + i).every((i) => seen.ready.includes(i)),
      );
    },
  };
}

/** Waits until the condition holds. @throws when it does not within 15 seconds */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 15_000; !(await condition());) {
    if (performance.now() > end) throw new Error(`not within 15 s: ${condition}`);
    await sleep(10);
  }
}
