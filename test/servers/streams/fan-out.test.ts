// Holds the fan-out to each event once and in order for everybody, to its limits, its turns and its end, on
// outlets that the test holds in its hand, where every byte can be counted.

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { test, vi } from 'vitest';
import { newCounters } from '../../../core/result/counters.ts';
import { decodeEnvelope } from '../../../core/event/envelope.ts';
import { random } from '../../../core/base/random.ts';
import { defaultLimits } from '../../../core/scenario/scenario.ts';
import { createFanOut } from '../../../servers/streams/fan-out.ts';
import type { Subscriber } from '../../../servers/streams/subscriber.ts';
import { createFraming } from '../../../servers/streams/framing.ts';
import { createHub, TooManyTopics } from '../../../servers/hub/hub.ts';
import { framing, heldOutlet, seqsIn, setUp } from './outlets.ts';
import { rawClient } from '../http/raw-http.ts';
import { bulk, getRequest, serve, unchunk } from '../streams.ts';

test('one event is framed once, however many get it', async (t) => {
  let framed = 0;
  const { hub, fanOut } = setUp(t);
  const counting = createFraming(
    (text) => Buffer.from(text),
    (events) => Buffer.from(`${framed++} ${events[0]!.json}`),
  );
  const outlets = Array.from({ length: 10 }, () => heldOutlet(1e6));
  for (const { outlet } of outlets)
    fanOut.join({ peer: '', outlet, framing: counting, topics: ['a'], since: undefined, open() {} });
  const writes: unknown[] = [];
  for (const { outlet } of outlets)
    vi.spyOn(outlet, 'write').mockImplementation((bytes: unknown) => writes.push(bytes) > 0);
  hub.publish('a', '1', {});
  assert.equal(framed, 1);
  assert.equal(new Set(writes).size, 1);
  hub.publish('a', '2', {});
  assert.equal(framed, 2);
  assert.equal(writes.length, 20);
});

test(
  'whatever is published before, while and after it catches up, ' +
    'a subscriber gets each event once and in order',
  async (t) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.oneof(
            { weight: 4, arbitrary: fc.integer({ min: 1, max: 100_000 }) },
            { weight: 1, arbitrary: fc.constant('take' as const) },
            { weight: 1, arbitrary: fc.constant('turn' as const) },
          ),
          { minLength: 1, maxLength: 60 },
        ),
        fc.nat(30),
        fc.nat(30),
        fc.nat(300_000),
        async (steps, before, seen, room) => {
          const { hub, join, counters } = setUp(t, { slowBuffer: 1e9 });
          for (let i = 0; i < before; i++) hub.publish(i % 3 === 0 ? 'other' : 'a', bulk(10_000), {});
          const cursor = Math.min(seen, before);
          const { outlet, text, take, drain } = heldOutlet(room);
          join(outlet, ['a', 'other'], `e-${cursor}`);
          for (const step of steps) {
            if (step === 'take') await take();
            else if (step === 'turn') await turn();
            else hub.publish('a', bulk(step), {});
          }
          await drain();
          const ids = text()
            .split('\n')
            .filter((line) => line.startsWith('{"id"'))
            .map((line) => decodeEnvelope(line).id);
          const published = hub.published();
          assert.deepEqual(
            ids,
            Array.from({ length: published - cursor }, (_, i) => `e-${cursor + i + 1}`),
          );
          assert.equal(counters.events, published - cursor);
        },
      ),
      { numRuns: 60 },
    );
  },
);

test('a replay holds one piece of the history at a time', async (t) => {
  const { hub, join } = setUp(t);
  for (let i = 0; i < 500; i++) hub.publish('a', bulk(2000), {});
  const { outlet, text, take } = heldOutlet();
  join(outlet, ['a'], 'e-0');
  let pieces = 0;
  while (outlet.writableLength > 0) {
    assert.ok(outlet.writableLength < 70_000, `${outlet.writableLength} bytes are waiting`);
    await take();
    pieces++;
  }
  assert.ok(pieces > 10);
  assert.equal(seqsIn(text()).length, 500);
});

test('nobody is let in beyond the limits, and nothing is written to those who are not', (t) => {
  const { hub, join, fanOut } = setUp(t, { maxSubscribers: 1, maxTopics: 1 });
  const { outlet, text } = heldOutlet(1e6);
  assert.throws(() => join(outlet, ['a', 'b']), TooManyTopics);
  assert.deepEqual([fanOut.size(), hub.subscriptions(), text()], [0, 0, '']);
  join(heldOutlet(1e6).outlet, ['a']);
  assert.throws(() => join(outlet, ['a']), {
    name: 'RequestError',
    status: 503,
    code: 'too-many-subscribers',
  });
  assert.deepEqual([fanOut.size(), hub.subscriptions(), text()], [1, 1, '']);
});

test('each subscriber has its turn once in an interval, and not all at once', (t) => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const limits = defaultLimits;
  const turns = new Map<number, number>();
  let inThisTick = 0;
  const fanOut = createFanOut<number>(
    {
      hub: createHub(limits),
      limits,
      counters: newCounters(),
      countConnection() {},
      random: random(1, 'turns'),
    },
    {
      isOpen: () => true,
      cut() {},
      beatMs: 32_000,
      beat({ peer }: Subscriber<number>) {
        turns.set(peer, (turns.get(peer) ?? 0) + 1);
        inThisTick++;
      },
    },
  );
  assert.equal(vi.getTimerCount(), 0, 'nothing wakes a server without subscribers');
  const outlets = Array.from({ length: 1000 }, () => heldOutlet(1e6).outlet);
  for (const [peer, outlet] of outlets.entries())
    fanOut.join({ peer, outlet, framing: framing(), topics: ['a'], since: undefined, open() {} });
  for (let interval = 1; interval <= 3; interval++) {
    for (let tick = 0; tick < 64; tick++) {
      inThisTick = 0;
      vi.advanceTimersByTime(500);
      assert.ok(inThisTick <= Math.ceil(1000 / 64));
    }
    assert.deepEqual([...new Set(turns.values())], [interval]);
    assert.equal(turns.size, 1000);
  }
  t.onTestFinished(() => fanOut.end(({ outlet }) => outlet.destroy()));
});

test('spread goodbyes come in their order and time, and until then a subscriber gets events', async (t) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  t.onTestFinished(() => void vi.useRealTimers());
  const { hub, join, fanOut } = setUp(t);
  const outlets = Array.from({ length: 4 }, () => heldOutlet(1e6));
  for (const { outlet } of outlets) join(outlet, ['a']);
  const told: number[] = [];
  const end = fanOut.end(({ outlet }) => {
    told.push(outlets.findIndex((one) => one.outlet === outlet));
    outlet.end();
  }, 400);
  for (const expected of [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]) {
    assert.deepEqual(told, expected);
    hub.publish('a', '1', {});
    vi.advanceTimersByTime(100);
  }
  assert.deepEqual(
    outlets.map(({ text }) => seqsIn(text()).length),
    [0, 1, 2, 3],
  );
  vi.advanceTimersByTime(1000); // they have ended their side alone: the rest is force
  await end;
  assert.deepEqual([fanOut.size(), hub.subscriptions()], [0, 0]);
});

test('who does not go by himself at the end is gone by force', async (t) => {
  const { hub, join, fanOut } = setUp(t);
  const { outlet } = heldOutlet();
  join(outlet, ['a']);
  const greeted: string[] = [];
  await fanOut.end(({ peer }) => greeted.push(peer));
  assert.deepEqual([greeted, outlet.destroyed, fanOut.size(), hub.subscriptions()], [['x'], true, 0, 0]);
});

test(
  'many clients that come back at once with different cursors ' + 'all get the rest, while more is published',
  async (t) => {
    const { url, publish, at } = await serve(t, 'http-stream');
    for (let i = 0; i < 200; i++) publish('a', bulk(1000 + (i % 7) * 2000));
    const clients = await Promise.all(Array.from({ length: 40 }, () => rawClient(url)));
    for (const [i, { socket }] of clients.entries()) {
      socket.write(getRequest(`/stream?topics=a&since=${at(i * 5)}`));
      if (i % 4 === 0) publish('a', bulk(50_000));
      if (i % 8 === 0) await turn();
    }
    const total = 200 + 10;
    publish('a', '"the end"');
    for (const [i, { saw }] of clients.entries()) {
      const text = await saw(/the end/);
      assert.deepEqual(
        seqsIn(unchunk(Buffer.from(text, 'latin1')).body.toString()),
        Array.from({ length: total + 1 - i * 5 }, (_, k) => i * 5 + k + 1),
      );
    }
  },
);
