// Checks what one reads where a cluster refuses to make a topic: why, and not that something went wrong.

import assert from 'node:assert/strict';
import { test } from 'vitest';
import { UserError } from '../../../core/base/errors.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { connectBroker } from '../../../servers/brokers/connect.ts';
import { connectKafkaGroup } from '../../../servers/kafka/kafkajs-group.ts';
import { scriptKafka } from './scripted-kafka.ts';

/** TOPIC_AUTHORIZATION_FAILED */
const refusing = { clusterId: 'strict', topicError: 29 };

test('a server that is to be connected through it', async (t) => {
  const { host } = await scriptKafka(t, refusing);
  await assert.rejects(
    connectBroker({ kind: 'kafka', url: `kafka://${host}`, name: 'pushbench' }, defaultLimits),
    (error: unknown) =>
      error instanceof UserError && /connects no servers: Not authorized to access/.test(error.message),
  );
});

test('a group', async (t) => {
  const { host } = await scriptKafka(t, refusing);
  const topics = ['hooks', 'hooks.dead'].map((topic) => ({ topic, partitions: 1 }));
  const options = { host, group: 'hooks', withinMs: 2000, topics, retentionMs: 60_000 };
  await assert.rejects(connectKafkaGroup(options), /^Error: Not authorized to access topics/);
});
