// Starts a long-polling server for its tests, with a client that asks.

import type { TestContext } from 'vitest';
import { patterns } from '../../core/pattern/registry.ts';
import { defaultLimits, type ServerLimits } from '../../core/scenario/scenario.ts';
import { startServer } from '../../servers/start.ts';
import { until } from './http/raw-http.ts';

export async function setUp(
  t: TestContext,
  options: Record<string, unknown> = {},
  limits: Partial<ServerLimits> = {},
) {
  const server = await startServer({
    pattern: 'long-polling',
    options: patterns['long-polling'].options.parse(options),
    limits: { ...defaultLimits, ...limits },
    seed: 1,
  });
  t.onTestFinished(() => server.close());
  const { hub, subscribers } = server;
  const publish = (topic: string, ...bodies: string[]) => bodies.map((body) => hub.publish(topic, body, {}));
  const ask = (query: string) => fetch(`${server.endpoint.url}/long-poll?${query}`);
  /** Resolves when that many requests are held. */
  const held = (count: number) => until(`${count} are held`, () => subscribers() === count);
  const at = (offset: number) => `${hub.epoch}-${offset}`;
  return { ...server, publish, ask, held, at };
}
