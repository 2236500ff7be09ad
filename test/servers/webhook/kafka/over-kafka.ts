// Serves webhooks over topics of what stands in for Kafka and a redis-server, both of a test file's own.
// Looks into topics with KafkaJS.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, beforeEach, type TestContext } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { startServer } from '../../../../servers/start.ts';
import { noKafka, startKafka, type KafkaServer } from '../../../kafka-server.ts';
import { skipWhen } from '../../../skip.ts';
import { apiOf } from '../client.ts';
import { noRedis, startRedis } from '../redis/redis-server.ts';

export type Place = { kafka: string; redis: string };

/** For the tests of a `describe`: they are skipped where there is no kcat or no Redis. */
export function overKafka() {
  const absent = noKafka || noRedis;
  beforeEach((t) => skipWhen(t, absent));
  let redis: Awaited<ReturnType<typeof startRedis>>;
  let kafka: KafkaServer;
  let places = 0;
  beforeAll(async () => {
    if (absent) return;
    [redis, kafka] = await Promise.all([startRedis(), startKafka()]);
  });
  afterAll(async () => {
    if (absent) return;
    await Promise.all([redis.stop(), kafka.stop()]);
  });

  /** A topic and a Redis database of their own. @param cluster of the topic; the file's when left out */
  const newPlace = (cluster: Pick<KafkaServer, 'url'> = kafka): Place => ({
    kafka: `${cluster.url}/hooks-${places}`,
    redis: `${redis.url}/${places++}`,
  });

  async function serve(t: TestContext, place: Place, given: Record<string, unknown> = {}) {
    const options = patterns.webhook.options.parse({ store: 'kafka', jitter: '0%', ...place, ...given });
    const server = await startServer({ pattern: 'webhook', options, limits: defaultLimits, seed: 1 });
    let closing: Promise<unknown> | undefined;
    const close = () => (closing ??= server.close());
    t.onTestFinished(async () => void (await close()));
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
    return { server, post, publish, close, ...apiOf(server.endpoint.url) };
  }

  return { newPlace, serve };
}

function clientOf(place: Place) {
  const { host, pathname } = new URL(place.kafka);
  const kafka = new Kafka({ brokers: [host], logLevel: logLevel.NOTHING });
  return { kafka, topic: pathname.slice(1) };
}

/** Messages that were ever written to the topic with this ending. */
export async function countIn(place: Place, ending = ''): Promise<number> {
  const { kafka, topic } = clientOf(place);
  const admin = kafka.admin();
  await admin.connect();
  const offsets = await admin.fetchTopicOffsets(topic + ending);
  await admin.disconnect();
  return offsets.reduce((sum, { high }) => sum + Number(high), 0);
}

/** Writes a message of anybody's to the topic that works are in when they are due. */
export async function put(place: Place, value: string): Promise<void> {
  const { kafka, topic } = clientOf(place);
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: [{ value }] });
  await producer.disconnect();
}

/** Reads the first message of the topic with this ending. */
export async function firstIn(place: Place, ending: string): Promise<string> {
  const { kafka, topic } = clientOf(place);
  const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 25 });
  const first = Promise.withResolvers<string>();
  await consumer.connect();
  await consumer.subscribe({ topics: [topic + ending], fromBeginning: true });
  await consumer.run({
    eachMessage: ({ message }) => Promise.resolve(first.resolve(String(message.value))),
  });
  return first.promise.finally(() => consumer.disconnect());
}
