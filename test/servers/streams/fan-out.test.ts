// What the streaming patterns share, first on outlets that the test holds in its hand, where every byte can
// be counted, then over real sockets whose client stops reading.

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
import { rawClient, until } from '../http/raw-http.ts';
import { bulk, getRequest, serve, slowClient, unchunk } from '../streams.ts';

test('one event is framed once, whoever gets it', async (t) => {
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

test(
  'when the history leaves one behind that is catching up, it ' + 'is cut off, and told when it comes back',
  async (t) => {
    for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
      const { hub, join, counters } = setUp(t, { history: 100, slow });
      for (let i = 0; i < 100; i++) hub.publish('a', bulk(2000), {});
      const first = heldOutlet();
      join(first.outlet, ['a'], 'e-0');
      for (let i = 0; i < 100; i++) hub.publish('a', '1', {});
      await first.drain();
      assert.equal(first.outlet.destroyed, true);
      assert.deepEqual([counters.slowDisconnects, counters.resets], [1, 0]);
      const last = decodeEnvelope(first.text().trim().split('\n').at(-1)!).id;
      const second = heldOutlet(1e6);
      join(second.outlet, ['a'], last);
      assert.match(second.text(), /^e-0 true\n/);
      assert.equal(seqsIn(second.text()).length, 100);
      assert.equal(counters.resets, 1);
    }
  },
);

test('slow: disconnect cuts off with the first event beyond the buffer', (t) => {
  const { hub, join, counters, fanOut } = setUp(t, { slowBuffer: 100_000, slow: 'disconnect' });
  const { outlet } = heldOutlet();
  join(outlet, ['a']);
  for (let i = 0; i < 20 && !outlet.destroyed; i++) {
    assert.ok(outlet.writableLength < 100_000 + 11_000);
    hub.publish('a', bulk(10_000), {});
  }
  assert.equal(outlet.destroyed, true);
  assert.equal(hub.subscriptions(), 0);
  assert.equal(counters.slowDisconnects, 1);
  assert.equal(counters.events, 10);
  return until('it has gone', () => fanOut.size() === 0);
});

test('slow: drop leaves out what does not fit, and goes on when there is room', async (t) => {
  const { hub, join, counters } = setUp(t, { slowBuffer: 100_000, slow: 'drop' });
  const { outlet, text, drain } = heldOutlet();
  join(outlet, ['a']);
  for (let i = 0; i < 30; i++) {
    hub.publish('a', bulk(10_000), {});
    assert.ok(outlet.writableLength < 100_000 + 11_000);
  }
  await drain();
  hub.publish('a', '"again"', {});
  await drain();
  const seqs = seqsIn(text());
  assert.deepEqual(seqs, [...Array.from({ length: seqs.length - 1 }, (_, i) => i + 1), 31]);
  assert.deepEqual([counters.slowDrops, counters.events], [31 - seqs.length, seqs.length]);
});

test(
  'slow: coalesce keeps the newest of each topic, in the ' + 'order of the log, within the buffer',
  async (t) => {
    const { hub, join, counters } = setUp(t, { slowBuffer: 100_000, slow: 'coalesce' });
    const { outlet, text, drain } = heldOutlet();
    join(outlet, ['a', 'b', 'c']);
    while (counters.events < 10) hub.publish('a', bulk(10_000), {});
    for (const topic of ['b', 'c', 'a', 'b', 'a', 'c', 'b']) hub.publish(topic, `"${topic}"`, {});
    assert.equal(counters.slowDrops, 4);
    assert.ok(outlet.writableLength < 100_000 + 11_000);
    await drain();
    const tail = text()
      .trim()
      .split('\n')
      .slice(11)
      .map((line) => decodeEnvelope(line));
    assert.deepEqual(
      tail.map(({ topic, seq }) => [topic, seq]),
      [
        ['a', 12],
        ['c', 2],
        ['b', 3],
      ],
    );
    hub.publish('c', '"live"', {});
    await drain();
    assert.match(text(), /"live"\}\n$/);
    assert.deepEqual([counters.events, counters.slowDrops], [14, 4]);
  },
);

test(
  'slow: coalesce holds no more than the buffer and one event, ' +
    'however many topics and whatever is published',
  async (t) => {
    const topics = ['a', 'b', 'c', 'd'];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(...topics), fc.nat(120_000)), { maxLength: 60 }),
        async (events) => {
          const { hub, join, counters } = setUp(t, { slowBuffer: 100_000, slow: 'coalesce' });
          const { outlet, text, drain } = heldOutlet();
          const subscriber = join(outlet, topics);
          let largest = 0;
          for (const [topic, size] of events) {
            largest = Math.max(largest, hub.publish(topic, bulk(size), {}).json.length);
            const kept = subscriber.backlog?.kind === 'newest' ? [...subscriber.backlog.events.values()] : [];
            assert.ok(kept.length <= 1 || kept.reduce((sum, { json }) => sum + json.length, 0) <= 100_000);
            assert.ok(outlet.writableLength <= 100_000 + largest + 20);
          }
          await drain();
          const got = text()
            .split('\n')
            .filter((line) => line.startsWith('{"id"'))
            .map((line) => decodeEnvelope(line));
          const offsets = got.map(({ id }) => Number(id.slice(2)));
          assert.deepEqual(
            offsets,
            [...offsets].sort((x, y) => x - y),
          );
          // The newest event of all is never among those let go.
          if (events.length > 0) assert.equal(offsets.at(-1), events.length);
          assert.equal(counters.events + counters.slowDrops, events.length);
        },
      ),
      { numRuns: 60 },
    );
  },
);

test('less than the outlet itself buffers is no lag, however small the limit', async (t) => {
  for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
    const { hub, join, counters } = setUp(t, { slowBuffer: 0, slow });
    const { outlet, text, drain } = heldOutlet();
    join(outlet, ['a']);
    for (let i = 0; i < 5; i++) hub.publish('a', '1', {});
    await drain();
    assert.deepEqual(seqsIn(text()), [1, 2, 3, 4, 5]);
    assert.deepEqual([counters.slowDrops, counters.slowDisconnects], [0, 0]);
  }
});

test('one that is leaving meets no policy any more', async (t) => {
  for (const slow of ['disconnect', 'drop', 'coalesce'] as const) {
    const { hub, join, counters } = setUp(t, { slowBuffer: 70_000, slow });
    const { outlet, drain, text } = heldOutlet();
    join(outlet, ['a']);
    while (outlet.writableLength <= 70_000) hub.publish('a', bulk(10_000), {});
    const { events } = counters;
    outlet.end();
    for (let i = 0; i < 5; i++) hub.publish('a', '"too late"', {});
    await drain();
    assert.deepEqual([counters.events, counters.slowDrops, counters.slowDisconnects], [events, 0, 0]);
    assert.equal(seqsIn(text()).length, events);
  }
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
      beatMs: 6400,
      beat({ peer }: Subscriber<number>) {
        turns.set(peer, (turns.get(peer) ?? 0) + 1);
        inThisTick++;
      },
    },
  );
  const outlets = Array.from({ length: 1000 }, () => heldOutlet(1e6).outlet);
  for (const [peer, outlet] of outlets.entries())
    fanOut.join({ peer, outlet, framing: framing(), topics: ['a'], since: undefined, open() {} });
  for (let interval = 1; interval <= 3; interval++) {
    for (let tick = 0; tick < 64; tick++) {
      inThisTick = 0;
      vi.advanceTimersByTime(100);
      assert.ok(inThisTick <= Math.ceil(1000 / 64));
    }
    assert.deepEqual([...new Set(turns.values())], [interval]);
    assert.equal(turns.size, 1000);
  }
  t.onTestFinished(() => fanOut.end(({ outlet }) => outlet.destroy()));
});

test('who does not go by himself at the end is gone by force', async (t) => {
  const { hub, join, fanOut } = setUp(t);
  const { outlet } = heldOutlet();
  join(outlet, ['a']);
  const greeted: string[] = [];
  await fanOut.end(({ peer }) => greeted.push(peer));
  assert.deepEqual([greeted, outlet.destroyed, fanOut.size(), hub.subscriptions()], [['x'], true, 0, 0]);
});

// --- over sockets -----------------------------------------------------------------------------------

test(
  'disconnect, over a socket that stops reading: cut off, ' + 'and on coming back nothing is lost',
  async (t) => {
    const { url, publish, joined, count } = await serve(t, 'http-stream', {}, { slowBuffer: 300_000 });
    const { socket, received } = await slowClient(url, getRequest('/stream?topics=a'));
    await joined(1);
    socket.pause();
    await until('cut off', () => {
      publish('a', bulk(400_000));
      return count('slowDisconnects')[0] === 1;
    });
    await joined(0);
    socket.resume();
    await until('the client knows', () => socket.destroyed);
    const { body, ended } = unchunk(received());
    assert.equal(ended, false);
    const whole = body
      .toString()
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.includes('"id"'));
    const last = whole.length > 0 ? decodeEnvelope(whole.at(-1)!).id : undefined;
    const back = await rawClient(url);
    back.socket.write(
      getRequest(`/stream?topics=a&since=${last ?? JSON.parse(body.toString().split('\n')[0]!).cursor}`),
    );
    publish('a', '"the end"');
    const text = await back.saw(/the end/);
    const seqs = [
      ...seqsIn(whole.join('\n')),
      ...seqsIn(unchunk(Buffer.from(text, 'latin1')).body.toString()),
    ];
    assert.deepEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, i) => i + 1),
    );
  },
);

test(
  'drop, over a socket that stops reading: what comes is in order, ' +
    'and every event is either there or counted',
  async (t) => {
    const { url, publish, joined, count } = await serve(
      t,
      'http-stream',
      {},
      { slowBuffer: 300_000, slow: 'drop' },
    );
    const { socket, received } = await slowClient(url, getRequest('/stream?topics=a'));
    await joined(1);
    socket.pause();
    let published = 0;
    await until('something is dropped', () => {
      published += publish('a', bulk(400_000)).length;
      return count('slowDrops')[0]! >= 3;
    });
    socket.resume();
    await until('it has caught up', () => {
      published += publish('a', '"small"').length;
      return received().includes('"small"');
    });
    await until('all has come', () => seqsIn(unchunk(received()).body.toString()).at(-1) === published);
    const seqs = seqsIn(unchunk(received()).body.toString());
    assert.deepEqual(
      seqs,
      [...new Set(seqs)].sort((a, b) => a - b),
    );
    assert.deepEqual(count('events', 'slowDrops'), [seqs.length, published - seqs.length]);
  },
);

test(
  'coalesce, over a socket that stops reading: the newest ' + 'of each topic comes when it reads on',
  async (t) => {
    const { url, publish, joined, count } = await serve(
      t,
      'http-stream',
      {},
      { slowBuffer: 300_000, slow: 'coalesce' },
    );
    const { socket, received } = await slowClient(url, getRequest('/stream?topics=price,volume'));
    await joined(1);
    socket.pause();
    let prices = 0;
    await until('something is replaced', () => {
      prices += publish('price', bulk(400_000)).length;
      return count('slowDrops')[0]! >= 3;
    });
    publish('volume', '1', '2', '3');
    prices += publish('price', '"newest"').length;
    socket.resume();
    await until('the newest has come', () => received().includes('"newest"'));
    const events = unchunk(received())
      .body.toString()
      .split('\n')
      .filter((line) => line.includes('"id"'))
      .map((line) => decodeEnvelope(line));
    assert.deepEqual(
      events.slice(-2).map(({ topic, seq }) => [topic, seq]),
      [
        ['volume', 3],
        ['price', prices],
      ],
    );
    assert.deepEqual(count('events', 'slowDrops', 'slowDisconnects'), [
      events.length,
      prices + 3 - events.length,
      0,
    ]);
  },
);

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
