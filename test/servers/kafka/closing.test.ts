// Checks that closing a partition waits for the end of its reader, and not for the limit of that wait.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'vitest';
import { openKafkaPartition } from '../../../servers/kafka/kafkajs.ts';
import { noKafka, startKafka } from '../../kafka-server.ts';
import { skipWhen } from '../../skip.ts';

test('closing takes its time only where Kafka does not answer', async (t) => {
  skipWhen(t, noKafka);
  const kafka = await startKafka();
  t.onTestFinished(() => kafka.stop());

  /** One that reads. @returns closes it, and says how long that took */
  async function open(): Promise<() => Promise<number>> {
    const partition = openKafkaPartition({
      host: `127.0.0.1:${kafka.port}`,
      topic: randomUUID(),
      withinMs: 2000,
      retentionMs: 60_000,
      isEmulated: true,
    });
    const came = Promise.withResolvers<void>();
    partition.read(
      () => 0,
      () => came.resolve(),
    );
    // The topic is being made.
    const write = (): Promise<void> =>
      partition.write([{ key: undefined, value: 'x' }]).catch(() => sleep(100).then(write));
    await write();
    await came.promise;
    return async () => {
      const fromMs = performance.now();
      await partition.close();
      return performance.now() - fromMs;
    };
  }

  const [stays, ...others] = await Promise.all([open(), open(), open(), open()]);
  const tookMs = [];
  for (const close of others) tookMs.push(await close());
  kafka.freeze();
  const limitMs = await stays();
  // The fastest: others may have had something else to wait for.
  assert.ok(Math.min(...tookMs) < limitMs / 3, `${tookMs.join(', ')} of ${limitMs} ms`);
});
