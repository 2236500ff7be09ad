// Endpoints that fall short by script: who is meant and when, and what the sender and the ledger make of it.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, test, type TestContext } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { conduct, createConduct, isAmong, isTime } from '../../../core/scenario/endpoint-conduct.ts';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { patterns } from '../../../core/pattern/registry.ts';
import { random } from '../../../core/base/random.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { webhook } from '../../../load/webhook.ts';
import { startServer } from '../../../servers/start.ts';

test('a share of the endpoints is evenly spread and always the same', () => {
  for (const share of [0.001, 0.05, 0.2, 1]) {
    const meant = Array.from({ length: 10_000 }, (_, i) => i).filter((i) => isAmong(i, share)).length;
    assert.ok(Math.abs(meant - share * 10_000) <= 3, `${meant} of 10,000 for ${share}`);
  }
});

test('a stretch of time begins and ends where it says, and without one it is always', () => {
  const stretch = conduct.parse({ does: 'fail', at: '2s', for: '5s' });
  assert.deepEqual(
    [-1, 1.9e6, 2e6, 6.9e6, 7e6].map((us) => isTime(stretch, us)),
    [false, false, true, true, false],
  );
  assert.deepEqual(
    [-Infinity, -1, 5e6].map((us) => isTime(conduct.parse({ does: 'fail' }), us)),
    [true, true, true],
  );
  const later = createConduct([stretch], random(1, 'x'));
  assert.equal(later.choose(0, 3e6), undefined);
  later.setStart(1e6);
  assert.equal(later.choose(0, 3e6)?.does, 'fail');
});

describe('one delivery to an endpoint that', () => {
  /** The first request meets the conduct, the others do not. */
  async function meet(t: TestContext, given: object, options: object = {}) {
    const server = await startServer({
      pattern: 'webhook',
      options: patterns.webhook.options.parse({
        timeout: '100ms',
        retries: ['10ms', '10ms', '10ms'],
        ...options,
      }),
      limits: defaultLimits,
      seed: 1,
    });
    const counters = newCounters();
    const got: string[] = [];
    let draws = 0;
    const load = await webhook.start(
      {
        endpoint: server.endpoint,
        counters,
        reconnect: { base: 20, cap: 100 },
        topicsOf: () => ['news'],
        sourceAddress: () => '127.0.0.1',
        random: () => (draws++ === 0 ? 0 : 0.99),
        endpoints: [conduct.parse({ share: '50%', ...given })],
        sink: {
          ready() {},
          lost() {},
          reset() {},
          gone() {},
          problem: (code, message) => assert.fail(`${code}: ${message}`),
          event: (_, bytes, from, to) => !!got.push(decodeEnvelope(bytes.toString('utf8', from, to)).id),
        },
      },
      patterns.webhook.options.parse({}),
    );
    t.onTestFinished(() => server.close());
    load.open(0);
    while (server.subscribers() === 0) await sleep(5);
    const { id } = await server.publish('news', '{}', {});
    const limitMs = performance.now() + 10_000;
    while (
      got.length < 1 ||
      server.counters().deliveryRequests + server.counters().retries >
        counters.deliveryRequests + counters.retries
    ) {
      assert.ok(performance.now() < limitMs, 'not within 10 s');
      await sleep(5);
    }
    await sleep(300);
    await load.close(1000);
    return { id, got, counters };
  }
  const rows: [does: string, given: object, arrivals: number, requests: number, answersLost: number][] = [
    ['fails is made again', { does: 'fail', status: 503 }, 1, 2, 0],
    ['hangs is made again', { does: 'hang' }, 1, 2, 0],
    ['resets is made again', { does: 'reset' }, 1, 2, 0],
    ['acts and loses its answer is one duplicate, and no loss', { does: 'lose-answer' }, 2, 2, 1],
    ['answers late but in time is made once', { does: 'slow', by: '20ms' }, 1, 1, 0],
    ['acts and answers too late is one duplicate, and no loss', { does: 'slow', by: '200ms' }, 2, 2, 1],
  ];
  for (const [does, given, arrivals, requests, answersLost] of rows) {
    test(does, async (t) => {
      const { id, got, counters } = await meet(t, given);
      assert.deepEqual(got, Array(arrivals).fill(id));
      assert.deepEqual(
        [counters.deliveryRequests + counters.retries, counters.answersLost, counters.deduplicated],
        [requests, answersLost, arrivals - 1],
      );
    });
  }
});
