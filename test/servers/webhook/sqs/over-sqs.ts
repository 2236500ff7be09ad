// Serves webhooks over a queue of an SQS emulator and a redis-server, both of a test file's own.

import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { skipWhen } from '../../../skip.ts';
import { apiOf } from '../client.ts';
import { noRedis, startRedis } from '../redis/redis-server.ts';
import { startSqs, type SqsServer } from './sqs-server.ts';

export type Place = { sqs: string; sqsDeadLetters: string; redis: string };

/** For the tests of a `describe`: they are skipped where there is no Redis. */
export function overSqs() {
  beforeEach((t) => skipWhen(t, noRedis));
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let sqs: SqsServer;
  let places = 0;
  beforeAll(async () => {
    if (noRedis) return;
    [redis, sqs] = await Promise.all([startRedis(), startSqs()]);
  });
  afterAll(async () => {
    if (noRedis) return;
    await Promise.all([redis.stop(), sqs.stop()]);
  });

  /** Queues and a Redis database of their own. @param kind '.fifo' for queues that keep an order */
  async function newPlace(kind: '' | '.fifo' = ''): Promise<Place> {
    const name = `webhooks-${places}${kind}`;
    const [url, dead] = [await sqs.create(name), await sqs.create(`dead-${name}`)];
    return { sqs: url, sqsDeadLetters: dead, redis: `${redis.url}/${places++}` };
  }

  async function serve(t: TestContext, place: Place, given: Record<string, unknown> = {}) {
    const options = patterns.webhook.options.parse({ store: 'sqs', jitter: '0%', ...place, ...given });
    const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
    t.onTestFinished(() => server.close());
    const post = (topic: string, key?: string, body = '{}') =>
      fetch(`${server.endpoint.url}/topics/${topic}`, {
        method: 'POST',
        body,
        ...(key !== undefined && { headers: { 'idempotency-key': key } }),
      });
    const publish = async (topic: string, key?: string) => {
      const response = await post(topic, key);
      const text = await response.text();
      assert.equal(response.status, 201, text);
      return (JSON.parse(text) as { id: string }).id;
    };
    return { server, post, publish, ...apiOf(server.endpoint.url) };
  }

  return { newPlace, serve, server: () => sqs };
}
