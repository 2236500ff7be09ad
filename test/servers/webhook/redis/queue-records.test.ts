// Checks what Redis says is pending, of works in an outside queue, when records are written late.

import assert from 'node:assert/strict';
import { afterAll, beforeAll, beforeEach, test } from 'vitest';
import { createRecords } from '../../../../servers/webhook/queue/records.ts';
import type { Work } from '../../../../servers/webhook/queue/work-queue.ts';
import { openLink } from '../../../../servers/webhook/redis/link.ts';
import { skipWhen } from '../../../skip.ts';
import { until } from '../../receivers.ts';
import { noRedis, startRedis, type RedisServer } from './redis-server.ts';

let redis: RedisServer;
beforeEach((t) => skipWhen(t, noRedis));
beforeAll(async () => {
  if (!noRedis) redis = await startRedis();
});
afterAll(async () => {
  if (!noRedis) await redis.stop();
});

const work: Work = {
  kind: 'delivery',
  message: { id: 'e', topic: 'news', body: '{}', bodyBytes: 2 },
  firstId: 1,
  receivers: [{ id: 'ep_1', key: 1 }],
  createdMs: 1000,
  round: 0,
};

test('a delivery that was forgotten before its publisher wrote its record is not pending', async (t) => {
  const link = openLink(redis.url);
  t.onTestFinished(link.close);
  await until('it is connected', link.ready);
  const records = createRecords({
    link,
    prefix: 'test',
    keep: 0,
    retainMs: 1000,
    leaseMs: 15_000,
    nowMs: () => 2000,
  });
  const taken = await records.take(work, 'claim');
  assert.ok(taken.kind === 'taken');
  assert.equal((await records.backlog(2000)).depth, 1);
  const delivered = { ...taken.record, state: 'delivered', settledMs: 2000 } as const;
  assert.ok(await records.enter(1, delivered, taken.text, 'claim'));
  assert.deepEqual(await records.read([1]), [undefined]);
  await records.add([work]);
  await records.addMissing(work);
  assert.equal((await records.backlog(2000)).depth, 0);
  assert.deepEqual(await records.read([1]), [undefined]);
});
