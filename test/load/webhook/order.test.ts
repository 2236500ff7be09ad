// Receivers that reorder: what is handed on is in order whatever came first or twice,
// and nothing of it is lost.

import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { test, type TestContext } from 'vitest';
import { encodeEnvelope } from '../../../core/event/envelope.ts';
import { createOrder } from '../../../load/webhook/order.ts';

const bodyOf = (topic: string, seq: number) =>
  Buffer.from(
    encodeEnvelope({
      id: `e-${topic}-${seq}`,
      topic,
      seq,
      plannedUs: 1,
      sentUs: 1,
      acceptedUs: 1,
      body: `${seq}`,
    }),
  );

function setUp(t: TestContext | undefined, maxWaitMs: number) {
  const got: [subscriber: number, text: string][] = [];
  const order = createOrder(maxWaitMs, {
    ready() {},
    lost() {},
    reset() {},
    gone() {},
    problem: (code, message) => assert.fail(`${code}: ${message}`),
    event: (subscriber, bytes, from, to) => !!got.push([subscriber, bytes.toString('utf8', from, to)]),
  })!;
  t?.onTestFinished(() => order.close());
  const name = (text: string) => (JSON.parse(text) as { id: string }).id;
  return {
    order,
    ids: (subscriber: number) => got.filter(([whose]) => whose === subscriber).map(([, text]) => name(text)),
  };
}

test(
  'a repetition of an event that is held back comes behind it, ' +
    'one of an event that was handed on at once',
  (t) => {
    const { order, ids } = setUp(t, 60_000);
    for (const seq of [2, 2, 3, 2, 1, 1, 4]) assert.equal(order.event(7, bodyOf('news', seq), 0), true);
    assert.deepEqual(ids(7), [
      'e-news-1',
      'e-news-2',
      'e-news-2',
      'e-news-2',
      'e-news-3',
      'e-news-1',
      'e-news-4',
    ]);
  },
);

test(
  'whatever comes in whatever order, first arrivals are handed ' +
    'on in order, and nothing is lost or made up',
  () => {
    const arrivals = fc.shuffledSubarray(
      ['a', 'b'].flatMap((topic) => [1, 2, 3, 4, 5, 6].map((seq) => ({ topic, seq }))),
      { minLength: 12 },
    );
    fc.assert(
      fc.property(arrivals, fc.array(fc.nat(11)), fc.constantFrom(0, 1), (all, again, subscriber) => {
        const { order, ids } = setUp(undefined, 60_000);
        const came = [...all, ...again.map((i) => all[i]!)];
        // Repetitions stand anywhere, also before what they repeat is in its turn.
        const mixed = came
          .map((one, i) => [one, (i * 7919) % came.length] as const)
          .sort((a, b) => a[1] - b[1])
          .map(([one]) => one);
        for (const { topic, seq } of mixed) order.event(subscriber, bodyOf(topic, seq), 0);
        order.close();
        const handed = ids(subscriber);
        for (const topic of ['a', 'b']) {
          const firsts = [...new Set(handed.filter((id) => id.startsWith(`e-${topic}-`)))];
          assert.deepEqual(
            firsts,
            [1, 2, 3, 4, 5, 6].map((seq) => `e-${topic}-${seq}`),
          );
        }
        assert.deepEqual([...handed].sort(), came.map(({ topic, seq }) => `e-${topic}-${seq}`).sort());
      }),
    );
  },
);

test(
  'what is missing is waited for so long and no longer, and is ' + 'handed on late when it comes after all',
  async (t) => {
    const { order, ids } = setUp(t, 20);
    order.event(1, bodyOf('news', 2), 0);
    order.event(1, bodyOf('news', 2), 0);
    assert.deepEqual(ids(1), []);
    const limitMs = performance.now() + 10_000;
    while (ids(1).length < 2 && performance.now() < limitMs) await sleep(5);
    order.event(1, bodyOf('news', 1), 0);
    assert.deepEqual(ids(1), ['e-news-2', 'e-news-2', 'e-news-1']);
  },
);

test('what is no event is refused', (t) =>
  assert.equal(setUp(t, 1000).order.event(1, Buffer.from('{"no":"event"}'), 0), false));
