// The delivery queue in memory: turns, bounds, retries in virtual time, and an end that leaves nothing behind.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createMemoryQueue, type Delivery, type Message, type Outcome, type QueueOptions } from '../../../servers/webhook/queue.ts';
import { virtualTimers } from '../virtual-timers.ts';

let made = 0;
const message = (topic = 'news', bodyBytes = 10): Message => ({ id: `e-${++made}`, topic, body: 'x'.repeat(bodyBytes), bodyBytes });

/** A queue whose attempts are answered by hand. */
function scripted(options: Partial<QueueOptions> = {}) {
  const timers = virtualTimers();
  const attempts: { delivery: Delivery; answer: (outcome: Outcome) => void }[] = [];
  let most = 0;
  const queue = createMemoryQueue({
    concurrency: 8,
    limits: { slow: 'drop', slowBuffer: 1000 },
    timers,
    deliver(delivery) {
      const { promise, resolve } = Promise.withResolvers<Outcome>();
      const attempt = {
        delivery,
        answer(outcome: Outcome) {
          attempts.splice(attempts.indexOf(attempt), 1);
          resolve(outcome);
        },
      };
      attempts.push(attempt);
      most = Math.max(most, attempts.length);
      return promise;
    },
    ...options,
  });
  return { queue, timers, attempts, most: () => most, under: () => attempts.map(({ delivery }) => delivery) };
}

const settled: Outcome = { kind: 'settled' };
const again = (waitMs: number): Outcome => ({ kind: 'again', waitMs });

test('adding returns before the first attempt is made', async () => {
  const { queue, attempts } = scripted();
  queue.add('a', message());
  await Promise.resolve();
  assert.equal(attempts.length, 0);
  await turn();
  assert.equal(attempts.length, 1);
});

test('an endpoint gets its messages in order, and is forgotten when it has had them', async () => {
  const { queue, attempts } = scripted();
  const sent = [message(), message(), message()];
  for (const one of sent) queue.add('a', one);
  assert.equal(queue.pending('a'), 3);
  const got: string[] = [];
  await turn();
  while (attempts.length > 0) {
    got.push(attempts[0]!.delivery.message.id);
    attempts[0]!.answer(settled);
    await turn();
  }
  assert.deepEqual(got, sent.map(({ id }) => id));
  assert.equal(queue.pending('a'), 0);
});

test('a failed attempt is made again after its wait, counted on, with the same message', async () => {
  const { queue, timers, attempts } = scripted();
  queue.add('a', message());
  const waits: number[] = [];
  const seen: [number, string][] = [];
  for (const waitMs of [1000, 5000, 30_000]) {
    await turn();
    seen.push([attempts[0]!.delivery.attempt, attempts[0]!.delivery.message.id]);
    attempts[0]!.answer(again(waitMs));
    await turn();
    assert.equal(attempts.length, 0);
    assert.equal(queue.pending('a'), 1);
    waits.push(timers.next());
  }
  await turn();
  assert.deepEqual(waits, [1000, 5000, 30_000]);
  assert.deepEqual(seen.map(([attempt]) => attempt), [1, 2, 3]);
  assert.equal(attempts[0]!.delivery.attempt, 4);
  assert.equal(new Set(seen.map(([, id]) => id)).size, 1);
});

test('there are never more attempts under way than the concurrency, nor more of an endpoint than an eighth', async () => {
  const { queue, attempts, most, under } = scripted({ concurrency: 16, limits: { slow: 'drop', slowBuffer: 1e6 } });
  for (let i = 0; i < 20; i++) for (let endpoint = 0; endpoint < 30; endpoint++) queue.add(`e${endpoint}`, message());
  let total = 0;
  await turn();
  while (attempts.length > 0) {
    for (const endpoint of new Set(under().map(({ endpointId }) => endpointId))) {
      assert.ok(under().filter(({ endpointId }) => endpointId === endpoint).length <= 2);
    }
    attempts[0]!.answer(settled);
    total++;
    await turn();
  }
  assert.equal(total, 600);
  assert.equal(most(), 16);
});

test('one endpoint of a thousand that never answers takes an eighth of the attempts, and the others have the rest', async () => {
  const { queue, attempts, under } = scripted({ concurrency: 16, limits: { slow: 'drop', slowBuffer: 1e6 } });
  for (let i = 0; i < 50; i++) queue.add('dead', message());
  for (let endpoint = 0; endpoint < 1000; endpoint++) queue.add(`e${endpoint}`, message());
  const got: string[] = [];
  for (;;) {
    await turn();
    const live = attempts.filter(({ delivery }) => delivery.endpointId !== 'dead');
    if (live.length === 0) break;
    assert.ok(live.length >= Math.min(14, 1000 - got.length), 'fourteen of sixteen are left to the others');
    for (const { delivery, answer } of live) {
      got.push(delivery.endpointId);
      answer(settled);
    }
  }
  assert.deepEqual(got, Array.from({ length: 1000 }, (_, i) => `e${i}`));
  assert.deepEqual(under().map(({ endpointId }) => endpointId), ['dead', 'dead']);
});

describe('an endpoint with more waiting than its buffer', () => {
  test('drop: loses what comes', async () => {
    const { queue, attempts } = scripted({ limits: { slow: 'drop', slowBuffer: 25 } });
    const sent = Array.from({ length: 5 }, () => message());
    assert.deepEqual(sent.map((one) => queue.add('a', one)), [0, 0, 1, 1, 1]);
    await turn();
    assert.equal(attempts[0]!.delivery.message, sent[0]);
    attempts[0]!.answer(settled);
    await turn();
    assert.equal(queue.add('a', message()), 0, 'what was delivered makes room');
    assert.equal(queue.add('b', message()), 0, 'another endpoint has its own buffer');
  });

  test('coalesce: keeps the newest of each topic, also of those that wait for a retry', async () => {
    const { queue, timers, attempts } = scripted({ limits: { slow: 'coalesce', slowBuffer: 45 } });
    queue.add('a', message('t1'));
    queue.add('a', message('t2'));
    for (let i = 0; i < 2; i++) {
      await turn();
      attempts[0]!.answer(again(1000));
    }
    await turn();
    assert.equal(timers.waiting(), 2);
    // t1 and t2 rest; two more wait behind one that is under way.
    queue.add('a', message('t3'));
    await turn();
    const newest = [message('t2'), message('t1')];
    assert.equal(queue.add('a', newest[0]!), 0);
    assert.equal(queue.add('a', newest[1]!), 2, 'both older ones are replaced, the one under way is not');
    assert.equal(timers.waiting(), 0);
    assert.equal(queue.pending('a'), 3);
    attempts[0]!.answer(settled);
    for (const expected of newest) {
      await turn();
      assert.equal(attempts[0]!.delivery.message, expected);
      attempts[0]!.answer(settled);
    }
    await turn();
    assert.equal(queue.pending('a'), 0);
  });

  test('coalesce: loses what comes when even the newest of each topic are too many', async () => {
    const { queue } = scripted({ limits: { slow: 'coalesce', slowBuffer: 25 } });
    assert.deepEqual(['t1', 't2', 't3', 't1'].map((topic) => queue.add('a', message(topic))), [0, 0, 1, 1]);
    assert.equal(queue.pending('a'), 2);
  });

  test('disconnect: says so and takes nothing more', () => {
    const { queue } = scripted({ limits: { slow: 'disconnect', slowBuffer: 25 } });
    assert.deepEqual([1, 2, 3].map(() => queue.add('a', message())), [0, 0, 'overrun']);
    assert.equal(queue.pending('a'), 2);
  });

  test('one body alone may be larger', () => {
    const { queue } = scripted({ limits: { slow: 'disconnect', slowBuffer: 25 } });
    assert.equal(queue.add('a', message('news', 100)), 0);
    assert.equal(queue.add('a', message()), 'overrun');
  });
});

test('all endpoints together have a bound too', async () => {
  const { queue, attempts } = scripted({ maxDeliveries: 3 });
  assert.deepEqual(['a', 'b', 'c', 'd'].map((endpoint) => queue.add(endpoint, message())), [0, 0, 0, 1]);
  await turn();
  attempts[0]!.answer(settled);
  await turn();
  assert.equal(queue.add('d', message()), 0);
});

test('what is forgotten is not attempted again, and leaves room', async () => {
  const { queue, timers, attempts } = scripted({ maxDeliveries: 3 });
  for (let i = 0; i < 3; i++) queue.add('a', message());
  await turn();
  attempts[0]!.answer(again(1000));
  await turn();
  assert.equal(timers.waiting(), 1);
  queue.forget('a'); // one rests, one is under way, one is due
  assert.equal(timers.waiting(), 0);
  assert.equal(queue.pending('a'), 0);
  assert.deepEqual(['b', 'c', 'd'].map((endpoint) => queue.add(endpoint, message())), [0, 0, 0]);
  attempts[0]!.answer(again(1000));
  await turn();
  assert.equal(timers.waiting(), 0);
});

test('closing waits for what is under way and leaves no timer', async () => {
  const { queue, timers, attempts } = scripted({ concurrency: 1 });
  queue.add('a', message());
  queue.add('b', message());
  await turn();
  attempts[0]!.answer(again(1000));
  await turn();
  let closed = false;
  const closing = queue.close().then(() => (closed = true));
  await turn();
  assert.equal(closed, false);
  attempts[0]!.answer(again(1000));
  await closing;
  await turn();
  assert.equal(timers.waiting(), 0);
  assert.equal(attempts.length, 0);
  assert.equal(queue.add('a', message()), 1);
  await scripted().queue.close();
});
