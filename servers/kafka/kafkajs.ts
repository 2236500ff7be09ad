// Reads and writes a partition of a topic of Kafka with KafkaJS. A consumer of KafkaJS belongs to a group:
// each reader here has one of its own, whose place nobody stores.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Consumer, Kafka } from 'kafkajs';
import { againMs, briefly, newKafka, whyOf } from './kafkajs-client.ts';
import { createProducer } from './kafkajs-producer.ts';
import { KafkaWriteError, type KafkaMessage, type KafkaPartition } from './topic.ts';

export type KafkaOptions = {
  /** `host:port` of a broker, which names the others; no IPv6 address (core/base/kafka-address.ts). */
  host: string;
  topic: string;
  /** How long an answer may take. */
  withinMs: number;
  /** How long messages stay. */
  retentionMs: number;
  /**
   * It is not Kafka but the stand-in of librdkafka: it knows no administration, and answers who waits for
   * messages when the time is over and not when some have come.
   */
  isEmulated: boolean;
};

/** All is in one partition, since only within one is there an order. */
const partition = 0;
/** How long a fetch waits for messages. */
const waits = { real: 500, emulated: 5 };
const largestFetchBytes = 8 * 1024 ** 2;

/** Connects when it is first used. */
export function openKafkaPartition(options: KafkaOptions): KafkaPartition {
  const { host, topic, withinMs, isEmulated } = options;
  const kafka = newKafka(host, withinMs);
  const producer = createProducer(host, withinMs);
  let connected: Promise<void> | undefined;
  let closed = false;
  let reading: Consumer | undefined;
  let endReading: (() => void) | undefined;
  let over = Promise.resolve();

  async function connect(): Promise<void> {
    if (!isEmulated) await createTopic(kafka, options);
    await producer.connect();
  }

  /** Resolves when the partition is closed. @throws what made the consumer crash */
  async function readOnce(from: () => number, take: (message: KafkaMessage) => void): Promise<void> {
    const ended = Promise.withResolvers<void>();
    const consumer = kafka.consumer({
      groupId: `${topic}-${randomUUID()}`,
      maxWaitTimeInMs: isEmulated ? waits.emulated : waits.real,
      maxBytesPerPartition: largestFetchBytes,
      sessionTimeout: 10_000,
      heartbeatInterval: 2000,
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    reading = consumer;
    endReading = ended.resolve;
    consumer.on(consumer.events.CRASH, ({ payload }) => ended.reject(payload.error));
    consumer.on(consumer.events.GROUP_JOIN, () =>
      consumer.seek({ topic, partition, offset: String(from()) }),
    );
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [topic], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch({ batch }) {
          if (batch.partition === partition && !closed)
            for (const { offset, key, value } of batch.messages)
              take({
                offset: Number(offset),
                key: key?.toString(),
                value: value?.toString() ?? '',
              });
          return Promise.resolve();
        },
      });
      await ended.promise;
    } finally {
      await briefly(consumer.disconnect());
    }
  }

  return {
    async write(messages) {
      try {
        connected ??= connect();
        await connected;
      } catch (error) {
        connected = undefined;
        throw new KafkaWriteError('away', whyOf(error));
      }
      await producer.write([
        { topic, messages: messages.map(({ key = null, value }) => ({ key, value, partition })) },
      ]);
    },
    read(from, take) {
      over = (async () => {
        while (!closed) {
          await readOnce(from, take).catch(() => {}); // those who write are told what is wrong
          if (!closed) await sleep(againMs);
        }
      })();
    },
    async close() {
      closed = true;
      await Promise.all([reading && briefly(reading.disconnect()), connected && producer.close()]);
      endReading?.();
      await briefly(over);
    },
  };
}

/** Of one partition, where the cluster lets it be made; other servers may have been first. */
async function createTopic(kafka: Kafka, { topic, retentionMs }: KafkaOptions): Promise<void> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    await admin.createTopics({
      topics: [
        {
          topic,
          numPartitions: 1,
          configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
        },
      ],
    });
  } finally {
    await briefly(admin.disconnect());
  }
}
