// Serves webhooks over a Redis that a test brings into trouble.

import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { type TestContext, vi } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { apiOf } from '../client.ts';
import { startRedis, type RedisServer } from './redis-server.ts';

export type Published = {
  status: number;
  retryAfter: string | null;
  id?: string;
  seq?: number;
  error?: string;
  message?: string;
};

/** Nobody waits so long for an answer; the promise is 2 s, and the machine may be busy. */
export const answerLimitMs = 15_000;

/** Closes things when the test is over, the last one first: a server before its Redis. */
export function closeAfter(t: TestContext, close: () => Promise<unknown> | unknown): void {
  const closers = allClosers.get(t) ?? [];
  if (closers.length === 0) {
    t.onTestFinished(async () => {
      for (const one of closers.toReversed()) await one();
    });
  }
  closers.push(close);
  allClosers.set(t, closers);
}
export const allClosers = new WeakMap<TestContext, (() => Promise<unknown> | unknown)[]>();

export async function redisOf(
  t: TestContext,
  given: Parameters<typeof startRedis>[0] = {},
): Promise<{ redis: RedisServer; operator: Redis }> {
  const redis = await startRedis(given);
  const operator = new Redis(redis.url, { retryStrategy: () => 50 });
  operator.on('error', () => {}); // it is killed below
  closeAfter(t, async () => {
    operator.disconnect();
    await redis.stop();
  });
  return { redis, operator };
}

export async function serve(t: TestContext, url: string) {
  const options = patterns.webhook.options.parse({
    store: 'redis',
    redis: url,
    jitter: '0%',
    retries: ['20ms'],
  });
  const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
  closeAfter(t, () => server.close());
  const said = vi.spyOn(console, 'error').mockImplementation(() => {});
  async function publish(body: string, key?: string): Promise<Published> {
    const response = await fetch(`${server.endpoint.url}/topics/news`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(answerLimitMs),
      ...(key !== undefined && { headers: { 'idempotency-key': `"${key}"` } }),
    });
    return {
      status: response.status,
      retryAfter: response.headers.get('retry-after'),
      ...((await response.json()) as object),
    };
  }
  async function refused(path: string): Promise<void> {
    const response = await fetch(`${server.endpoint.url}${path}`, {
      signal: AbortSignal.timeout(answerLimitMs),
    });
    assert.deepEqual([path, response.status, response.headers.get('retry-after')], [path, 503, '1']);
    await response.arrayBuffer();
  }
  /** The first answer that is none of 503, for a server whose Redis is back. */
  async function publishAgain(body: string, key?: string): Promise<Published> {
    for (const limitMs = performance.now() + 20_000; ;) {
      const answer = await publish(body, key);
      if (answer.status !== 503) return answer;
      assert.ok(performance.now() < limitMs, `still refused after 20 s: ${answer.message}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  const sentences = () => said.mock.calls.map(([text]) => String(text));
  const api = apiOf(server.endpoint.url);
  /** Resolves when the answer to each delivery is entered. */
  async function settled(): Promise<void> {
    while ((await api.stats()).depth > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return { server, publish, publishAgain, refused, sentences, settled, ...api };
}

export const bodies = (got: readonly { body: string }[]) =>
  got.map(({ body }) => (JSON.parse(body) as { body: string }).body);
