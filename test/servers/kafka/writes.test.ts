// Checks what is said of a write that failed: whether anything of it may be there.

import assert from 'node:assert/strict';
import { describe, test, type TestContext } from 'vitest';
import { openKafkaPartition } from '../../../servers/kafka/kafkajs.ts';
import { connectKafkaGroup } from '../../../servers/kafka/kafkajs-group.ts';
import { KafkaWriteError } from '../../../servers/kafka/topic.ts';
import { scriptKafka } from './scripted-kafka.ts';

const given = { withinMs: 2000, retentionMs: 60_000 };

/** What writes a text through each client. */
const clients = {
  async partition(t: TestContext, host: string) {
    const partition = openKafkaPartition({ ...given, host, topic: 'events', isEmulated: true });
    t.onTestFinished(() => partition.close());
    return (value: string) => partition.write([{ key: undefined, value }]);
  },
  async group(t: TestContext, host: string) {
    const group = await connectKafkaGroup({ ...given, host, group: 'hooks', topics: [] });
    t.onTestFinished(() => group.close());
    return (value: string) => group.write([{ topic: 'hooks', value, headers: {} }]);
  },
};

/** What is said of a write that fails. */
async function kindOf(write: Promise<void>): Promise<KafkaWriteError['kind']> {
  const error = await write.then(
    () => assert.fail('it was written'),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof KafkaWriteError, String(error));
  return error.kind;
}

for (const name of ['partition', 'group'] as const)
  describe(name, () => {
    test('a write whose answer was lost may be there, even if the next connection is refused', async (t) => {
      const kafka = await scriptKafka(t);
      const write = await clients[name](t, kafka.host);
      await write('before');
      kafka.goAtNextWrite();
      assert.equal(await kindOf(write('lost')), 'unknown');
      assert.equal(kafka.writes(), 2);
      // Kafka is still away, and now nothing leaves.
      assert.equal(await kindOf(write('after')), 'away');
      assert.equal(await kindOf(write('after')), 'away');
    });

    test('and so may the first write of all', async (t) => {
      const kafka = await scriptKafka(t);
      const write = await clients[name](t, kafka.host);
      kafka.goAtNextWrite();
      assert.equal(await kindOf(write('lost')), 'unknown');
    });
  });
