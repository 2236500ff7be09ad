// Opens the Kafka topic that the options name: connects, makes topics that do not exist, and says what is
// wrong where that cannot be done.

import { addressOf } from '../../../core/base/address.ts';
import { exitCodes, messageOf, UserError } from '../../../core/base/errors.ts';
import { isKafkaEmulator, kafkaEmulator } from '../../../core/base/kafka-emulator.ts';
import type { PatternOptions } from '../../../core/pattern/registry.ts';
import type { KafkaGroup } from '../../kafka/group.ts';
import { connectKafkaGroup } from '../../kafka/kafkajs-group.ts';
import type { WorkQueue } from '../queue/work-queue.ts';
import { deadTopic, delayTopic, tiersMs } from './delays.ts';
import { createKafkaQueue } from './queue.ts';

/** What an attempt takes besides the receiver's answer: before it is sent, and to enter what became of it. */
const besidesAttemptMs = 5000;
const answerWithinMs = 2000;
/** Of topics that are made here. As many servers as there are partitions can share the work that is due. */
const partitions = { due: 12, delay: 3, dead: 1 };
/** How long messages stay in topics that are made here: a week, as Kafka itself has it. */
const retentionMs = 7 * 86_400_000;

/** @throws UserError when the topic cannot be used */
export async function openKafkaQueue(
  { kafka: url, timeout, concurrency }: PatternOptions<'webhook'>,
  report: (error: unknown) => void,
): Promise<WorkQueue> {
  if (url === '')
    throw refusal(
      'store: kafka needs the address of a topic: set the option kafka (kafka://HOST:9092/TOPIC)',
    );
  const { host, port } = addressOf(url);
  const topic = new URL(url).pathname.slice(1);
  const group = await connect(`${host}:${port}`, topic);
  return createKafkaQueue(group, {
    topic,
    emulator: isKafkaEmulator(group.clusterId) ? kafkaEmulator : undefined,
    leaseMs: timeout + besidesAttemptMs,
    concurrency,
    report,
  });
}

async function connect(host: string, topic: string): Promise<KafkaGroup> {
  const topics = [
    { topic, partitions: partitions.due },
    ...tiersMs.map((tierMs) => ({ topic: delayTopic(topic, tierMs), partitions: partitions.delay })),
    { topic: deadTopic(topic), partitions: partitions.dead },
  ];
  try {
    return await connectKafkaGroup({
      host,
      group: `pushbench.${topic}`,
      withinMs: answerWithinMs,
      topics,
      retentionMs,
    });
  } catch (error) {
    throw refusal(
      `the Kafka topic ${topic} at ${host} cannot be used (${messageOf(error)}); name a cluster that ` +
        'answers without TLS and login with the option kafka. If it lets nobody make topics, make these: ' +
        topics.map((one) => one.topic).join(', '),
    );
  }
}

function refusal(what: string): UserError {
  return new UserError('kafka', what, exitCodes.failed);
}
