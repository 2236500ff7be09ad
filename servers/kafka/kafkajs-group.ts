// Shares the messages of topics between servers with KafkaJS. A fetch of KafkaJS waits until all messages of
// the one before were taken, so `take` only puts them aside, and offsets are committed here and not by the
// library. A consumer that has crashed is replaced by a new one.

import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Consumer,
  type IHeaders,
  type Kafka,
  type PartitionAssigner,
  PartitionAssigners,
} from 'kafkajs';
import { isKafkaEmulator } from '../../core/base/kafka-emulator.ts';
import type { GroupHandlers, KafkaGroup, KafkaOffset, KafkaPlace } from './group.ts';
import { againMs, briefly, hasType, newKafka, whyOf } from './kafkajs-client.ts';
import { createProducer } from './kafkajs-producer.ts';

export type KafkaGroupOptions = {
  /** `host:port` of a broker, which names the others; no IPv6 address (core/base/kafka-address.ts). */
  host: string;
  group: string;
  /** How long the answer to a write may take. */
  withinMs: number;
  /** Topics that are made where they do not exist, with so many partitions. */
  topics: readonly { topic: string; partitions: number }[];
  /** How long messages stay in topics that are made. */
  retentionMs: number;
};

/**
 * `waitMs`: how long a fetch waits for messages. The emulator answers when that time is over, even if
 * messages have come. `sessionMs`: when a member that says nothing is taken for dead. Kafka takes no less
 * than 6 s by default; the emulator makes all others wait almost as long whenever a member comes or goes.
 */
const paces = {
  real: { waitMs: 100, sessionMs: 10_000, heartbeatMs: 2000 },
  emulated: { waitMs: 25, sessionMs: 3000, heartbeatMs: 400 },
};
/** How long the group waits for its members to come back when partitions are dealt out. */
const dealMs = 10_000;
const leaveMs = 2000;
/** How long an answer to a reader may take: the others may have to come first. */
const readWithinMs = 10_000;
/**
 * The emulator refuses members that ask for their partitions after the leader has dealt them out, so the
 * leader takes its time.
 */
const emulatedDealMs = 200;
/** What Kafka answers to a commit while partitions are being dealt out. */
const dealingTypes = ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID'];

/** @throws Error that says what kept Kafka from answering, or the topics from being made */
export async function connectKafkaGroup(options: KafkaGroupOptions): Promise<KafkaGroup> {
  const { host, withinMs } = options;
  const producer = createProducer(host, withinMs);
  let clusterId: string;
  try {
    clusterId = await prepare(newKafka(host, withinMs), options);
    await producer.connect();
  } catch (error) {
    throw new Error(whyOf(error), { cause: error });
  }
  const reader = createReader(newKafka(host, readWithinMs), options, isKafkaEmulator(clusterId));
  return {
    ...reader,
    clusterId,
    write(records) {
      const byTopic = Map.groupBy(records, ({ topic }) => topic);
      return producer.write(
        [...byTopic].map(([topic, all]) => ({
          topic,
          messages: all.map(({ value, headers }) => ({ key: null, value, headers: { ...headers } })),
        })),
      );
    },
    close: producer.close,
  };
}

/** Makes topics that do not exist. @returns the cluster's id */
async function prepare(kafka: Kafka, { host, topics, retentionMs }: KafkaGroupOptions): Promise<string> {
  const admin = kafka.admin();
  try {
    await admin.connect();
    // A cluster that is too old to have an id is told apart by its address.
    const clusterId = ((await admin.describeCluster()).clusterId as string | null) ?? host;
    // The emulator makes topics when they are first named, and knows no administration.
    if (isKafkaEmulator(clusterId)) return clusterId;
    const existing = new Set(await admin.listTopics());
    const missing = topics.filter(({ topic }) => !existing.has(topic));
    if (missing.length > 0)
      await admin.createTopics({
        topics: missing.map(({ topic, partitions }) => ({
          topic,
          numPartitions: partitions,
          configEntries: [{ name: 'retention.ms', value: String(retentionMs) }],
        })),
      });
    return clusterId;
  } finally {
    await briefly(admin.disconnect());
  }
}

type Reader = Pick<KafkaGroup, 'read' | 'pause' | 'resume' | 'commit' | 'leave'>;

function createReader(kafka: Kafka, { group }: KafkaGroupOptions, isEmulated: boolean): Reader {
  const { waitMs, sessionMs, heartbeatMs } = isEmulated ? paces.emulated : paces.real;
  let reading: Consumer | undefined;
  /** The one that reads, once it is a member. */
  let joined: Consumer | undefined;
  let endReading: (() => void) | undefined;
  let left = false;
  let over = Promise.resolve();

  /** Resolves when the group is left. @throws what made the consumer crash */
  async function readOnce(topics: readonly string[], handlers: GroupHandlers): Promise<void> {
    const ended = Promise.withResolvers<void>();
    ended.promise.catch(() => {}); // it may fail before it is awaited
    const consumer = kafka.consumer({
      groupId: group,
      maxWaitTimeInMs: waitMs,
      sessionTimeout: sessionMs,
      heartbeatInterval: heartbeatMs,
      rebalanceTimeout: dealMs,
      partitionAssigners: [isEmulated ? dealSlowly : PartitionAssigners.roundRobin],
      retry: { retries: 5, restartOnFailure: () => Promise.resolve(false) },
    });
    const { events } = consumer;
    const isReading = () => reading === consumer && !left;
    reading = consumer;
    endReading = ended.resolve;
    consumer.on(events.CRASH, ({ payload }) => ended.reject(payload.error));
    consumer.on(events.STOP, () => {
      if (joined === consumer) joined = undefined; // whatever is asked of it from now on, it throws
    });
    consumer.on(events.REBALANCING, () => {
      if (isReading()) handlers.dealing();
    });
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (!isReading()) return;
      joined = consumer;
      const offsets = handlers.assigned(placesOf(payload.memberAssignment));
      for (const { topic, partition, offset } of offsets)
        consumer.seek({ topic, partition, offset: String(offset) });
    });
    try {
      await consumer.connect();
      await consumer.subscribe({ topics: [...topics], fromBeginning: true });
      await consumer.run({
        autoCommit: false,
        eachBatch({ batch: { topic, partition, messages } }) {
          const all = messages.map(({ offset, value, headers }) => ({
            offset: Number(offset),
            value: value ?? Buffer.alloc(0),
            headers: textsOf(headers),
          }));
          if (isReading()) handlers.take({ topic, partition }, all);
          return Promise.resolve();
        },
      });
      await ended.promise;
    } finally {
      reading = undefined;
      joined = undefined;
      await briefly(consumer.disconnect(), leaveMs);
    }
  }

  return {
    read(topics, handlers) {
      over = (async () => {
        while (!left) {
          await readOnce(topics, handlers).catch((error: unknown) => {
            if (!left) handlers.failed(error);
          });
          if (!left) await sleep(againMs);
        }
      })();
    },
    pause: (place) => joined?.pause([listOf(place)]),
    resume: (place) => joined?.resume([listOf(place)]),
    async commit(offsets) {
      if (!joined) return false;
      try {
        await joined.commitOffsets(offsets.map(textOf));
        return true;
      } catch (error) {
        if (hasType(error, dealingTypes)) return false;
        throw error;
      }
    },
    async leave() {
      left = true;
      if (reading) await briefly(reading.disconnect(), leaveMs);
      endReading?.();
      await briefly(over, leaveMs);
    },
  };
}

const dealSlowly: PartitionAssigner = (config) => {
  const dealer = PartitionAssigners.roundRobin(config);
  return {
    ...dealer,
    async assign(given) {
      await sleep(emulatedDealMs);
      return dealer.assign(given);
    },
  };
};

function placesOf(assignment: Readonly<Record<string, number[]>>): KafkaPlace[] {
  return Object.entries(assignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  );
}

const listOf = ({ topic, partition }: KafkaPlace) => ({ topic, partitions: [partition] });

const textOf = ({ topic, partition, offset }: KafkaOffset) => ({ topic, partition, offset: String(offset) });

function textsOf(headers: IHeaders | undefined): Record<string, string> {
  return Object.fromEntries(Object.entries(headers ?? {}).map(([name, value]) => [name, String(value)]));
}
