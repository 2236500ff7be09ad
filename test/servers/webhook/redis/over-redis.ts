// Serves webhooks over a redis-server of a test file's own.

import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { skipWhen } from '../../../skip.ts';
import { apiOf } from '../client.ts';
import { noRedis, startRedis } from './redis-server.ts';

/** For the tests of a `describe`: they are skipped where there is no Redis. */
export function overRedis() {
  beforeEach((t) => skipWhen(t, noRedis));
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let database = 0;
  beforeAll(async () => {
    if (!noRedis) redis = await startRedis();
  });
  afterAll(async () => {
    if (!noRedis) await redis.stop();
  });

  /** Servers on a database of their own. */
  const newUrl = () => `${redis.url}/${database++}`;
  async function serve(t: TestContext, url: string, given: Record<string, unknown> = {}) {
    const options = patterns.webhook.options.parse({ store: 'redis', redis: url, jitter: '0%', ...given });
    const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
    t.onTestFinished(() => server.close());
    const publish = async (topic: string) => {
      const response = await fetch(`${server.endpoint.url}/topics/${topic}`, { method: 'POST', body: '{}' });
      assert.equal(response.status, 201);
      return ((await response.json()) as { id: string }).id;
    };
    return { server, publish, ...apiOf(server.endpoint.url) };
  }

  return { newUrl, serve };
}

export async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  const limitMs = performance.now() + 20_000;
  while (!(await holds())) {
    if (performance.now() > limitMs) assert.fail(`not within 20 s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
