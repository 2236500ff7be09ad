// Checks the numbers of deliveries that are stored in one batch.

import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { patterns } from '../../../../core/pattern/registry.ts';
import { newCounters } from '../../../../core/result/counters.ts';
import { defaultLimits } from '../../../../core/scenario/scenario.ts';
import { schemes } from '../../../../core/signature/schemes.ts';
import { createHub } from '../../../../servers/hub/hub.ts';
import { newEndpoint } from '../../../../servers/webhook/endpoints.ts';
import { openRedisStore } from '../../../../servers/webhook/redis/store.ts';
import { createGuard } from '../../../../servers/webhook/sending/guard.ts';
import { realTimers } from '../../../../servers/webhook/sending/timers.ts';
import { overRedis } from './over-redis.ts';

const message = (id: string) => ({ id, topic: 'webhook.test', body: '{}', bodyBytes: 2 });

describe('a batch in Redis', () => {
  const { newUrl } = overRedis();

  test('has messages for one endpoint among its events, each with the number that is told', async (t) => {
    const options = patterns.webhook.options.parse({ store: 'redis', redis: newUrl() });
    const rules = { scheme: schemes.standard, guard: createGuard(options), breaker: false };
    const hub = createHub(defaultLimits);
    const counters = newCounters();
    const context = { hub, counters, limits: defaultLimits, countConnection: () => {}, random: () => 0.5 };
    const store = await openRedisStore(context, options, realTimers);
    t.onTestFinished(() => store.close());
    const attempt = { attempt: 1, atMs: 0, latencyMs: 1, status: 204, answer: '', truncated: false };
    store.schedule.start({
      attempt: (_endpoint, _task, done) =>
        done({ state: 'delivered', attempt: { ...attempt, failure: undefined, nextMs: undefined } }),
      settled() {},
      changed() {},
    });
    t.onTestFinished(() => store.schedule.stop());
    const register = async (...events: string[]) => {
      const { endpoint } = newEndpoint({ url: 'http://127.0.0.1:9/', events }, rules, 0);
      await store.add(endpoint);
      return endpoint;
    };
    const [one] = [await register('news'), await register('news')];
    // In one turn, so that they are one batch.
    const publishing = [store.publish('news', '{}', {})];
    const first = store.send(one, message('t1'));
    publishing.push(store.publish('news', '{}', {}), store.publish('nobody', '{}', {}));
    const second = store.send(one, message('t2'));
    await Promise.all(publishing);
    for (const [id, event] of [
      [await first, 't1'],
      [await second, 't2'],
    ] as const)
      assert.equal((await store.log.delivery(id))?.row.eventId, event);
    assert.deepEqual([await first, await second], [3, 6]);
  });
});
